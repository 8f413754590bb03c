"""`requires`: checks of the graph (section 26)."""

from pathlib import Path

import pytest

from dfm.engine import library
from dfm.graph.node import Library
from tests.dfm.flow.conftest import Project

IMPLEMENTED = "tasks:\n- {name: base, abstract: true, requires: [std.check.Implemented]}\n"


def test_a_task_with_a_script_a_body_a_need_or_an_item_is_implemented(project: Project) -> None:
    flow = f"""{IMPLEMENTED}- {{name: a, uses: base, run: x}}
- {{name: b, uses: base, body: [{{name: c}}]}}
- {{name: d, uses: base, needs: [a]}}
types:
- {{name: T, uses: std.DataItem}}
"""
    assert project.graph(flow, "a", "b", "d").goals == ["demo.a", "demo.b", "demo.d"]


def test_a_check_is_made_for_tasks_that_are_made_from_the_one_that_requires_it(
    project: Project,
) -> None:
    (fault,) = project.faults(f"{IMPLEMENTED}- {{name: x, uses: base}}\n", "x")
    assert fault == ("3:10: demo.x: it has no `run`, no body and no needs (required by demo.base)")


def test_only_nodes_of_the_graph_are_checked(project: Project) -> None:
    flow = f"{IMPLEMENTED}- {{name: x, uses: base}}\n- {{name: y, run: x}}\n"
    assert project.graph(flow, "y").names == ["demo.y"]


def test_a_body_task_whose_compound_needs_nothing_is_not_implemented_by_that(
    project: Project,
) -> None:
    flow = f"{IMPLEMENTED}- {{name: c, body: [{{name: x, uses: base}}]}}\n"
    (fault,) = project.faults(flow, "c")
    assert "demo.c.x: it has no `run`" in fault


NEEDS = """
tasks:
- {name: rtl, uses: std.FileSet, with: {type: verilog, base: .}}
- {name: lib, uses: rtl, with: {type: vhdl}}
- {name: all, needs: [rtl, lib]}
"""


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("", ""),
        ("min: 3", "it needs 2 tasks, and 3 or more are wanted"),
        ("min: 2", ""),
        ("max: 1", "it needs 2 tasks, and 1 or fewer are wanted"),
        ("max: -1", ""),
        ("named: [all, demo.lib]", ""),
        ("named: [all, rtl]", "it needs no task `rtl`"),
        ("produces: std.FileSet", ""),
        ("produces: {type: std.FileSet, filetype: verilog}", ""),
        ("produces: {type: std.FileSet, filetype: vhdl}", ""),
        (
            "produces: {type: std.FileSet, filetype: c}",
            "nothing that it needs declares to produce {type: std.FileSet, filetype: c}",
        ),
        ("produces: std.Env", "nothing that it needs declares to produce {type: std.Env}"),
        ("min: 9, severity: off", ""),
        ("min: 9, severity: 'off'", ""),
        ("min: '${{ n }}'", "it needs 2 tasks, and 3 or more are wanted"),
    ],
)
def test_what_a_task_needs_can_be_required(project: Project, fields: str, fault: str) -> None:
    flow = f"""{NEEDS}- name: t
  needs: [all, lib]
  with: {{n: {{type: int, value: 3}}}}
  requires: [std.check.Needs: {{{fields}}}]
"""
    if fault:
        (found,) = project.faults(flow, "t")
        assert found == f"5:9: demo.t: {fault} (required by demo.t)"
    else:
        assert project.graph(flow, "t").goals == ["demo.t"]


def test_a_product_of_a_derived_type_is_one_of_its_base(project: Project) -> None:
    flow = """
types: [{name: Image, uses: std.FileSet}]
tasks:
- {name: a, run: x, produces: [{type: demo.Image}]}
- {name: t, needs: [a], requires: [std.check.Needs: {produces: std.FileSet}]}
"""
    assert project.graph(flow, "t").goals == ["demo.t"]


def test_an_item_of_a_data_type_is_a_product(project: Project) -> None:
    flow = """
types: [{name: Opts, uses: std.DataItem, with: {o: {type: int}}}]
tasks:
- {name: a, uses: Opts, with: {o: 2}}
- {name: t, needs: [a], requires: [std.check.Needs: {produces: {type: demo.Opts, o: 2}}]}
"""
    assert project.graph(flow, "t").goals == ["demo.t"]


