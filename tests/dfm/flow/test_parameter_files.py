"""Section 14.2: `-P`, a file or JSON text."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.dfm.flow.conftest import Project

FLOW = """
with:
  site: {type: str, value: home}
  n: {type: int, value: 1}
tasks:
- name: build
  run: "${{ site }}"
  with:
    top: {type: list, value: [a]}
    opts: {type: map}
    mode: {type: str, value: fast, values: [fast, slow]}
- {name: sim, needs: [build], with: {seed: {type: int, value: 1}}}
"""
VALUES: dict[str, Any] = {
    "package": {"site": "lab"},
    "tasks": {"build": {"top": ["x", "y"], "opts": {"k": 1}}, "demo.sim": {"seed": 3}},
}


def check(project: Project, source: str) -> None:
    nodes = project.graph(FLOW, "sim", P=[source])
    assert nodes.script("demo.build") == "lab"
    assert nodes["demo.build"].params == {"top": ["x", "y"], "opts": {"k": 1}, "mode": "fast"}
    assert nodes["demo.sim"].params == {"seed": 3}


def test_values_of_a_text_are_taken(project: Project) -> None:
    check(project, json.dumps(VALUES))
    check(project, "\n  " + json.dumps(VALUES, indent=1))


def test_values_of_a_file_are_taken(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text(json.dumps(VALUES))
    check(project, str(file))


def test_the_last_of_several_wins(project: Project) -> None:
    sources = ['{"package": {"site": "a", "n": 2}}', '{"package": {"site": "b"}}']
    assert project.graph(FLOW, "build", P=sources).script("demo.build") == "b"


@pytest.mark.parametrize("name", ["sim.seed", "demo.sim.seed", "seed"])
def test_a_definition_wins_over_a_file(project: Project, name: str) -> None:
    source = '{"tasks": {"sim": {"seed": 3}}}'
    nodes = project.graph(FLOW, "sim", P=[source], D=[f"{name}=4"])
    assert nodes["demo.sim"].params == {"seed": 4}


def test_a_definition_of_a_variable_wins_over_a_file(project: Project) -> None:
    nodes = project.graph(FLOW, "build", P=['{"package": {"site": "a"}}'], D=["site=b"])
    assert nodes.script("demo.build") == "b"


def test_values_are_not_converted(project: Project) -> None:
    fields = "tasks: [{name: t, with: {n: {type: float}, s: {type: str}}}]"
    source = '{"tasks": {"t": {"n": 3, "s": 4}}}'
    params = project.graph(fields, "t", P=[source])["demo.t"].params
    assert [type(value) for value in params.values()] == [int, int]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("{", "-P '{...}': not JSON: "),
        ("{]", "-P '{...}': not JSON: "),
        ('{"package": 3}', "-P '{...}': a JSON object is wanted, not the number 3"),
        ('{"tasks": []}', "-P '{...}': a JSON object is wanted, not a list"),
        ('{"tasks": {"sim": 3}}', "-P '{...}': a JSON object is wanted, not the number 3"),
        ('{"package": {"n": "x"}}', "-P '{...}': `n` must be an integer, not the text 'x'"),
        ('{"tasks": {"build": {"top": {}}}}', "-P '{...}': `build.top` must be a list, not a map"),
        ('{"tasks": {"build": {"mode": "x"}}}', "-P '{...}': `build.mode`: accepted are fast, slow"),
        ('{"package": {"site": "\\ud800"}}', "-P '{...}': not JSON: a text with half of a surrogate"),
        ('{"a":' * 300 + "1" + "}" * 300, "-P '{...}': nested more than 200 levels deep"),
        ('{"a":' * 100_000, "-P '{...}': nested more than 200 levels deep"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_text_is_an_error(project: Project, source: str, what: str) -> None:
    assert project.usage(FLOW, P=[source]).startswith(what)


def test_a_file_that_is_not_there_is_an_error(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    assert project.usage(FLOW, P=[str(file)]) == f"-P {file}: No such file or directory"
    assert project.usage(FLOW, P=[str(tmp_path)]) == f"-P {tmp_path}: Is a directory"


@pytest.mark.parametrize("content", [b"", b"[1]", b"not json", b"\xff{}"])
def test_a_file_of_something_else_is_an_error(
    project: Project, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "values.json"
    file.write_bytes(content)
    assert project.usage(FLOW, P=[str(file)]).startswith(f"-P {file}: ")


@pytest.mark.parametrize(
    ("source", "warning"),
    [
        ('{"packages": {}}', "-P '{...}': no `packages` (known are `package`, `tasks`)"),
        ('{"package": {"stie": 1}}',
         "-P '{...}': no package variable `stie` (did you mean `site`?)"),
        ('{"tasks": {"buidl": {}}}', "-P '{...}': no task `buidl` (did you mean `build`?)"),
        ('{"tasks": {"sim": {"sede": 1}}}',
         "-P '{...}': demo.sim has no `sede` (did you mean `seed`?)"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_a_warning(project: Project, source: str, warning: str) -> None:
    assert project.warnings(FLOW, "sim", P=[source]) == [warning]
