"""The example regression, with a real simulator: what a user of dfm does all day."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "fifo_regression"
FAILING = {(3, 4), (3, 8), (5, 4), (5, 16), (7, 32), (11, 4)}  # seed and depth, with the bug
AFTER_COMPILE = {"fifo.coverage", "fifo.report", "fifo.regress", "fifo.sims"}


@pytest.fixture
def fifo(anywhere: Project) -> Project:
    (anywhere.folder / "flow.yaml").unlink(missing_ok=True)
    shutil.copytree(EXAMPLE, anywhere.folder, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("rundir", ".dfm"))  # fmt: skip
    return anywhere


def simulations(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith("fifo.sims.run_")}


def touch(file: Path) -> None:
    """As an editor does, a second later: the clock of file systems is coarse."""
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


SHORT = ("run", "regress", "-D", "cycles=400")


def test_a_regression_runs_once_and_then_only_what_follows_a_change(fifo: Project) -> None:
    first = fifo.ok(*SHORT)
    assert first.counts() == {"total": 55, "done": 55, "up-to-date": 0, "failed": 0, "skipped": 0}

    second = fifo.ok(*SHORT)
    assert "nothing to do: 55 tasks up to date" in second.out
    assert not second.executed()

    touch(fifo.folder / "rtl" / "sync_fifo.sv")
    executed = fifo.ok(*SHORT).executed()
    assert len(simulations(executed)) == 48
    assert executed - simulations(executed) == {"fifo.rtl", "fifo.compile", *AFTER_COMPILE}

    header = fifo.folder / "rtl" / "fifo_defs.svh"  # in no file set, found by its `include
    header.write_text(header.read_text() + "// edited\n")
    executed = fifo.ok(*SHORT).executed()
    assert executed - simulations(executed) == {"fifo.compile", *AFTER_COMPILE}


def test_a_planted_bug_is_reported_and_the_rest_is_merged(fifo: Project) -> None:
    done = fifo.dfm("run", "regress", "-c", "planted_bug", "-k")
    assert done.status == 1
    assert done.counts()["failed"] == len(FAILING) + 1  # and the verdict
    summary = done.out[done.out.index("\nFAILED ") :]
    for seed, depth in FAILING:
        assert f"(seed={seed} depth={depth}): status 1" in summary
        assert f"seed {seed} depth {depth}: time" in summary
    assert summary.count("log: rundir/fifo.sims.run_") == len(FAILING)
    merged = json.loads(fifo.read("rundir/fifo.coverage/coverage.json"))
    assert sum(merged["bins"][f"depth{d}.run.passed"] for d in (4, 8, 16, 32)) == 48 - len(FAILING)
    assert "48 simulations: 42 passed, 6 failed." in fifo.read("rundir/fifo.report/report.md")

    again = fifo.dfm("run", "regress", "-c", "planted_bug", "-k")
    assert again.status == 1
    assert len(simulations(again.executed())) == len(FAILING), "only what failed runs again"
