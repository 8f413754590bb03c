"""Section 9: types, and tasks that emit items of them."""

import pytest

from dfm.graph.node import Emit, Nothing
from tests.dfm.flow.conftest import RUNDIR, Nodes, Project

SIM = """
types:
- name: SimOpts
  uses: std.DataItem
  doc: Options of a simulation
  with:
    args: {type: list, value: []}
    seed: {type: int, value: 1}
- name: DebugOpts
  uses: SimOpts
  with:
    args: {append: ["--debug"]}
    extra: {type: str, value: "s${{ seed }}"}
tasks:
- name: dbg
  uses: DebugOpts
  with: {seed: 7}
- name: more
  uses: dbg
  with: {args: {prepend: [-x]}, own: {type: bool, value: true}}
"""


def test_a_task_emits_an_item_whose_fields_are_its_parameters(project: Project) -> None:
    node = project.graph(SIM, "dbg")["demo.dbg"]
    assert node.work == Emit("demo.DebugOpts")
    assert node.params == {"args": ["--debug"], "seed": 7, "extra": "s7"}


def test_a_derived_task_emits_the_same_type_and_may_add_to_it(project: Project) -> None:
    node = project.graph(SIM, "more")["demo.more"]
    assert node.work == Emit("demo.DebugOpts")
    assert node.params == {"args": ["-x", "--debug"], "seed": 7, "extra": "s7", "own": True}


def test_the_registered_types_come_with_their_defaults(project: Project) -> None:
    types = project.graph(SIM, "dbg").graph.types
    assert types["demo.SimOpts"] == {"args": [], "seed": 1}
    assert types["demo.DebugOpts"] == {"args": ["--debug"], "seed": 1, "extra": "s1"}
    assert types["std.FileSet"] == {
        "filetype": "", "basedir": "", "files": [], "incdirs": [], "defines": [], "attributes": [],
    }  # fmt: skip


def test_tags_are_no_item_types(project: Project) -> None:
    types = project.graph(SIM, "dbg").graph.types
    assert "std.Tag" not in types
    assert "std.Stable" not in types


def test_a_type_of_the_library_is_a_base_too(project: Project) -> None:
    node = project.graph("tasks: [{name: t, uses: std.Env, with: {vals: {A: b}}}]", "t")["demo.t"]
    assert node.work == Emit("std.Env")
    assert node.params == {"vals": {"A": "b"}, "append_path": {}, "prepend_path": {}}


def test_a_field_that_the_type_does_not_have_is_a_fault(project: Project) -> None:
    fields = SIM + "- {name: bad, uses: DebugOpts, with: {sede: 3}}"
    (fault,) = project.faults(fields)
    assert fault == (
        "20:39: task demo.bad has no parameter `sede`, nor has demo.DebugOpts, which it uses "
        "(did you mean `seed`?)"
    )


@pytest.mark.parametrize(
    ("types", "faults"),
    [
        ("- {name: A, uses: B}", ["2:19: no type `B`"]),
        ("- {name: A, uses: A}", ["2:19: `demo.A` uses itself"]),
        ("- {name: A}\n- {name: A}", ["3:10: type `demo.A` is declared twice (first at "]),
        ("- {uses: A}", ["2:3: `name` must be text, not nothing"]),
        ("- {name: A, with: {x: {type: nope}}}", ["2:30: `nope` is no type of a parameter"]),
        ("- {name: A, with: {x: {type: int, value: y}}}", ["2:20: `x` must be an integer"]),
        ("- {name: A, with: {x: {type: str, value: '${{ y }}'}}}",
         ["2:47: field `x` of demo.A: `y` is not defined"]),
        ("- {name: A, with: {x: 3}}", ["2:20: type demo.A has no parameter `x`"]),
        ("- A", ["2:3: element 1 of `types` must be a map, not the text 'A'"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_type_is_a_fault_of_loading(
    project: Project, types: str, faults: list[str]
) -> None:
    found = project.faults(f"types:\n{types}")
    assert len(found) == len(faults)
    for one, start in zip(found, faults, strict=True):
        assert one.startswith(start)


def test_types_in_a_circle_are_faults_that_name_them(project: Project) -> None:
    found = project.faults("types:\n- {name: A, uses: B}\n- {name: B, uses: A}")
    assert any("demo.A -> demo.B -> demo.A" in fault for fault in found)


def test_a_field_of_a_type_that_is_unknown_is_a_warning(project: Project) -> None:
    fields = "types: [{name: A, uses: std.DataItem, wiht: {}}]"
    assert project.warnings(fields) == [
        "1:39: a type has no field `wiht`; it is ignored (did you mean `with`?)"
    ]


def test_a_type_without_a_base_is_one_of_data(project: Project) -> None:
    fields = "types: [{name: Plain, with: {x: {type: int}}}]\ntasks: [{name: t, uses: Plain}]"
    nodes = Nodes(project.load(fields).graph(["t"], RUNDIR))
    assert nodes.graph.types["demo.Plain"] == {"x": 0}
    assert nodes["demo.t"].params == {"x": 0}


def test_a_tag_makes_no_item_type(project: Project) -> None:
    nodes = Nodes(
        project.load("types: [{name: Mark, uses: std.Tag}]\ntasks: [{name: t}]").graph(
            ["t"], RUNDIR
        )
    )
    assert "demo.Mark" not in nodes.graph.types


def test_a_task_without_implementation_does_nothing_and_consumes_all(project: Project) -> None:
    node = project.graph("tasks: [{name: t}]", "t")["demo.t"]
    assert (node.work, node.consumes, node.passthrough) == (Nothing(), "all", "unused")