def test_the_nearest_check_of_a_type_and_id_counts(project: Project) -> None:
    flow = """
tasks:
- {name: base, run: x, requires: [std.check.Needs: {min: 1}, std.check.Needs: {min: 2, id: two}]}
- {name: t, uses: base, requires: [std.check.Needs: {min: 0}]}
"""
    (fault,) = project.faults(flow, "t")
    assert "2 or more are wanted (required by demo.base)" in fault


def test_a_hint_is_printed_and_a_warning_stops_nothing(project: Project) -> None:
    flow = """
tasks:
- {name: t, run: x, requires: [std.check.Needs: {hint: needs a design, severity: warning}]}
"""
    assert project.warnings(flow, "t") == [
        "2:10: demo.t: it needs 0 tasks, and 1 or more are wanted (required by demo.t) (needs a design)"
    ]


OWN = """
types: [{name: Named, uses: std.Check, check: 'checks:named', with: {start: {type: str, value: t}}}]
tasks: [{name: t, run: x, with: {n: {type: int, value: 1}}, requires: [Named]},
        {name: u, run: x, needs: [t], requires: [Named: {start: u}]}]
"""


def own(project: Project, body: str) -> str:
    (project.folder / "checks.py").write_text(f"def named(ctxt):\n    {body}\n")
    return OWN


def test_a_check_is_a_function_of_the_users(project: Project, tmp_path: Path) -> None:
    flow = own(project, "ctxt.error(f'{ctxt.name} {ctxt.params} {len(ctxt.node.needs)}')")
    (first, second) = project.faults(flow, "u")
    assert "demo.u: demo.u {'severity': 'error', 'id': '', 'hint': '', 'start': 'u'} 1" in first
    assert "demo.t: demo.t" in second
    assert "'start': 't'} 0" in second


def test_a_check_of_the_users_may_warn(project: Project) -> None:
    assert len(project.warnings(own(project, "ctxt.warning('hm')"), "u")) == 2


def test_a_check_that_raises_is_a_fault_with_the_users_frames(project: Project) -> None:
    (fault,) = project.faults(own(project, "ctxt.params['x']"), "t")
    assert fault.startswith("2:72: check demo.Named of demo.t failed: KeyError: 'x' (")
    assert fault.endswith(f"{project.folder}/checks.py:2 in named: ctxt.params['x'])")


@pytest.mark.parametrize(
    ("requires", "fault"),
    [
        ("[std.Check]", "`std.Check` checks nothing: its type has no `check`"),
        ("[std.FileSet]", "`std.FileSet` is no check: it does not derive from std.Check"),
        ("[Nope]", "no type `Nope`"),
        ("[std.check.Needs: {mni: 1}]", "check std.check.Needs has no field `mni`"),
        ("std.check.Needs", "`requires` must be a list"),
        ("[{a: {}, b: {}}]", "a check is a type, or a map of one type to its fields"),
        ("[std.check.Needs: {severity: bad}]", "`severity` must be one of error, warning, off"),
    ],
)
def test_what_is_wrong_with_requires_is_a_fault(
    project: Project, requires: str, fault: str
) -> None:
    (found, *_) = project.faults(f"tasks: [{{name: t, run: x, requires: {requires}}}]", "t")
    assert fault in found


def test_a_function_that_is_not_there_is_a_fault(project: Project) -> None:
    flow = "types: [{name: C, uses: std.Check, check: 'no.such:f'}]\n"
    (fault,) = project.faults(f"{flow}tasks: [{{name: t, run: x, requires: [C]}}]", "t")
    assert "check demo.C of demo.t failed: no Python module `no.such` on the path" in fault


def test_a_task_that_the_project_does_not_provide_fails_and_says_so(project: Project) -> None:
    flow = "tasks: [{name: t, uses: std.NotProvided}, {name: u, uses: t, run: x}]"
    graph = project.graph(flow, "t", "u")
    work = graph["demo.t"].work
    assert work == Library("NotProvided")
    done = library.run("NotProvided", graph["demo.t"], [], "")
    assert (done.status, done.markers[0].message) == (1, "the project does not provide demo.t")
    assert graph.script("demo.u") == "x"
    loaded = project.load(flow)
    assert [loaded.is_provided(task) for task in loaded.program.root.tasks.values()] == [
        False,
        True,
    ]
