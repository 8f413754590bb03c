"""Expressions over `inputs` and `memento`, which are known when a task runs (section 15.7)."""

import pytest

from dfm.errors import FlowError
from dfm.graph.node import Emit, Script
from tests.dfm.flow.conftest import Project

FLOW = """
tasks:
- name: t
  with:
    n: {type: int, value: "${{ inputs | length }}"}
    twice: {type: int, value: "${{ n * 2 }}"}
    plain: {type: str, value: x}
    files: {type: list, value: "${{ inputs | by_type('std.FileSet') | paths }}"}
    last: {type: int, value: "${{ memento.count if memento else 0 }}"}
  run: echo ${{ twice }} ${{ this.plain }} ${{ inputs | first }}
"""


def test_what_needs_inputs_is_worked_out_when_they_are_there(project: Project) -> None:
    node = project.graph(FLOW, "t")["demo.t"]
    assert node.params == {"plain": "x"}
    assert node.finish is not None
    items = [{"type": "std.FileSet", "basedir": "/r", "files": ["a.v"]}, {"type": "p.N"}]
    params, work = node.finish(items, {"count": 7})  # type: ignore[arg-type]
    assert params == {"n": 2, "twice": 4, "plain": "x", "files": ["/r/a.v"], "last": 7}
    assert isinstance(work, Script)
    assert work.text.startswith('echo 4 x {"type": "std.FileSet"')
    _, other = node.finish([], None)
    assert isinstance(other, Script)
    assert other.run_hash != work.run_hash


def test_a_data_item_may_have_them(project: Project) -> None:
    flow = """
    types: [{name: T, uses: std.DataItem, with: {n: {type: int}}}]
    tasks: [{name: t, uses: T, with: {n: "${{ inputs | length }}"}}]
    """
    node = project.graph(flow, "t")["demo.t"]
    assert node.finish is not None
    assert node.finish([{"type": "x"}], None) == ({"n": 1}, Emit("demo.T"))


def test_a_parameter_or_variable_of_that_name_is_meant_first(project: Project) -> None:
    flow = """
    with: {memento: {type: str, value: v}}
    tasks:
    - {name: t, with: {inputs: {type: str, value: p}}, run: "${{ inputs }} ${{ memento }}"}
    """
    made = project.graph(flow, "t")
    node = made["demo.t"]
    text = made.script("demo.t")
    if node.finish is not None:
        work = node.finish([], None)[1]
        assert isinstance(work, Script)
        text = work.text
    assert text == "p v"


def test_what_is_wrong_then_is_said_with_its_place(project: Project) -> None:
    flow = "tasks: [{name: t, with: {n: {type: int, value: '${{ inputs[0].nope }}'}}}]"
    node = project.graph(flow, "t")["demo.t"]
    assert node.finish is not None
    with pytest.raises(FlowError) as caught:
        node.finish([{"type": "x"}], None)
    (problem,) = caught.value.problems
    assert "there is no `nope`" in problem.what
    assert problem.place is not None


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("iff: '${{ inputs }}'", "only parameters and scripts can use it"),
        ("needs: ['${{ inputs }}']", "only parameters and scripts can use it"),
        ("body: [{name: b, run: '${{ n }}'}]", "is known when the task runs, and not before"),
    ],
)
def test_what_the_graph_depends_on_cannot_use_them(project: Project, field: str, what: str) -> None:
    flow = (
        "tasks: [{name: t, with: {n: {type: int, value: '${{ inputs | length }}'}}, "
        f"{field}}}]"
    )
    (said,) = project.faults(flow, "t")
    assert what in said
