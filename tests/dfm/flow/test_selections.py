"""Section 17: how `consumes`, `passthrough` and `produces` are written."""

import pytest

from dfm.graph.node import Selection
from tests.dfm.flow.conftest import Project


@pytest.mark.parametrize(
    ("written", "selection"),
    [
        ("all", "all"),
        ("none", "none"),
        ("[]", []),
        ("[std.FileSet]", [{"type": "std.FileSet"}]),
        ("[{type: a, filetype: b}, c]", [{"type": "a", "filetype": "b"}, {"type": "c"}]),
        ("[{n: 1, l: [x]}]", [{"n": 1, "l": ["x"]}]),
        ("", "all"),
    ],
)
def test_consumes_is_a_word_or_patterns(
    project: Project, written: str, selection: Selection
) -> None:
    node = project.graph(f"tasks:\n- name: t\n  run: x\n  consumes: {written}", "t")["demo.t"]
    assert node.consumes == selection


@pytest.mark.parametrize(
    ("written", "selection"),
    [
        ("all", "all"),
        ("none", "none"),
        ("unused", "unused"),
        ("[a]", [{"type": "a"}]),
        ("", "unused"),
    ],
)
def test_passthrough_is_a_word_or_patterns(
    project: Project, written: str, selection: Selection
) -> None:
    node = project.graph(f"tasks:\n- name: t\n  run: x\n  passthrough: {written}", "t")["demo.t"]
    assert node.passthrough == selection


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("consumes: unused", "3:13: `unused` is not one of all, none"),
        ("consumes: {type: a}", "3:3: must be a list of patterns, not a map"),
        ("consumes: 3", "3:13: must be a list of patterns, not the number 3"),
        ("consumes: [3]", "3:14: element 1 of `consumes` must be a map, not the number 3"),
        ("passthrough: some", "3:16: `some` is not one of all, none, unused"),
        ("passthrough: false", "3:16: must be a list of patterns, not the boolean false"),
        ("produces: a", "3:13: must be a list of patterns, not the text 'a'"),
        ("produces: [[a]]", "3:14: element 1 of `produces` must be a map, not a list"),
        ("rundir: own", "3:11: `own` is not one of unique, inherit"),
        ("uptodate: 3", "3:13: `uptodate` must be text, not the number 3"),
    ],
)
def test_anything_else_is_a_fault(project: Project, field: str, fault: str) -> None:
    (found,) = project.faults(f"tasks:\n- name: t\n  {field}")
    assert found.startswith(fault)


def test_produces_may_use_the_parameters_of_the_task(project: Project) -> None:
    fields = """
    tasks:
    - name: t
      run: x
      with: {kind: {type: str, value: verilog}}
      produces: [{type: std.FileSet, filetype: "${{ kind }}"}, std.Env]
    - {name: u, uses: t, with: {kind: vhdl}}
    """
    nodes = project.graph(fields, "t", "u")
    assert nodes["demo.t"].produces == [
        {"type": "std.FileSet", "filetype": "verilog"}, {"type": "std.Env"},
    ]  # fmt: skip
    assert (nodes["demo.u"].produces or [])[0]["filetype"] == "vhdl"


def test_nothing_produced_is_not_the_same_as_nothing_said(project: Project) -> None:
    fields = "tasks:\n- {name: t, run: x}\n- {name: u, run: x, produces: []}"
    nodes = project.graph(fields, "t", "u")
    assert (nodes["demo.t"].produces, nodes["demo.u"].produces) == (None, [])


def test_patterns_of_consumes_are_plain_data(project: Project) -> None:
    fields = "tasks:\n- {name: t, run: x, consumes: [{kind: '${{ x }}'}]}"
    assert project.graph(fields, "t")["demo.t"].consumes == [{"kind": "${{ x }}"}]
