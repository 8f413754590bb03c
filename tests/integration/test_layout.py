"""The layout `leaf` of the run directory, and names that are awkward in a path (sections 8, 32)."""

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import Project, until

FLOW = """
  tasks:
  - name: src
    run: |
      echo made > f.txt
      dfm-out fileset --filetype text f.txt
      echo '{"n": 1}' > $DFM_MEMENTO_OUT
  - name: comp
    needs: [src]
    body:
    - {name: one, run: 'cp $DFM_INPUTS seen'}
    - {name: two, needs: [one], rundir: inherit, run: 'echo second'}
  - {name: mx, strategy: {matrix: {k: [1, 2]}}, body: [{name: cell, run: 'echo ${{ rundir }}'}]}
  - {name: py, shell: pytask, run: 'print("from", input.rundir)'}
  - {name: a/b, run: 'echo slashed'}
  - {name: fresh, run: 'true', uptodate: checks.fresh}
  - {name: pub, needs: [src], uses: std.Publish}
  - {root: all, needs: [comp, mx, py, a/b, fresh, pub], run: 'echo all'}
"""


@pytest.fixture(params=["leaf", "legacy"])
def laid_out(request: pytest.FixtureRequest, anywhere: Project) -> Project:
    anywhere.environment["DV_FLOW_RUNDIR_LAYOUT"] = request.param
    anywhere.flow(FLOW)
    anywhere.write("checks.py", "def fresh(ctxt):\n    return ctxt.exec_data is not None\n")
    return anywhere


def place(project: Project, short: str, full: str) -> Path:
    is_leaf = project.environment["DV_FLOW_RUNDIR_LAYOUT"] == "leaf"
    return project.folder / "rundir" / (short if is_leaf else full)


def test_a_second_run_finds_all_and_so_do_those_who_look_for_logs(laid_out: Project) -> None:
    first = laid_out.ok("run", "all", "-v")
    assert first.counts()["done"] == 10
    again = laid_out.ok("run", "all").executed()
    assert again == {"p.pub", "p.all"}, "std.Publish always executes"
    for task, text in {
        "all": "all", "p.all": "all", "two": "second", "comp.two": "second", "a/b": "slashed",
        "p.a/b": "slashed", "cell_1": str(place(laid_out, "cell_1", "p.mx.cell_1")),
        "py": f"from {place(laid_out, 'py', 'p.py')}",
    }.items():  # fmt: skip
        assert laid_out.ok("logs", task).out == f"{text}\n", task


def test_records_and_files_are_called_as_the_layout_has_it(laid_out: Project) -> None:
    laid_out.ok("run", "all")
    for short, full in (
        ("src/exec_data.json", "p.src/p.src.exec_data.json"),
        ("src/cmd.sh", "p.src/p.src_cmd.sh"),
        ("comp/exec_data.json", "p.comp/p.comp.exec_data.json"),
        ("comp/one/run.log", "p.comp/p.comp.one/p.comp.one.log"),
        ("comp/two.log", "p.comp/p.comp.two.log"),
        ("comp/two.exec_data.json", "p.comp/p.comp.two.exec_data.json"),
        ("cell_0/exec_data.json", "p.mx.cell_0/p.mx.cell_0.exec_data.json"),
        ("a_b/run.log", "p.a_b/p.a_b.log"),
        ("fresh/exec_data.json", "p.fresh/p.fresh.exec_data.json"),
    ):
        assert place(laid_out, short, full).is_file(), (short, full)
    record_file = place(laid_out, "a_b/exec_data.json", "p.a_b/p.a_b.exec_data.json")
    record = json.loads(record_file.read_text())
    assert record["name"] == "p.a/b"
    assert (record_file.parent / record["logfile"]).read_text() == "slashed\n"
    assert json.loads(laid_out.read("rundir/cache/mementos.json"))["p.src"] == {"n": 1}
    assert laid_out.read("rundir/out/latest/f.txt") == "made\n"
    is_leaf = laid_out.environment["DV_FLOW_RUNDIR_LAYOUT"] == "leaf"
    assert bool(list(laid_out.folder.glob("rundir/**/*.in"))) != is_leaf


