"""`summary`: a function of the user's reports when the run is over (section 26 of the language)."""

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {name: a, run: "echo '{\\"type\\": \\"std.FileSet\\", \\"filetype\\": \\"t\\"}' > $DFM_OUTPUT"}
  - {name: b, run: "exit 3"}
  - name: t
    needs: [a]
    passthrough: all
    summary: "report:tell"
    run: dfm-out warning careful
  - {root: u, uses: t}
  - {root: f, needs: [b], summary: "report:tell"}
  - {root: p, uses: t, summary: {builtin: task-summary}}
"""
TELL = """
def tell(run):
    tasks = [(node.name, result.status) for node, result in run.tasks]
    said = [marker.msg for marker in run.markers()]
    items = [item.filetype for item in run.output]
    return f"{run.root.name} {run.status} {tasks} {said} {items} {run.verbose}"
"""


def test_the_function_of_the_task_is_printed_in_place_of_the_summary(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.write("report.py", TELL)
    done = anywhere.dfm("run", "u")
    assert "p.u 0 [('p.a', 0), ('p.u', 0)] ['careful'] ['t'] False" in done.out
    assert "up-to-date" not in done.out
    assert "p.u 0 [('p.a', 0), ('p.u', 0)]" in anywhere.dfm("run", "-v", "u").out


def test_a_run_that_failed_is_reported_and_keeps_its_status(project: Project) -> None:
    project.flow(FLOW)
    project.write("report.py", TELL)
    done = project.dfm("run", "f")
    assert done.status == 1
    assert "p.f 1 [('p.b', 3), ('p.f', 0)] ['Command failed: status 3'] [] False" in done.out


def test_a_task_may_take_the_built_in_one_and_options_leave_it_out(project: Project) -> None:
    project.flow(FLOW)
    project.write("report.py", TELL)
    assert "up-to-date" in project.dfm("run", "p").out
    assert "p.u 0" not in project.dfm("run", "u", "--no-summary").out


def test_none_prints_nothing_and_the_built_in_one_can_be_had(project: Project) -> None:
    project.flow(FLOW)
    project.write("report.py", "def tell(run): return None\n")
    assert "total" not in project.dfm("run", "u").out
    project.write("report.py", "def tell(run): return 'mine ' + run.task_summary()\n")
    assert "mine nothing to do: 2 tasks up to date" in project.dfm("run", "u").out


def test_a_function_that_fails_is_a_warning_and_the_summary_is_printed(project: Project) -> None:
    project.flow(FLOW)
    project.write("report.py", "def tell(run): 1 / 0\n")
    done = project.dfm("run", "u")
    assert done.status == 0
    assert "`summary` of p.u failed: ZeroDivisionError" in done.err
    assert "report.py:1 in tell" in done.err
    assert "Traceback" not in done.err
    assert "total" in done.out
