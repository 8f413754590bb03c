"""`dfm show`: the JSON that scripts read, and the choices of lists."""

import json
from typing import Any

import pytest

from tests.integration.conftest import Project

FLOW = """
  desc: A chip
  with: {n: {type: int, value: 3}}
  configs: [{name: c, desc: More, with: {n: 4}}]
  types:
  - {name: Team, uses: std.Tag, doc: Who, with: {mail: {type: str}}}
  - {name: Opts, uses: std.DataItem}
  tasks:
  - root: sim
    desc: Simulate
    doc: Runs the simulator
    needs: [rtl]
    run: x
    tags: [Team: {mail: dv}]
    with: {seed: {type: int, value: "${{ n }}", doc: the seed}}
    examples: [{title: Plain, code: dfm run sim}]
    consumes: [std.FileSet]
  - {name: rtl, uses: std.FileSet, needs: [gen], with: {type: verilog, include: "*.v"}}
  - {export: gen, desc: Generate}
  - {local: own, uses: sim}
"""


@pytest.fixture
def shown(project: Project) -> Project:
    project.flow(FLOW)
    return project


def json_of(project: Project, *words: str) -> Any:
    return json.loads(project.ok("show", *words, "--json").out)


def names(project: Project, *words: str) -> list[str]:
    found = json_of(project, *words)
    assert found["count"] == len(found["results"])
    return [entry["name"] for entry in found["results"]]


def test_tasks_are_listed_with_all_that_scripts_read(shown: Project) -> None:
    found = json_of(shown, "tasks", "--package", "p", "--scope", "root")
    assert found == {
        "command": "show tasks",
        "filters": {"package": "p", "scope": "root"},
        "results": [
            {
                "name": "p.sim", "short_name": "sim", "package": "p", "desc": "Simulate",
                "doc": "Runs the simulator", "uses": "", "scope": ["root"],
                "tags": [{"name": "p.Team", "params": {"mail": "dv"}}],
            }
        ],
        "count": 1,
    }  # fmt: skip


def test_tasks_of_all_packages_are_listed_unless_they_are_chosen(shown: Project) -> None:
    everything = names(shown, "tasks")
    assert {"std.FileSet", "p.gen"} <= set(everything)
    assert names(shown, "tasks", "--search", "simul") == ["p.sim", "p.own"]
    assert names(shown, "tasks", "--regex", "^p.g") == ["p.gen"]
    assert names(shown, "tasks", "--tag", "Team") == ["p.sim"]
    assert names(shown, "tasks", "--tag", "p.Team:mail=dv") == ["p.sim"]
    assert names(shown, "tasks", "--tag", "Team:mail=x") == []
    assert names(shown, "tasks", "--scope", "local") == ["p.own"]


def test_tasks_are_found_by_what_they_produce(shown: Project) -> None:
    wanted = "type=std.FileSet,filetype=verilog"
    assert names(shown, "tasks", "--produces", wanted) == ["p.rtl"]
    assert names(shown, "tasks", "--produces", "type=std.FileSet,filetype=vhdl") == []


def test_one_task(shown: Project) -> None:
    assert json_of(shown, "task", "sim") == {
        "name": "p.sim", "short_name": "sim", "package": "p", "desc": "Simulate",
        "doc": "Runs the simulator",
        "examples": [{"lang": "yaml", "title": "Plain", "code": "dfm run sim"}],
        "uses": "", "scope": ["root"], "not_provided": False,
        "tags": [{"name": "p.Team", "params": {"mail": "dv"}}],
        "params": {"seed": {"type": "int", "value": "${{ n }}", "doc": "the seed"}},
        "param_values": {"seed": 3}, "needs": ["p.rtl"], "rundir": "unique",
        "passthrough": "unused", "consumes": [{"type": "std.FileSet"}], "produces": None,
    }  # fmt: skip


def test_values_follow_the_configuration_and_the_command_line(shown: Project) -> None:
    assert json_of(shown, "task", "sim", "-c", "c")["param_values"] == {"seed": 4}
    assert json_of(shown, "task", "sim", "-D", "n=9")["param_values"] == {"seed": 9}
    assert json_of(shown, "project", "-c", "c")["params"] == {"n": 4}


def test_values_may_stand_before_the_command(shown: Project) -> None:
    found = json.loads(shown.ok("-D", "n=7", "show", "task", "sim", "--json").out)
    assert found["param_values"]["seed"] == 7