def test_the_log_of_a_task_that_runs_can_be_followed(laid_out: Project) -> None:
    laid_out.flow(
        "  tasks:\n"
        "  - {name: w/x, run: 'echo begun; while [ ! -e ../../go ]; do sleep 0.02; done; echo over'}\n"
        "  - {root: after, needs: [w/x], run: 'true'}\n"
    )
    run = laid_out.start("run", "after")
    log = place(laid_out, "w_x/run.log", "p.w_x/p.w_x.log")
    until(lambda: log.exists() and log.read_text() == "begun\n")
    follower = laid_out.start("logs", "-f", "w/x")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "begun\n"
    laid_out.write("go", "")
    assert laid_out.end(follower).out == "over\n"
    assert laid_out.end(run).status == 0


def test_a_failure_names_the_log_that_there_is_and_the_report_has_it(laid_out: Project) -> None:
    laid_out.flow("  tasks:\n  - {root: a/b, run: 'echo no; exit 3'}\n")
    done = laid_out.dfm("run", "a/b", "--report", "rep")
    log = place(laid_out, "a_b/run.log", "p.a_b/p.a_b.log").relative_to(laid_out.folder)
    assert f"see {log}" in done.out
    (task,) = json.loads(laid_out.read("rep/report.json"))["tasks"]
    assert task["log"] == "logs/p.a_b.log"
    assert [marker["msg"] for marker in task["markers"]] == ["Command failed: status 3"]
    assert laid_out.read("rep/logs/p.a_b.log") == "no\n"


def test_another_run_may_start_from_it(laid_out: Project) -> None:
    laid_out.ok("run", "all")
    shutil.move(laid_out.folder / "rundir", laid_out.folder / "base")
    done = laid_out.ok("run", "all", "--base-rundir", "base")
    assert done.counts()["base"] == 10


def test_the_cache_gives_back_what_a_task_with_a_slash_has_made(laid_out: Project) -> None:
    laid_out.flow("  tasks:\n  - {root: c/d, cache: true, run: 'echo x > f; dfm-out fileset f'}\n")
    laid_out.environment["DV_FLOW_CACHE"] = str(laid_out.folder / "kept")
    laid_out.ok("run", "c/d")
    shutil.rmtree(laid_out.folder / "rundir")
    assert laid_out.ok("run", "c/d").counts()["cache"] == 1
    assert place(laid_out, "c_d/f", "p.c_d/f").read_text() == "x\n"
    assert "nothing to do" in laid_out.ok("run", "c/d").out


def test_tasks_that_a_task_makes_are_laid_out_the_same(laid_out: Project) -> None:
    laid_out.flow(
        "  tasks:\n"
        "  - {name: leaf, with: {n: {type: int}}, run: 'dfm-out item --type std.DataItem n:=$DFM_PARAM_N'}\n"
        "  - name: specs\n"
        "    run: |\n"
        "      dfm-out item --type std.TaskRunSpec task_type=p.leaf task_name=k/1 'params:={\"n\": 4}'\n"
        "  - {root: go, needs: [specs], uses: std.RunTasks}\n"
        "  - {root: all, needs: [go], run: 'cp $DFM_INPUTS seen'}\n"
    )
    laid_out.ok("run", "all")
    seen = json.loads(place(laid_out, "all/seen", "p.all/seen").read_text())
    assert [item["n"] for item in seen if item["type"] == "std.DataItem"] == [4]
    short, full = "go/k_1/exec_data.json", "p.go/k_1/k_1.exec_data.json"
    assert place(laid_out, short, full).is_file()


def test_an_unknown_layout_is_named_before_anything_runs(project: Project) -> None:
    project.flow(FLOW)
    done = project.dfm("run", "all", DV_FLOW_RUNDIR_LAYOUT="flat")
    assert done.status == 2
    assert "DV_FLOW_RUNDIR_LAYOUT=flat" in done.err
    assert not (project.folder / "rundir").exists()
