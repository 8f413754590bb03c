"""What later versions run is refused by name, and never ignored."""

import pytest

from tests.dfm.flow.conftest import Project

LATER = "is part of the flow language that this version does not run yet"


@pytest.mark.parametrize(
    "field",
    [
        "filters: [{name: f, expr: x}]",
        "imports: [lib]",
        "package-map: map.yaml",
        "fragments: [more.yaml]",
        "overrides: {a: b}",
        "uses: base",
    ],
)
def test_fields_of_a_package(project: Project, field: str) -> None:
    name = field.partition(":")[0]
    assert project.faults(field) == [f"1:1: `{name}` of a package {LATER}"]


def test_a_task_that_overrides(project: Project) -> None:
    assert project.faults("tasks: [{override: t, run: x}]") == [
        f"1:10: `override` of a task {LATER}"
    ]


@pytest.mark.parametrize(
    "field",
    ["imports: [a]", "fragments: [a]", "types: []", "tasks: []", "overrides: []"],
)
def test_fields_of_a_configuration(project: Project, field: str) -> None:
    name = field.partition(":")[0]
    assert project.faults(f"configs: [{{name: c, {field}}}]") == [
        f"1:21: `{name}` of a configuration {LATER}"
    ]


@pytest.mark.parametrize("text", ["${{ x | my.filter }}", "${{ [] | stems }}"])
def test_filters(project: Project, text: str) -> None:
    assert len(project.faults(f"tasks:\n- name: t\n  run: {text!r}")) == 1


@pytest.mark.parametrize("base", ["Publish", "RunTasks", "TestRunner", "Agent"])
def test_tasks_of_the_library_that_are_not_there(project: Project, base: str) -> None:
    (fault,) = project.faults(f"tasks: [{{name: t, uses: std.{base}}}]")
    assert fault.startswith(f"1:25: `std.{base}` {LATER}")


@pytest.mark.parametrize("base", ["AgentSkill", "Eval"])
def test_types_of_the_library_that_are_not_there(project: Project, base: str) -> None:
    (fault,) = project.faults(f"types: [{{name: T, uses: std.{base}}}]")
    assert fault.startswith(f"1:25: `std.{base}` {LATER}")


def test_tags_of_the_library_that_are_not_there(project: Project) -> None:
    (fault,) = project.faults("tags: [std.Eval: {sample_id: x}]")
    assert fault.startswith(f"1:8: `std.Eval` {LATER}")