def test_needs_are_followed_as_deep_as_wanted(shown: Project) -> None:
    rtl = {"name": "p.rtl", "depth": 1, "by": "p.sim"}
    gen = {"name": "p.gen", "depth": 2, "by": "p.rtl"}
    assert json_of(shown, "task", "sim", "--needs")["needs_tree"] == [rtl, gen]
    assert json_of(shown, "task", "sim", "--needs", "1")["needs_tree"] == [rtl]


def test_usage_is_who_needs_a_task_and_who_is_made_from_it(shown: Project) -> None:
    assert json_of(shown, "task", "rtl", "--usage")["used_by"] == {
        "needs": ["p.sim", "p.own"], "uses": [],
    }  # fmt: skip
    assert json_of(shown, "task", "sim", "--usage")["used_by"]["uses"] == ["p.own"]


def test_packages(shown: Project) -> None:
    found = {entry["name"]: entry for entry in json_of(shown, "packages")["results"]}
    assert found["p"] == {
        "name": "p", "desc": "A chip", "doc": "", "tags": [], "basedir": str(shown.folder),
        "source": "project", "task_count": 4, "type_count": 2,
    }  # fmt: skip
    assert found["std"]["source"] == "installed"
    assert json_of(shown, "package", "p") == {
        "name": "p", "desc": "A chip", "doc": "", "basedir": str(shown.folder),
        "source": "project", "uses": "", "tasks": ["p.sim", "p.rtl", "p.gen", "p.own"],
        "types": ["p.Team", "p.Opts"], "configs": ["c"], "imports": [], "params": {"n": 3},
        "tags": [],
    }  # fmt: skip


def test_the_project(shown: Project) -> None:
    found = json_of(shown, "project", "--imports", "--configs")
    assert found == {
        "name": "p", "location": str(shown.folder / "flow.yaml"), "config": None,
        "params": {"n": 3}, "root_tasks": [{"name": "p.sim", "desc": "Simulate", "uses": ""}],
        "export_tasks": ["p.gen"], "local_tasks": ["p.own"],
        "tasks": ["p.sim", "p.rtl", "p.gen", "p.own"], "task_count": 4,
        "types": ["p.Team", "p.Opts"], "type_count": 2, "import_count": 0, "config_count": 1,
        "imports": [], "configs": [{"name": "c", "desc": "More"}],
    }  # fmt: skip


def test_types_and_tags(shown: Project) -> None:
    assert json_of(shown, "types", "--package", "p")["results"][0] == {
        "name": "p.Team", "short_name": "Team", "package": "p", "uses": "std.Tag", "doc": "Who",
    }  # fmt: skip
    assert names(shown, "types", "--package", "p", "--tags-only") == ["p.Team"]
    assert names(shown, "types", "--package", "p", "--data-items-only") == ["p.Opts"]
    (team,) = json_of(shown, "tags", "--package", "p")["results"]
    assert team["usage_count"] == 1


def test_what_is_not_there_is_status_1(shown: Project) -> None:
    for words in (("task", "simm"), ("package", "q"), ("tasks", "--package", "q"), ("skills", "s")):
        done = shown.dfm("show", *words)
        assert done.status == 1, done
    assert "did you mean `sim`?" in shown.dfm("show", "task", "simm").err


def test_show_alone_says_what_there_is(shown: Project) -> None:
    assert "packages" in shown.ok("show").out
    assert names(shown, "skills") == []


def test_people_get_lines(shown: Project) -> None:
    out = shown.ok("show", "tasks", "--package", "p").out
    assert out.splitlines()[0] == "p.sim - Simulate"
    assert "    uses: std.FileSet" in shown.ok("show", "tasks", "-v", "--package", "p").out
    assert "needs: p.rtl" in shown.ok("show", "task", "sim").out


def test_a_parameter_without_a_value_shows_the_empty_one_of_its_type(project: Project) -> None:
    kinds = {"str": "", "int": 0, "float": 0.0, "bool": False, "list": [], "map": {}}
    params = ", ".join(f"{kind}: {{type: {kind}}}" for kind in kinds)
    project.flow(f"  tasks: [{{root: t, with: {{{params}}}, run: x}}]\n")
    found = json_of(project, "task", "t")["params"]
    assert {name: one["value"] for name, one in found.items()} == kinds
