from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dfm.graph.node import Compound, Disabled, Emit, Entry, Graph, Library, Nothing, Work, cycle
from tests.dfm.graph.conftest import ON_ERROR, graph, graphs, node


def test_a_graph_without_a_circle_has_none() -> None:
    assert cycle(graph(node(0), node(1, 0), node(2, 0, 1))) is None
    assert cycle(graph()) is None


def test_a_circle_is_its_members_with_the_first_at_the_end_again() -> None:
    assert cycle(graph(node(0, 0))) == [0, 0]
    assert cycle(graph(node(0, 1), node(1, 0))) in ([0, 1, 0], [1, 0, 1])


def test_what_leads_into_a_circle_is_no_part_of_it() -> None:
    found = cycle(graph(node(0), node(1, 0, 2), node(2, 3), node(3, 2), node(4, 1)))
    assert found in ([2, 3, 2], [3, 2, 3])


def test_a_body_that_needs_its_own_compound_is_a_circle() -> None:
    work = Compound((2,), ON_ERROR, entry=1)
    found = cycle(graph(node(0, work=work), node(1, work=Entry()), node(2, 0, scope=0)))
    assert found is not None
    assert set(found) == {0, 2}


@settings(deadline=None)
@given(flow=graphs())
def test_graphs_of_flows_have_no_circle(flow: Graph) -> None:
    assert cycle(flow) is None


@settings(deadline=None)
@given(edges=st.lists(st.lists(st.integers(0, 7), max_size=3, unique=True), min_size=8, max_size=8))
def test_a_circle_that_is_found_is_one_and_none_is_missed(edges: list[list[int]]) -> None:
    flow = graph(*(node(number, *needs) for number, needs in enumerate(edges)))
    found = cycle(flow)
    reached = {number: set(needs) for number, needs in enumerate(edges)}
    for _ in edges:
        for number in reached:
            reached[number] |= {far for near in reached[number] for far in edges[near]}
    assert (found is not None) == any(number in reached[number] for number in reached)
    if found is not None:
        assert found[0] == found[-1]
        assert len(set(found)) == len(found) - 1
        for one, other in pairwise(found):
            assert other in edges[one]


def test_a_long_circle_is_found_without_recursion() -> None:
    size = 50_000
    found = cycle(graph(*(node(n, (n + 1) % size) for n in range(size))))
    assert found is not None
    assert len(found) == size + 1


def test_a_node_waits_for_its_needs_and_for_a_body_whose_failures_it_contains() -> None:
    nodes = [node(0), node(1), node(2, 0, 0)]
    assert list(graph(*nodes).waits(nodes[2])) == [0]
    nodes[2].work = Compound((0, 1))
    assert list(graph(*nodes).waits(nodes[2])) == [0]
    nodes[2].work = Compound((0, 1), max_failures=0)
    assert list(graph(*nodes).waits(nodes[2])) == [0, 1]
    nodes[2].work = Compound((0, 1), ON_ERROR)
    assert list(graph(*nodes).waits(nodes[2])) == [0, 1]


def test_tasks_are_what_users_count() -> None:
    works: list[Work] = [ON_ERROR, Library("Null"), Emit("t"), Nothing(), Compound((), ON_ERROR)]
    assert all(node(0, work=work).is_task for work in works)
    assert not any(node(0, work=work).is_task for work in (Compound(()), Entry(), Disabled()))
