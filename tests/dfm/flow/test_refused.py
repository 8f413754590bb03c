"""What later versions run is refused by name, and never ignored."""

import pytest

from tests.dfm.flow.conftest import Project

LATER = "is part of the flow language that this version does not run yet"


@pytest.mark.parametrize(
    "field",
    [
        "control: {type: if, cond: x}",
        "requires: [std.check.Implemented]",
        "elaborate: 'm:f'",
        "summary: 'm:f'",
        "set: [{a.b: c}]",
        "provide: [{a.b: c}]",
        "let: {x: 1}",
    ],
)
@pytest.mark.parametrize("is_inside", [False, True])
def test_fields_of_a_task(project: Project, field: str, is_inside: bool) -> None:
    name = field.partition(":")[0]
    if is_inside:
        fields, column = f"tasks: [{{name: t, body: [{{name: b, {field}}}]}}]", 36
    else:
        fields, column = f"tasks: [{{name: t, {field}}}]", 19
    assert project.faults(fields) == [f"1:{column}: `{name}` of a task {LATER}"]


@pytest.mark.parametrize(
    "field", ["generate: {run: m.f}", "select: {axes: {a: [1]}}", "chain: true"]
)
def test_strategies(project: Project, field: str) -> None:
    name = field.partition(":")[0]
    fields = f"tasks: [{{name: t, strategy: {{{field}}}, body: [{{name: b}}]}}]"
    assert project.faults(fields) == [f"1:30: `{name}` of `strategy` {LATER}"]


def test_checks_of_types(project: Project) -> None:
    assert project.faults("types: [{name: c, check: 'm:f'}]") == [
        f"1:19: `check` of a type {LATER}"
    ]


@pytest.mark.parametrize("text", ["${{ resolve('x') }}"])
def test_resolve(project: Project, text: str) -> None:
    assert len(project.faults(f"tasks:\n- name: t\n  run: {text!r}")) == 1


@pytest.mark.parametrize("base", ["EvalRunner", "EvalInfo", "NotProvided", "Agent"])
def test_tasks_of_the_library_that_are_not_there(project: Project, base: str) -> None:
    (fault,) = project.faults(f"tasks: [{{name: t, uses: std.{base}}}]")
    assert fault.startswith(f"1:25: `std.{base}` {LATER}")


@pytest.mark.parametrize("base", ["Check", "check.Needs"])
def test_types_of_the_library_that_are_not_there(project: Project, base: str) -> None:
    (fault,) = project.faults(f"types: [{{name: T, uses: std.{base}}}]")
    assert fault.startswith(f"1:25: `std.{base}` {LATER}")
