"""`control` (section 20): what is wrong with it. What it does is in tests/integration/test_control.py."""

import pytest

from tests.dfm.flow.conftest import Project


@pytest.mark.parametrize(
    ("control", "fault"),
    [
        ("{type: iff, cond: x}", "`iff` is not one of if, match, while, do-while, repeat"),
        ("{cond: x}", "`type` must be text"),
        ("{type: if}", "`control` of type if needs `cond`"),
        ("{type: match}", "`control` of type match needs `cases`"),
        ("{type: while, cond: 'true'}", "`control` of type while needs `max_iter`"),
        ("{type: do-while, max_iter: 3}", "`control` of type do-while needs `until`"),
        ("{type: repeat}", "`control` of type repeat needs `count`"),
        ("{type: repeat, count: x}", "must be a number from 0 to 10,000, not the text 'x'"),
        ("{type: repeat, count: 10001}", "must be a number from 0 to 10,000"),
        ("{type: if, cond: 'a +'}", "`cond` of demo.t: "),
        ("{type: if, cond: nope}", "`cond` of demo.t: `nope` is not defined"),
        ("{type: match, cases: [{body: []}]}", "a case has either `when` or `default: true`"),
        ("{type: match, cases: [{when: 'true', bdy: []}]}", "a case has no field `bdy`"),
        ("{type: if, cond: 'true', else: [{name: x, needs: [y]}]}", "demo.t.x needs `y`"),
        ("[]", "`control` must be a map"),
    ],
)
def test_what_is_wrong_with_control_is_a_fault(project: Project, control: str, fault: str) -> None:
    (found, *_) = project.faults(
        f"tasks: [{{name: t, control: {control}, body: [{{name: b}}]}}]", "t"
    )
    assert fault in found


def test_a_control_and_a_strategy_exclude_each_other(project: Project) -> None:
    fields = "control: {type: if, cond: 'true'}, strategy: {matrix: {x: [1]}}"
    (found, *_) = project.faults(f"tasks: [{{name: t, {fields}, body: [{{name: b}}]}}]")
    assert "`control` and `strategy` exclude each other" in found


def test_a_loop_that_contains_its_failures_contains_those_of_its_conditions(
    project: Project,
) -> None:
    fields = "control: {type: repeat, count: 2}, on_error: 'm:f', body: [{name: b}]"
    graph = project.graph(f"tasks: [{{name: t, {fields}}}]", "t")
    number = graph["demo.t"].number
    assert {"demo.t.in_0", "demo.t.b_1"} <= set(graph.members("demo.t"))
    assert {graph[name].scope for name in ("demo.t.in_0", "demo.t.in_1", "demo.t.b_0")} == {number}


def test_iterations_are_named_by_their_numbers(project: Project) -> None:
    graph = project.graph(
        "tasks: [{name: t, control: {type: repeat, count: 2}, body: [{name: b}]}]", "t"
    )
    assert graph.rundirs["demo.t.b_1"] == "demo.t/demo.t.b_1"
    assert graph.needs("demo.t.b_1") == ["demo.t.in_1"]
    assert graph.needs("demo.t.in_1") == ["demo.t.in", "demo.t.in_0", "demo.t.b_0"]


def test_what_uses_a_loop_is_one(project: Project) -> None:
    flow = "tasks: [{name: t, control: {type: repeat, count: 2}, body: [{name: b}]}, {name: u, uses: t}]"
    assert "demo.t.b_1" in project.graph(flow, "u")
