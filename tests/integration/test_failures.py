"""Section 28 of the language: what fails, what a failure stops, and what is told of it."""

import json
from typing import Any

import pytest

from tests.integration.conftest import Project, until

ALL = "  - {root: all, needs: [%s], run: 'true'}\n"


def tasks(**scripts: str) -> str:
    """A package of these tasks, and `all`, which needs them."""
    lines = [f'  - {{name: {name}, run: "{script}"}}\n' for name, script in scripts.items()]
    return "  tasks:\n" + "".join(lines) + ALL % ", ".join(scripts)


def has_record(project: Project, node: str) -> bool:
    return (project.folder / f"rundir/{node}/{node}.exec_data.json").exists()


# What counts as a failure


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("exit 3", 3, "status 3"),
        ("kill -9 $$", -9, "killed by SIGKILL (signal 9)"),
        ("no-such-command", 127, "status 127"),
        ("false; true", 0, ""),
        ("dfm-out error bad --file a.v --line 3", 0, ""),
    ],
)
def test_the_exit_status_of_a_script_decides_and_markers_do_not(
    anywhere: Project, script: str, status: int, words: str
) -> None:
    anywhere.flow(tasks(t=script))
    done = anywhere.dfm("run", "t")
    assert done.status == (1 if status else 0)
    result = anywhere.record("p.t")["result"]
    assert result["status"] == status
    if status:
        assert result["markers"][-1] == {
            "msg": f"Command failed: {words}", "severity": "error", "loc": None,
        }  # fmt: skip


def test_an_exception_of_a_python_task_is_status_1(anywhere: Project) -> None:
    anywhere.flow("  tasks:\n  - {root: t, shell: pytask, run: 'raise ValueError(\"no luck\")'}\n")
    assert anywhere.dfm("run", "t").status == 1
    assert anywhere.record("p.t")["result"]["status"] == 1


def test_the_failure_is_an_item_in_the_record_of_the_task(project: Project) -> None:
    project.flow(tasks(t="dfm-out item --type std.DataItem; dfm-out warning odd; exit 4"))
    project.dfm("run", "t")
    *_, last = project.record("p.t")["output"]["output"]
    assert (last["type"], last["task_name"], last["status"]) == ("std.TaskFailure", "p.t", 4)
    assert (last["src"], last["seq"]) == ("p.t", 1)
    said = [(marker["severity"], marker["msg"]) for marker in last["markers"]]
    assert said[-1] == ("error", "Command failed: status 4")
    assert ("warning", "odd") in said


# What it stops


SLOW = """
  tasks:
  - {name: bad, run: 'while [ ! -e ../../on ]; do sleep 0.02; done; exit 1'}
  - {name: slow, run: 'touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done'}
  - {name: later, run: 'true'}
  - {name: after, needs: [bad], run: 'true'}
  - {root: all, needs: [bad, slow, later, after], run: 'true'}
"""


def test_after_a_failure_nothing_is_started_and_what_runs_is_finished(project: Project) -> None:
    project.flow(SLOW)
    run = project.start("run", "all", "-j", "2")
    until(lambda: has_record(project, "p.bad"))
    project.write("go", "")
    done = project.end(run)
    assert done.status == 1
    assert done.executed() == {"p.bad", "p.slow"}
    assert project.record("p.slow")["result"]["status"] == 0
    assert not any(has_record(project, node) for node in ("p.later", "p.after", "p.all"))
    assert done.counts() == {"total": 5, "done": 1, "up-to-date": 0, "failed": 1, "skipped": 3}
    project.write("flow.yaml", project.read("flow.yaml").replace("; exit 1", ""))
    again = project.ok("run", "all")
    assert again.executed() == {"p.bad", "p.later", "p.after", "p.all"}
    assert again.counts()["up-to-date"] == 1


@pytest.mark.parametrize("keeps_going", ["-k", "--keep-going", "configuration"])
def test_keeping_going_skips_dependents_only(project: Project, keeps_going: str) -> None:
    project.flow(SLOW)
    project.write("on", "")
    project.write("go", "")
    words = [keeps_going]
    if keeps_going == "configuration":
        project.write(".dfm/config.yaml", "run:\n  keep_going: true\n")
        words = []
    done = project.dfm("run", "all", *words)
    assert done.status == 1
    assert done.executed() == {"p.bad", "p.slow", "p.later"}
    assert not any(has_record(project, node) for node in ("p.after", "p.all"))


