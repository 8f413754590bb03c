"""`make demo`: the FIFO regression on the local runner, then through a daemon with warm workers.

Each has a run directory of its own below build/demo/, so that a second demo finds both up to date.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FLOW = ROOT / "examples" / "fifo_regression"
PLACE = ROOT / "build" / "demo"
DFM = [sys.executable, "-m", "dfm"]


class Regression(NamedTuple):
    """One run of the regression, for the table at the end."""

    runner: str
    status: int
    seconds: float
    simulations: int
    coverage: str


def dfm(*words: str, cwd: Path = PLACE) -> int:
    shown = " ".join(["dfm", *words]).replace(str(FLOW), str(FLOW.relative_to(ROOT)))
    print(f"\n$ {shown}", flush=True)
    return subprocess.run([*DFM, *words], cwd=cwd, check=False).returncode


def regress(runner: str, *options: str) -> Regression:
    cwd = PLACE / runner
    cwd.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    status = dfm("run", "regress", "--root", str(FLOW), *options, cwd=cwd)
    seconds = time.monotonic() - began
    merged = cwd / "rundir" / "fifo.coverage" / "coverage.json"
    coverage = f"{json.loads(merged.read_text())['percent']} %" if merged.exists() else "none"
    simulations = len(list(cwd.glob("rundir/fifo.sims.run_*/coverage.jsonl")))
    return Regression(runner, status, seconds, simulations, coverage)


def main() -> int:
    print("== 1. The regression of examples/fifo_regression, in this process")
    local = regress("local", "--runner", "local")

    print("\n== 2. The same through a daemon, which keeps its workers warm")
    status = dfm("daemon", "start", "--root", str(FLOW))
    if status:
        return status
    try:
        daemon = regress("daemon")
        dfm("daemon", "status", "--root", str(FLOW))
    finally:
        stopped = dfm("daemon", "stop", "--root", str(FLOW))

    print("\nrunner   status  simulations  coverage     time")
    for run in (local, daemon):
        print(
            f"{run.runner:<7}  {run.status:>6}  {run.simulations:>11}  {run.coverage:>8}"
            f"  {run.seconds:5.2f} s"
        )
    return local.status or daemon.status or stopped


if __name__ == "__main__":
    sys.exit(main())
