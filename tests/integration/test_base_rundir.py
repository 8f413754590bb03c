"""Build once, run many: `--base-rundir`; and the trace of a run. Locally and on a daemon alike."""

import json

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {name: img, run: 'echo built > img; dfm-out fileset --filetype img img'}
  - {root: sim, needs: [img], run: 'echo $DFM_BASE_RUNDIR > where; cat "$DFM_INPUTS"'}
"""


def test_a_base_is_used_after_it_was_moved(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.ok("run", "img")
    base = anywhere.folder / "built"
    (anywhere.folder / "rundir").rename(base)
    done = anywhere.ok("run", "sim", "--base-rundir", "built", "-v")
    assert "-- Task p.img (base)" in done.out
    assert done.counts()["base"] == 1
    assert done.executed() == {"p.sim"}
    (item,) = anywhere.record("p.sim")["input"]["inputs"]
    assert item["basedir"] == str(base / "p.img")
    assert anywhere.read("rundir/p.sim/where").strip() == str(base)
    assert not (anywhere.folder / "rundir/p.img").exists()
    assert anywhere.ok("run", "img", "--base-rundir", "built").counts()["base"] == 1
    assert anywhere.ok("run", "img", "-f", "--base-rundir", "built").executed() == {"p.img"}


def test_a_base_that_is_missing_or_would_be_removed_runs_nothing(project: Project) -> None:
    project.flow(FLOW)
    assert project.dfm("run", "sim", "--base-rundir", "none").status == 2
    assert not (project.folder / "rundir").exists()
    project.ok("run", "img")
    assert project.dfm("run", "sim", "--clean", "--base-rundir", "rundir").status == 2
    assert (project.folder / "rundir/p.img/img").exists()


def test_the_trace_has_what_was_executed_also_when_it_failed(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n  - {name: a, run: 'true'}\n  - {root: b, needs: [a], run: 'exit 3'}\n"
    )
    assert anywhere.dfm("run", "b").status == 1
    events = json.loads(anywhere.read("rundir/log/p.trace.json"))["traceEvents"]
    assert [(event["ph"], event["name"]) for event in events if event["cat"] == "task"] == [
        ("B", "p.a"), ("E", "p.a"), ("B", "p.b"), ("E", "p.b"),
    ]  # fmt: skip
    assert events[-1]["args"]["status"] == 3
    assert [event["ph"] for event in events if event["cat"] == "flow"] == ["s", "f"]
