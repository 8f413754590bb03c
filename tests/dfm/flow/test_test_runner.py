"""Section 31.8: tests and suites, which of them are chosen, and what is built then."""

import json
from typing import Any

import pytest

from dfm.errors import UsageError
from dfm.flow.choice import matches
from dfm.graph.node import Said
from tests.dfm.flow.conftest import Project

FIELDS = """
with: {views: {type: list, value: [rtl, gls]}}
tasks:
- {name: Build, produces: [{type: std.FileSet, filetype: "${{ kind }}"}], with: {kind: {type: str, value: simDir}}, run: x}
- {name: image, uses: Build}
- {name: gate_image, uses: Build}
- {name: tool, uses: Build, with: {kind: program}}
- {name: reset, tags: [std.Test: {desc: resets}], needs: [image], run: x}
- {name: boot_task, tags: [std.Test: {name: boot}], needs: [boot_image], run: x}
- {name: boot_image, needs: [image], run: x}
- name: fifo
  tags: [std.TestSuite]
  needs: [gate_image]
  strategy: {matrix: {name: [push, pop], view: "${{ views }}"}}
  body: [{name: t, run: x}]
- name: mapped
  tags: [std.TestSuite: {name: maps}]
  strategy: {matrix: {cfg: [{name: m1, n: 1}, {name: m2, n: 2}]}}
  body: [{name: t, run: x}]
- {name: sanity, uses: std.TestSuite, needs: [reset, boot_task]}
- {name: unit, uses: std.TestSuite, with: {name: units}, needs: [fifo, mapped]}
- {name: always, needs: [tool], run: x}
- {root: tests, uses: std.TestRunner, needs: [sanity, unit, always, needless]}
- {name: needless, run: x}
- {root: info, uses: std.TestInfo}
"""
ALWAYS = {"tests", "always", "tool", "needless"}


def built(project: Project, **params: str) -> set[str]:
    """The nodes of the runner with values as they come from a command line, without `demo.`."""
    definitions = [f"tests.{name}={value}" for name, value in params.items()]
    nodes = project.graph(FIELDS, "tests", D=definitions)
    return {name.removeprefix("demo.") for name in nodes.names}


def test_without_a_choice_all_are_built(project: Project) -> None:
    names = built(project)
    assert {"reset", "boot_task", "fifo.t_0_0", "fifo.t_1_1", "mapped.t_1", "image"} <= names
    assert names >= ALWAYS


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"tests": "reset"}, {"sanity", "reset", "image"}),
        ({"tests": "sanity.boot"}, {"sanity", "boot_task", "boot_image", "image"}),
        ({"tests": "sanity."}, {"sanity", "reset", "boot_task", "boot_image", "image"}),
        ({"tests": "sanity"}, {"sanity", "reset", "boot_task", "boot_image", "image"}),
        ({"tests": "r*,boot", "exclude": "boot"}, {"sanity", "reset", "image"}),
        ({"tests": "push", "views": "rtl"}, {"unit", "fifo", "fifo.in", "fifo.t_0_0", "gate_image"}),
        ({"tests": "units.maps.m2"}, {"unit", "mapped", "mapped.in", "mapped.t_1"}),
        ({"tests": ".sanity.**", "exclude": "reset"},
         {"sanity", "boot_task", "boot_image", "image"}),
        ({"exclude": "units."}, {"sanity", "reset", "boot_task", "boot_image", "image"}),
    ],
)  # fmt: skip
def test_what_is_not_chosen_and_what_only_that_needs_is_not_built(
    project: Project, params: dict[str, str], expected: set[str]
) -> None:
    assert built(project, **params) == ALWAYS | expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("reset", "sanity.reset", True),
        ("reset", "reset.a", True),
        ("reset", "sanity.resets", False),
        ("sanity.reset", "top.sanity.reset", True),
        (".sanity.reset", "top.sanity.reset", False),
        (".sanity.reset", "sanity.reset", True),
        ("sanity.", "sanity", False),
        ("sanity.", "top.sanity.a.b", True),
        ("r*t", "sanity.reset", True),
        ("san*set", "sanity.reset", False),
        ("san**set", "sanity.reset", True),
        ("*.reset", "sanity.reset", True),
        ("re.et", "reset", False),
        ("(", "a", False),
    ],
)
def test_a_pattern_means_a_test(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path.split(".")) is expected