def test_an_older_record_of_what_is_skipped_is_left_alone(project: Project) -> None:
    project.flow(
        "  with: {status: {type: int, value: 0}}\n"
        "  tasks:\n"
        "  - {name: a, run: 'exit ${{ status }}'}\n"
        "  - {root: b, needs: [a], run: 'true'}\n"
    )
    project.ok("run", "b")
    before = project.read("rundir/p.b/p.b.exec_data.json")
    assert project.dfm("run", "b", "-D", "status=2").status == 1
    assert project.read("rundir/p.b/p.b.exec_data.json") == before
    assert project.record("p.a")["result"]["status"] == 2


# What is shown


def test_a_failure_is_shown_with_its_task_marker_log_and_last_lines(project: Project) -> None:
    project.flow(tasks(bad="for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; exit 7"))
    done = project.dfm("run", "bad")
    log = "rundir/p.bad/p.bad.log"
    assert "E p.bad: Command failed: status 7" in done.out
    assert f"<< [1] Task p.bad FAILED: status 7, see {log}" in done.out
    summary = done.out[done.out.index("FAILED p.bad: ") :]
    assert "status 7" in summary
    assert f"log: {log}" in summary
    assert "| line 9" in summary
    assert "| line 4" not in summary


# Compounds that contain failures


def compound(fields: str, **scripts: str) -> str:
    """A task `c` with this body and these fields, and `after`, which needs it."""
    body = "".join(f"    - {{name: {name}, {script}}}\n" for name, script in scripts.items())
    return (
        f"  tasks:\n  - name: c\n    {fields}\n    body:\n{body}"
        "  - {root: after, needs: [c], run: 'cp $DFM_INPUTS seen'}\n"
        "  - {root: beside, run: 'true'}\n"
        "  - {root: all, needs: [c, beside], run: 'true'}\n"
    )


BODY = {
    "a": "run: 'exit 2'",
    "b": "needs: [a], run: 'true'",
    "d": "run: 'dfm-out item --type std.DataItem k=d'",
    "e": "needs: [d], run: 'dfm-out item --type std.DataItem k=e'",
}
JUDGE = """
import json
from dv_flow.mgr import TaskDataResult

async def see(ctxt, input):
    subtasks = [[s.name, s.status, s.skipped] for s in input.subtasks]
    failures = [i.task_name for i in input.inputs if i.type == "std.TaskFailure"]
    ctxt.create("judged.json", json.dumps([subtasks, failures]))
    return TaskDataResult(status=%d)
"""


def judged(project: Project) -> Any:
    subtasks, failures = json.loads(project.read("rundir/p.c/judged.json"))
    return {name: (status, skipped) for name, status, skipped in subtasks}, failures


@pytest.mark.parametrize("fields", ["desc: x", "max_failures: -1", "max_failures: 0"])
def test_without_a_limit_a_compound_fails_fast(project: Project, fields: str) -> None:
    project.flow(compound(fields, **BODY))
    done = project.dfm("run", "after", "-j", "1")
    assert done.status == 1
    assert done.executed() == {"p.c.a"}


def test_max_failures_lets_siblings_run_and_the_compound_fails(project: Project) -> None:
    project.flow(compound("max_failures: 2", **BODY))
    done = project.dfm("run", "after", "-j", "1")
    assert done.status == 1
    assert done.executed() == {"p.c.a", "p.c.d", "p.c.e"}
    assert project.record("p.c")["result"]["status"] == 1
    assert not has_record(project, "p.after")


def test_max_failures_is_how_many_it_takes_to_stop(project: Project) -> None:
    bad = {f"t{number}": "run: 'exit 1'" for number in range(5)}
    project.flow(compound("max_failures: 3", **bad))
    done = project.dfm("run", "c", "-j", "1")
    assert len(done.executed()) == 3
    assert done.counts()["skipped"] == 2


@pytest.mark.parametrize("function", ["judge:see", "judge.see"])
@pytest.mark.parametrize("status", [0, 5])
def test_on_error_sees_all_and_says_what_the_compound_comes_to(
    anywhere: Project, function: str, status: int
) -> None:
    anywhere.flow(compound(f"on_error: '{function}'", **BODY))
    anywhere.write("judge.py", JUDGE % status)
    done = anywhere.dfm("run", "after")
    subtasks, failures = judged(anywhere)
    assert subtasks == {
        "p.c.a": (2, False), "p.c.b": (0, True), "p.c.d": (0, False), "p.c.e": (0, False),
    }  # fmt: skip
    assert failures == ["p.c.a"], "also of a task that nothing outside of the body follows"
    assert anywhere.record("p.c")["result"]["status"] == status
    assert has_record(anywhere, "p.after") == (status == 0)
    assert done.status == 1, "a task has failed"
    if status == 0:
        seen = json.loads(anywhere.read("rundir/p.after/seen"))
        assert [item.get("k", item["type"]) for item in seen] == ["e", "std.TaskFailure"]


