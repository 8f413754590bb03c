"""In which order ready nodes are visited."""

from hypothesis import given
from hypothesis import strategies as st

from dfm.engine.ready import Ready
from dfm.graph.node import Compound, Entry, Node, Script
from dfm.graph.resources import Request
from tests.dfm.engine.conftest import World, graph, node, script


def taken(ready: Ready) -> list[int]:
    found = []
    while ready:
        found.append(ready.take())
    return found


def tasks(*priorities: int) -> list[Node]:
    return [node(str(n), request=Request(priority=p)) for n, p in enumerate(priorities)]


def test_without_priorities_the_order_is_that_of_getting_ready() -> None:
    ready = Ready(graph(node("a"), node("b"), node("c"), node("d", Entry())).nodes)
    ready.add([2, 0])
    ready.add([3, 1])
    assert taken(ready) == [2, 0, 3, 1]


def test_more_priority_comes_first_and_less_last() -> None:
    ready = Ready(tasks(0, 5, -1, 5, 0))
    ready.add(range(5))
    assert taken(ready) == [1, 3, 0, 4, 2]


def test_what_is_put_back_comes_before_others_of_its_priority() -> None:
    ready = Ready(tasks(0, 0, 0, 0, 1))
    ready.add([0, 1])
    ready.put_back([2, 3])
    ready.add([4])
    assert taken(ready) == [4, 2, 3, 0, 1]


def test_what_dfm_does_itself_waits_for_nobody() -> None:
    """Else an entry without a priority would keep the tasks behind it waiting, whatever theirs is."""
    judged = Compound((), on_error=Script("python", "f", "", "/src"))
    nodes = [*tasks(1, 9), node("in", Entry()), node("c", Compound(())), node("j", judged)]
    ready = Ready(nodes)
    ready.add(range(5))
    assert taken(ready) == [1, 2, 3, 0, 4]


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans())))
def test_every_node_comes_once_and_in_the_order_of_priorities(
    steps: list[tuple[int, bool]],
) -> None:
    nodes = tasks(*(priority for priority, _ in steps))
    ready = Ready(nodes)
    for number, (_, again) in enumerate(steps):
        ready.put_back([number]) if again else ready.add([number])
    found = taken(ready)
    assert sorted(found) == list(range(len(steps)))
    priorities = [steps[number][0] for number in found]
    assert priorities == sorted(priorities, reverse=True)


def test_a_run_submits_its_tasks_by_priority(world: World) -> None:
    made = graph(*tasks(0, 3, 1), node("x", script()))
    world.run(made)
    assert world.hands.submitted == ["p.1", "p.2", "p.0", "p.x"]
