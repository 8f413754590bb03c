"""What `dfm validate` warns of in a flow without faults (section 37.2)."""

from typing import Any

from dfm.flow.findings import counts, findings
from tests.dfm.flow.conftest import Project


def found(project: Project, tasks: str) -> list[dict[str, Any]]:
    """The findings without their messages, which are there."""
    flow = project.load(tasks)
    all_of_them = findings(flow.catalog, flow.products)
    assert all(finding.pop("message") for finding in all_of_them)
    return all_of_them


def test_a_task_that_is_no_root_and_that_nobody_needs_or_uses_is_unused(project: Project) -> None:
    flow = """
    tasks:
    - {root: a, needs: [b], body: [{name: inner, needs: [c]}, {name: other, uses: d}]}
    - {name: b}
    - {name: c}
    - {name: d}
    - {name: e, feeds: [a]}
    - {name: f}
    - {export: g}
    """
    assert [finding["task"] for finding in found(project, flow)] == ["demo.f", "demo.g"]


def test_consumers_and_producers_that_cannot_meet(project: Project) -> None:
    flow = """
    tasks:
    - {name: rtl, produces: [{type: std.FileSet, filetype: verilog}]}
    - {name: silent}
    - {name: nothing, produces: []}
    - root: sim
      needs: [rtl, silent, nothing]
      run: x
      consumes: [{type: std.FileSet, filetype: vhdl}]
    - root: lint
      needs: [rtl]
      run: x
      consumes: [{type: std.FileSet}]
    """
    assert found(project, flow) == [
        {"type": "DataflowMismatch", "producer": "demo.rtl", "consumer": "demo.sim"}
    ]


def test_what_is_produced_is_compared_with_its_values(project: Project) -> None:
    flow = """
    types:
    - {name: Note, uses: std.DataItem, with: {kind: {type: str, value: short}}}
    tasks:
    - {name: sv, uses: std.FileSet, with: {type: systemVerilogSource}}
    - {name: made, with: {k: {type: str, value: vhdl}}, produces: [{type: std.FileSet, filetype: "${{ k }}"}]}
    - {name: note, uses: Note}
    - {name: other, run: x, produces: [{type: Note, kind: long}]}
    - {name: late, run: x, with: {k: {type: str, value: "${{ inputs | length }}"}}, produces: [{type: std.FileSet, filetype: "${{ k }}"}]}
    - {root: a, needs: [sv, made, note, other, late], run: x, consumes: [{type: std.FileSet, filetype: vhdl}]}
    - {root: b, needs: [note, other], run: x, consumes: [{type: demo.Note, kind: long}]}
    """
    pairs = [(one["producer"], one["consumer"]) for one in found(project, flow)]
    assert pairs == [
        ("demo.sv", "demo.a"), ("demo.note", "demo.a"), ("demo.other", "demo.a"),
        ("demo.note", "demo.b"),
    ]  # fmt: skip


def test_what_passes_through_a_need_counts_as_coming_from_it(project: Project) -> None:
    flow = """
    tasks:
    - {name: vhdl, uses: std.FileSet, with: {type: vhdl}}
    - {name: sv, uses: std.FileSet, with: {type: sv}, needs: [vhdl]}
    - {name: unknown, run: x, consumes: none}
    - {name: more, uses: std.FileSet, with: {type: sv}, needs: [unknown]}
    - {name: eats, run: x, needs: [vhdl], consumes: all, produces: [{type: std.FileSet, filetype: sv}]}
    - {root: a, needs: [sv, more, eats], run: x, consumes: [{filetype: vhdl}]}
    """
    pairs = [(one["producer"], one["consumer"]) for one in found(project, flow)]
    assert pairs == [("demo.eats", "demo.a")]


def test_a_script_that_does_not_say_what_it_consumes(project: Project) -> None:
    flow = """
    tasks:
    - {name: rtl, produces: [std.FileSet]}
    - {root: sim, needs: [rtl], run: x}
    - {root: all, needs: [rtl], run: x, consumes: all}
    - {root: group, needs: [rtl]}
    """
    assert found(project, flow) == [
        {"type": "UndeclaredConsumes", "task": "demo.sim", "producer": "demo.rtl"}
    ]


def test_what_is_inherited_counts(project: Project) -> None:
    flow = """
    tasks:
    - {root: base, consumes: [{type: demo.X}], run: x}
    - {name: rtl, produces: [std.FileSet]}
    - {name: rtl2, uses: rtl}
    - {root: sim, uses: base, needs: [rtl2]}
    """
    assert found(project, flow) == [
        {"type": "DataflowMismatch", "producer": "demo.rtl2", "consumer": "demo.sim"}
    ]


def test_the_package_is_counted(project: Project) -> None:
    flow = "tasks: [{root: a, body: [{name: b}]}, {root: c}]\ntypes: [{name: T}]"
    assert counts(project.load(flow).catalog) == [
        {"type": "PackageInfo", "name": "demo", "task_count": 2, "type_count": 1}
    ]