@pytest.mark.parametrize(
    ("params", "fault", "hint"),
    [
        ({"tests": "rest"}, "demo.tests: no test matches `rest`", "did you mean `reset`?"),
        ({"views": "rlt"}, "demo.tests: no view `rlt`", "did you mean `rtl`?"),
        ({"exclude": "none"}, "demo.tests: no test matches `none`", ""),
        ({"tests": "reset", "exclude": "sanity"}, "demo.tests: no test is left by this selection", ""),
        ({"build_only": "std.FileSet:filetype=none"},
         "demo.tests: nothing that its tests need declares to produce std.FileSet:filetype=none", ""),
    ],
)  # fmt: skip
def test_a_choice_of_nothing_is_an_error(
    project: Project, params: dict[str, str], fault: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        built(project, **params)
    assert str(caught.value).startswith(fault)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("", {"image", "gate_image"}),
        ("boot", {"image"}),
        ("push", {"gate_image"}),
    ],
)
def test_only_what_tests_need_can_be_built(
    project: Project, tests: str, expected: set[str]
) -> None:
    more = {"tests": tests} if tests else {}
    assert built(project, build_only="std.FileSet:filetype=simDir", **more) == {"tests", *expected}


# Listing


def said(project: Project, *definitions: str) -> Said:
    (node,) = project.graph(FIELDS, "info", D=definitions).graph.nodes
    assert isinstance(node.work, Said)
    return node.work


def test_tests_are_listed_without_being_built(project: Project) -> None:
    assert said(project).text.splitlines() == [
        "demo.tests: 6 tests",
        "  sanity.reset     demo.reset",
        "  sanity.boot      demo.boot_task",
        "  units.fifo.push  demo.fifo  [rtl, gls]",
        "  units.fifo.pop   demo.fifo  [rtl, gls]",
        "  units.maps.m1    demo.mapped",
        "  units.maps.m2    demo.mapped",
    ]


def test_each_line_of_a_list_selects_one(project: Project) -> None:
    lines = said(project, "info.format=list").text.splitlines()
    assert lines[:3] == [".sanity.reset", ".sanity.boot", ".units.fifo.push"]
    for line in lines:
        assert said(project, "info.format=list", f"info.tests={line}").text == line


def test_each_instance_has_what_runs_it_alone(project: Project) -> None:
    made = said(project, "info.format=list", "info.instances=yes", "info.tests=fifo,reset")
    assert made.text.splitlines() == [
        "--tests .sanity.reset",
        "--tests .units.fifo.push --views rtl",
        "--tests .units.fifo.push --views gls",
        "--tests .units.fifo.pop --views rtl",
        "--tests .units.fifo.pop --views gls",
    ]


def test_as_json_it_is_in_a_file_too(project: Project) -> None:
    made = said(project, "info.json=true", "info.tests=fifo.push", "info.views=gls")
    data: Any = json.loads(made.text)
    assert made.files == {"tests-info.json": made.text}
    assert data == {
        "schema": 1, "target": "demo.tests", "test_key": "name", "view_axis": "view",
        "selection": {"tests": ["fifo.push"], "views": ["gls"], "exclude": []},
        "cases": 1, "views": ["gls"], "views_open": False,
        "tests": [{
            "path": "units.fifo.push", "name": "push", "task": "demo.fifo", "views": ["gls"],
            "views_open": False, "aliases": [], "selector": ".units.fifo.push",
        }],
    }  # fmt: skip


def test_as_yaml(project: Project) -> None:
    assert "- path: sanity.reset\n" in said(project, "info.format=yaml").text


def test_its_target_is_a_runner(project: Project) -> None:
    with pytest.raises(
        UsageError, match=r"demo\.info: its target demo\.sanity is no std\.TestRunner"
    ):
        said(project, "info.target=sanity")
