"""What tools, editors and shells ask: `context`, `complete`, `util workspace`, `util schema`."""

import json

import pytest

from tests.integration.conftest import Project

FLOW = """
  with: {site: {type: str, value: lab, cli: true, values: [lab, home]}}
  configs: [{name: c, desc: More}]
  types: [{name: Opts, uses: std.DataItem}]
  tasks:
  - {root: sim, desc: Simulate, needs: [rtl], with: {seed: {type: int, value: 3, cli: true}}}
  - {name: rtl, uses: std.FileSet}
"""


@pytest.fixture
def asked(project: Project) -> Project:
    project.flow(FLOW)
    return project


def test_the_context_is_the_project_in_one_answer(asked: Project) -> None:
    found = json.loads(asked.ok("context", "--json").out)
    assert found == {
        "project": {"name": "p", "basedir": str(asked.folder), "params": {"site": "lab"}},
        "tasks": [
            {"name": "p.sim", "short_name": "sim", "desc": "Simulate", "scope": ["root"],
             "needs": ["p.rtl"], "uses": ""},
            {"name": "p.rtl", "short_name": "rtl", "scope": [], "needs": [], "uses": "std.FileSet",
             "desc": "Finds files and emits them as one std.FileSet"},
        ],
        "types": [{"name": "p.Opts", "short_name": "Opts", "package": "p",
                   "uses": "std.DataItem", "doc": ""}],
        "configs": [{"name": "c", "desc": "More"}],
        "imports": [],
        "skills": [],
    }  # fmt: skip


def test_installed_packages_and_more_of_each_are_there_on_demand(asked: Project) -> None:
    names = {
        task["name"]
        for task in json.loads(asked.ok("context", "--json", "--installed").out)["tasks"]
    }
    assert "std.FileSet" in names
    sim = json.loads(asked.ok("context", "--json", "-v").out)["tasks"][0]
    assert sim["params"] == {"seed": 3}
    out = asked.ok("context").out
    assert "name: p\n" in out
    assert "  p.sim - Simulate\n" in out


def test_candidates_are_tasks_flags_and_values(asked: Project) -> None:
    assert asked.ok("complete").out.split() == ["p.rtl", "p.sim", "rtl", "sim"]
    assert asked.ok("complete", "s").out.split() == ["sim"]
    assert asked.ok("complete", "--task", "sim").out.split() == ["--seed", "--site"]
    assert asked.ok("complete", "h", "--task", "sim", "--flag", "--site").out.split() == ["home"]


def test_completion_never_complains(asked: Project) -> None:
    assert asked.ok("complete", "--task", "nope").out == ""
    asked.write("flow.yaml", "package: [\n")
    done = asked.ok("complete")
    assert done.out + done.err == ""


def test_editors_learn_where_tasks_stand_and_what_is_wrong(asked: Project) -> None:
    file = str(asked.folder / "flow.yaml")
    assert json.loads(asked.ok("util", "workspace").out) == {
        "name": "p", "file": file, "imports": [], "files": [file], "markers": [],
        "tasks": [
            {"name": "p.sim", "srcinfo": f"{file}:8:12"},
            {"name": "p.rtl", "srcinfo": f"{file}:9:12"},
        ],
    }  # fmt: skip
    asked.flow("  tasks: [{root: a, needs: [b]}]\n")
    done = asked.dfm("util", "workspace")
    assert done.status == 1
    (marker,) = json.loads(done.out)["markers"]
    assert marker["loc"] == {"path": file, "line": 3, "pos": 29}


def test_the_schema_can_be_written_to_a_file(asked: Project) -> None:
    assert asked.ok("util", "schema", "-o", "flow.json").out == ""
    assert json.loads(asked.read("flow.json"))["title"] == "flow file of dfm"
    assert json.loads(asked.ok("util", "schema", "config").out)


def test_imports_are_shown_as_words(project: Project) -> None:
    for name in ("one", "two"):
        project.write(f"{name}/flow.yaml", f"package: {{name: {name}}}\n")
    project.flow("  imports: [one, {name: two, from: two, as: t}]\n  tasks: [{root: x, run: y}]\n")
    assert "imports:\n  one\n  two from two as t\n" in project.ok("context").out
