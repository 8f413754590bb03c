"""What `dfm validate` warns of in a flow without faults (section 37.2)."""

from typing import Any

from dfm.flow.findings import counts, findings
from tests.dfm.flow.conftest import Project


def found(project: Project, tasks: str) -> list[dict[str, Any]]:
    """The findings without their messages, which are there."""
    all_of_them = findings(project.load(tasks).catalog)
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
    - {name: c, with: {k: {type: str}}, produces: [{type: std.FileSet, filetype: "${{ k }}"}]}
    - {name: silent}
    - {name: nothing, produces: []}
    - root: sim
      needs: [rtl, c, silent, nothing]
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
