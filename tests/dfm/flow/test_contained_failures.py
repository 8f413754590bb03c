"""Sections 18 and 28: compounds that contain failures, and bodies that contain themselves."""

import pytest

from dfm.graph.node import Compound
from tests.dfm.flow.conftest import Project


@pytest.mark.parametrize(
    ("fields", "contains", "failures"),
    [
        ("name: t", False, -1),
        ("name: t, max_failures: -1", False, -1),
        ("name: t, max_failures: 0", False, -1),
        ("name: t, max_failures: 2", True, 2),
        ("name: t, on_error: 'm:f'", True, -1),
        ("name: t, on_error: m.f", True, -1),
        ("name: t, on_error: a.b.f", True, -1),
    ],
)
def test_a_compound_contains_failures_by_max_failures_and_on_error(
    project: Project, fields: str, contains: bool, failures: int
) -> None:
    text = f"tasks:\n- {{{fields}, body: [{{name: a}}, {{name: b, body: [{{name: c}}]}}]}}"
    nodes = project.graph(text, "t")
    work = nodes["demo.t"].work
    assert isinstance(work, Compound)
    assert (work.contains_failures, work.max_failures) == (contains, failures)
    inside = ["demo.t.in", "demo.t.a", "demo.t.b", "demo.t.b.in", "demo.t.b.c"]
    if contains:
        assert set(nodes.members("demo.t")) >= set(inside) - {"demo.t.in"}
        assert {nodes[name].scope for name in inside[1:]} == {nodes["demo.t"].number}
    else:
        assert nodes.members("demo.t") == []
        assert {node.scope for node in nodes.graph.nodes} == {None}


def test_max_failures_and_on_error_are_inherited(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, max_failures: 3, on_error: "m:f", body: [{name: a}]}
        - {name: t, uses: base}
        - {name: u, uses: base, max_failures: 1, on_error: "m:g"}
        """,
        "t", "u",
    )  # fmt: skip
    found = []
    for name in ("demo.t", "demo.u"):
        work = nodes[name].work
        assert isinstance(work, Compound)
        assert work.on_error is not None
        found.append((work.max_failures, work.on_error.text))
    assert found == [(3, "m:f"), (1, "m:g")]


@pytest.mark.parametrize("function", ["f", "':f'", "'m:'", "''"])
def test_on_error_must_name_a_module_and_a_function(project: Project, function: str) -> None:
    (fault,) = project.faults(f"tasks:\n- {{name: t, on_error: {function}, body: []}}")
    assert "is not module:function" in fault


def test_a_body_that_contains_itself_is_a_fault(project: Project) -> None:
    fields = "tasks:\n- {name: t, body: [{name: a, uses: t}]}"
    (fault,) = project.faults(fields, "t")
    assert "the body of demo.t contains itself: demo.t -> demo.t.a" in fault


def test_a_body_that_contains_itself_by_way_of_another_is_a_fault(project: Project) -> None:
    fields = """
    tasks:
    - {name: a, body: [{name: x, uses: b}]}
    - {name: b, body: [{name: y, uses: a}]}
    """
    (fault,) = project.faults(fields, "a")
    assert "contains itself" in fault


@pytest.mark.parametrize("body", ["x", "{name: a}", "[a]", "3"])
def test_a_body_must_be_a_list_of_maps(project: Project, body: str) -> None:
    (fault,) = project.faults(f"tasks:\n- {{name: t, body: {body}}}")
    assert " must be a " in fault


def test_two_body_tasks_of_one_name_are_a_fault(project: Project) -> None:
    fields = "tasks:\n- name: t\n  body:\n  - {name: a}\n  - {root: a}"
    (fault,) = project.faults(fields)
    assert fault == f"5:12: task `demo.t.a` is declared twice (first at {project.file}:6:14)"


def test_uptodate_of_a_compound_is_a_warning(project: Project) -> None:
    fields = "tasks: [{name: t, uptodate: false, body: []}]"
    assert project.warnings(fields, "t") == ["1:29: `uptodate` of a compound has no effect"]