def test_on_error_is_called_when_nothing_failed_too(project: Project) -> None:
    project.flow(compound("on_error: 'judge:see'", a="run: 'true'"))
    project.write("judge.py", JUDGE % 0)
    project.ok("run", "after")
    assert judged(project) == ({"p.c.a": (0, False)}, [])
    assert "nothing to do" in project.ok("run", "after").out


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2), (0, 4), (-1, 4)])
def test_max_failures_and_on_error_together(project: Project, limit: int, count: int) -> None:
    bad = {f"t{number}": "run: 'exit 1'" for number in range(4)}
    project.flow(compound(f"on_error: 'judge:see'\n    max_failures: {limit}", **bad))
    project.write("judge.py", JUDGE % 0)
    project.dfm("run", "after", "-j", "1")
    subtasks, failures = judged(project)
    assert len(failures) == count
    assert sorted(subtasks.values()) == [(0, True)] * (4 - count) + [(1, False)] * count
    assert has_record(project, "p.after")


def test_failures_in_a_compound_do_not_stop_what_is_outside(project: Project) -> None:
    project.flow(compound("on_error: 'judge:see'", a="run: 'exit 1'"))
    project.write("judge.py", JUDGE % 0)
    done = project.dfm("run", "all", "-j", "1")
    assert done.status == 1
    assert done.executed() == {"p.c.a", "p.c", "p.beside", "p.all"}


def test_an_on_error_that_raises_fails_its_compound(project: Project) -> None:
    project.flow(compound("on_error: 'judge:see'", a="run: 'true'"))
    project.write("judge.py", "def see(ctxt, input):\n    raise ValueError('what now')\n")
    done = project.dfm("run", "after")
    assert done.status == 1
    assert "what now" in done.out
    assert not has_record(project, "p.after")


# The same of loops and branches


LOOP = "control: {type: repeat, count: 4}\n    on_error: 'judge:see'"
TIMES = "run: 'test ${{ _iter }} != 2 && dfm-out item --type std.DataItem k=${{ _iter }}'"


@pytest.mark.parametrize("status", [0, 5])
def test_on_error_of_a_loop_sees_the_iterations_that_there_were(
    anywhere: Project, status: int
) -> None:
    anywhere.flow(compound(LOOP, a=TIMES))
    anywhere.write("judge.py", JUDGE % status)
    assert anywhere.dfm("run", "after").status == 1
    subtasks, failures = judged(anywhere)
    assert subtasks == {"p.c.a_0": (0, False), "p.c.a_1": (0, False), "p.c.a_2": (1, False)}
    assert failures == ["p.c.a_2"]
    assert anywhere.record("p.c")["result"]["status"] == status
    assert has_record(anywhere, "p.after") == (status == 0)


def test_on_error_of_a_loop_without_failures_passes_on_the_last_iteration(project: Project) -> None:
    project.flow(compound(LOOP.replace("4", "2"), a=TIMES))
    project.write("judge.py", JUDGE % 0)
    project.ok("run", "after")
    seen = json.loads(project.read("rundir/p.after/seen"))
    assert [item["k"] for item in seen] == ["1"]
    assert "nothing to do" in project.ok("run", "after").out


def test_on_error_of_a_branch_sees_the_one_that_was_taken(project: Project) -> None:
    fields = "on_error: 'judge:see'\n    control: {type: if, cond: '1 == 2', else: [{name: x, run: 'exit 3'}]}"
    project.flow(compound(fields, a="run: 'true'"))
    project.write("judge.py", JUDGE % 0)
    project.dfm("run", "after")
    assert judged(project) == ({"p.c.x_else": (3, False)}, ["p.c.x_else"])


def test_a_condition_that_cannot_be_computed_is_a_failure_for_on_error(project: Project) -> None:
    fields = "on_error: 'judge:see'\n    control: {type: if, cond: 'state.nope'}"
    project.flow(compound(fields, a="run: 'true'"))
    project.write("judge.py", JUDGE % 0)
    done = project.dfm("run", "all")
    assert done.status == 1
    assert judged(project) == ({"p.c.in_0": (1, False)}, ["p.c.in_0"])
    assert {"p.beside", "p.all"} <= done.executed()


def test_max_failures_of_a_loop_fail_it_and_leave_the_others_alone(project: Project) -> None:
    project.flow(compound("max_failures: 3\n    control: {type: repeat, count: 4}", a=TIMES))
    done = project.dfm("run", "all", "-j", "1")
    assert done.status == 1
    assert project.record("p.c")["result"]["status"] == 1
    assert "p.beside" in done.executed()
