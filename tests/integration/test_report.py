"""`--report`, `--summary-file` and `--run-id`, of runs that succeed and that fail."""

import json

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {name: a, run: 'echo built; dfm-out warning careful --file a.v --line 3'}
  - {root: b, needs: [a], run: 'echo no; exit 3'}
  - {root: c, needs: [b], run: 'true'}
"""


def test_a_report_has_every_task_but_the_skipped_with_logs_and_markers(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.ok("run", "a")
    assert anywhere.dfm("run", "c", "--report", "out/rep").status == 1
    report = json.loads(anywhere.read("out/rep/report.json"))
    assert report["schema"] == "dvflow-report/1"
    assert (report["root"], report["status"]) == ("p", 1)
    assert report["counts"] == {
        "tasks_total": 2, "tasks_failed": 1, "markers": {"info": 0, "warning": 1, "error": 1},
    }  # fmt: skip
    first, second = report["tasks"]
    assert (first["name"], first["status"], first["changed"]) == ("p.a", 0, False)
    assert first["rundir"] == str(anywhere.folder / "rundir/p.a")
    assert first["markers"][0]["msg"] == "careful"
    assert (second["name"], second["status"], second["cache_hit"]) == ("p.b", 3, False)
    assert anywhere.read(f"out/rep/{first['log']}") == "built\n"
    assert anywhere.read("out/rep/logs/p.b.log") == "no\n"
    lines = [json.loads(line) for line in anywhere.read("out/rep/markers.jsonl").splitlines()]
    assert [line["task"] for line in lines] == ["p.a", "p.b"]
    assert "| `p.b` | 3 |" in anywhere.read("out/rep/report.md")
    assert "| failed | 1 |" in anywhere.read("out/rep/summary.md")
    anywhere.ok("run", "a", "--report", "out/rep")
    assert json.loads(anywhere.read("out/rep/report.json"))["status"] == 0


def test_a_summary_goes_into_a_file_also_when_none_is_printed(project: Project) -> None:
    project.flow(FLOW)
    done = project.ok("run", "a", "--no-summary", "--summary-file", "s.txt")
    assert "total" not in done.out
    assert project.read("s.txt").startswith("total  done")
    project.ok("run", "a", "--summary-file", "s.md")
    assert "| up-to-date | 1 |" in project.read("s.md")
    assert project.dfm("run", "a", "--summary-file", "none/s.md").status == 3


def test_a_run_has_the_id_that_it_is_given(project: Project) -> None:
    project.flow("  tasks: [{root: a, run: 'echo $DFM_RUN_ID $DFM_OUT_DIR > out'}]\n")
    project.ok("run", "a", "--run-id", "nightly")
    out = project.read("rundir/p.a/out").split()
    assert out == ["nightly", str(project.folder / "rundir/out/nightly")]
