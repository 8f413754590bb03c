"""`dfm validate`, as scripts and people read it."""

import json

from tests.integration.conftest import Project


def test_a_flow_without_faults_is_valid_whatever_it_warns_of(project: Project) -> None:
    project.flow("  tasks:\n  - {root: a, run: 'touch ran', need: }\n".replace(", need: ", ""))
    done = project.ok("validate", "--json")
    assert json.loads(done.out) == {
        "valid": True, "error_count": 0, "warning_count": 0, "errors": [], "warnings": [],
        "info": [{"type": "PackageInfo", "name": "p", "task_count": 1, "type_count": 0}],
    }  # fmt: skip
    project.flow("  tasks:\n  - {root: a}\n  - {name: b}\n")
    report = json.loads(project.ok("validate", "--json").out)
    assert [warning["type"] for warning in report["warnings"]] == ["UnusedTask"]
    assert report["valid"]
    assert "warning: UnusedTask: p.b" in project.ok("validate").out
    assert not (project.folder / "rundir").exists()


def test_errors_have_their_kinds_and_places(project: Project) -> None:
    project.flow("  tasks:\n  - {root: a, needs: [b]}\n  - {root: c, run: '${{ nope }}'}\n")
    done = project.dfm("validate", "--json")
    assert done.status == 1
    report = json.loads(done.out)
    assert not report["valid"]
    assert report["error_count"] == 2
    file = str(project.folder / "flow.yaml")
    assert [(error["type"], error["location"]) for error in report["errors"]] == [
        ("ParseError", {"file": file, "line": 4, "column": 23}),
        ("UndefinedVariableReference", {"file": file, "line": 5, "column": 25}),
    ]
    done = project.dfm("validate")
    assert done.status == 1
    assert "flow.yaml:4:23: " in done.err
    assert done.out == "not valid: 2 errors, 0 warnings\n"


def test_a_circle_is_named_with_its_first_task_repeated(project: Project) -> None:
    project.flow("  tasks:\n  - {name: a, needs: [b]}\n  - {name: b, needs: [a]}\n")
    done = project.dfm("validate", "--json")
    assert done.status == 1
    (error,) = json.loads(done.out)["errors"]
    assert error["type"] == "CircularDependency"
    assert error["tasks"] == ["p.a", "p.b", "p.a"]


def test_what_is_wrong_in_the_graph_of_any_task_is_found(project: Project) -> None:
    project.flow(
        "  with: {n: {type: str}}\n  tasks:\n  - {root: ok}\n  - name: m\n"
        "    strategy: {matrix: {x: '${{ n }}'}}\n    body: [{name: c}]\n"
        "  - {name: base, abstract: true}\n"
    )
    done = project.dfm("validate")
    assert done.status == 1
    assert "axis `x`" in done.err
    assert project.dfm("validate", "-D", "n=").status == 1


def test_the_file_the_configuration_and_values_are_chosen(project: Project) -> None:
    project.flow("  tasks: [{root: a}]\n")
    project.write(
        "other.yaml",
        "package:\n  name: q\n  with: {n: {type: int, value: 1}}\n"
        "  tasks: [{root: a, needs: ['t${{ n }}']}, {name: t1}]\n  configs: [{name: c, with: {n: 2}}]\n",
    )
    project.ok("validate", "other.yaml")
    project.ok("validate", "--root", "other.yaml")
    assert project.dfm("validate", "other.yaml", "-c", "c").status == 1
    assert project.dfm("validate", "other.yaml", "-D", "n=3").status == 1
    assert project.dfm("validate", "none.yaml").status == 1
