"""`strategy: {chain: true}`: body tasks in sequence (section 19.4)."""

from tests.dfm.flow.conftest import Project

CHAIN = """
tasks:
- {name: src}
- name: c
  needs: [src]
  strategy: {chain: true}
  body: [{name: one}, {name: two}, {name: three}]
"""


def test_each_task_needs_the_one_before(project: Project) -> None:
    graph = project.graph(CHAIN, "c")
    assert graph.needs("demo.c.one") == ["demo.c.in"]
    assert graph.needs("demo.c.two") == ["demo.c.one"]
    assert graph.needs("demo.c.three") == ["demo.c.two"]
    assert graph.needs("demo.c") == ["demo.c.three"]


def test_a_disabled_task_is_left_out_of_the_sequence(project: Project) -> None:
    graph = project.graph(CHAIN.replace("{name: two}", "{name: two, iff: false}"), "c")
    assert graph.needs("demo.c.three") == ["demo.c.one"]


def test_without_chain_they_are_side_by_side(project: Project) -> None:
    graph = project.graph(CHAIN.replace("chain: true", "chain: false"), "c")
    assert graph.needs("demo.c.two") == ["demo.c.in"]


def test_each_cell_of_a_matrix_is_a_chain(project: Project) -> None:
    graph = project.graph(CHAIN.replace("chain: true", "chain: true, matrix: {x: [1, 2]}"), "c")
    assert graph.needs("demo.c.two_1") == ["demo.c.one_1"]


def test_what_uses_a_chain_is_one(project: Project) -> None:
    graph = project.graph(CHAIN + "- {name: d, uses: c}\n", "d")
    assert graph.needs("demo.c.two") == ["demo.c.one"]


def test_a_need_against_the_order_is_a_circle(project: Project) -> None:
    flow = CHAIN.replace("{name: one}", "{name: one, needs: [two]}")
    (fault,) = project.faults(flow, "c")
    assert "tasks need each other in a circle" in fault


def test_chain_is_true_or_false(project: Project) -> None:
    (fault,) = project.faults(CHAIN.replace("chain: true", "chain: 3"))
    assert "`chain` must be true or false" in fault
