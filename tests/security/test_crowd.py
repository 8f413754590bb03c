"""Thousands of strangers at the TCP port while a run goes on: they change nothing.

300 of them as a part of the tests, 10,000 with DFM_SOAK=1.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from dfm_daemon.shell import credentials
from tests.integration.conftest import Project, daemon, project, until

__all__ = ["daemon", "project"]

IS_SOAK = bool(os.environ.get("DFM_SOAK"))
STRANGERS = 10_000 if IS_SOAK else 300
TASKS = 1_500 if IS_SOAK else 100
MOST_MIB = 64  # that the daemon may grow by; 256 TLS connections that wait need a third of it

FLOW = f"""
  tasks:
  - name: sims
    strategy: {{matrix: {{i: {list(range(TASKS))}}}}}
    body:
    - {{name: s, run: 'echo ${{{{ this.i }}}} >> ../../ran; sleep 0.03; exit $(( ${{{{ this.i }}}} % 10 == 7 ))'}}
  - {{root: all, needs: [sims], run: 'true'}}
"""


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """The resident sizes of a process meanwhile, in bytes; the first is from before."""
    process = psutil.Process(pid)
    sizes = [process.memory_info().rss]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            sizes.append(process.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield sizes
    finally:
        over.set()
        looking.join()


def verdicts(project: Project) -> tuple[dict[str, int], list[int], float]:
    """Of a run: its counts, which task bodies were executed, and the seconds that it took."""
    (project.folder / "ran").unlink(missing_ok=True)
    began = time.monotonic()
    done = project.end(project.start("run", "all", "-k", "-f"))
    wall_s = time.monotonic() - began
    assert done.status == 1, done
    return done.counts(), sorted(map(int, project.read("ran").split())), wall_s


@pytest.mark.timeout(900 if IS_SOAK else 120)
@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "no TLS"])
def test_a_crowd_of_strangers_changes_nothing(
    daemon: Project, tmp_path: Path, tls: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.flow(FLOW)
    daemon.write(".dfm/config.yaml", f"runner: {{daemon: {{tls: {str(tls).lower()}}}}}\n")
    daemon.ok("daemon", "start", "--pool-size", "2")
    before = daemon.status()
    foreign = credentials.make(str(tmp_path / "foreign"))
    counts, ran, alone_s = verdicts(daemon)
    assert ran == list(range(TASKS))

    with watched(before["pid"]) as sizes:
        crowd = subprocess.Popen(
            [sys.executable, "-m", "tests.security.crowd",
             str(before["worker_port"]), str(STRANGERS), foreign.worker],
            stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        results: list[Any] = []
        running = threading.Thread(target=lambda: results.append(verdicts(daemon)))
        running.start()
        until(lambda: "refused a stranger" in daemon.read(".dfm/daemon.log"))
        # A worker that is lost now: another one comes in through the crowd.
        known = {worker["worker_id"]: worker for worker in daemon.status()["workers"]}
        os.kill(next(iter(known.values()))["pid"], 9)
        until(
            lambda: [
                worker for worker in daemon.status()["workers"]
                if worker["worker_id"] not in known and worker["state"] in ("idle", "busy")
            ],
            "a new worker joins",
        )  # fmt: skip
        running.join()
        said = crowd.communicate(timeout=600)[0]
    report = json.loads(said)

    assert results[0][0] == counts, "the same verdicts"
    assert set(results[0][1]) == set(range(TASKS))
    assert len(results[0][1]) <= TASKS + 1, "but for the one whose worker was killed"
    assert sum(report["cut_off"].values()) == STRANGERS
    grown = (max(sizes) - sizes[0]) / 2**20
    assert grown < MOST_MIB
    log = daemon.read(".dfm/daemon.log")
    assert log.count("refused a stranger") == 1
    assert "fault of dfm" not in log
    assert "Traceback" not in log
    if IS_SOAK:
        with capsys.disabled():
            sys.stdout.write(
                f"\n{'TLS' if tls else 'no TLS'}: {STRANGERS} strangers in {report['wall_s']} s,"
                f" borne with for at most {report['longest_s']} s; a run of {TASKS} tasks"
                f" {alone_s:.1f} s alone, {results[0][2]:.1f} s with them; daemon"
                f" {sizes[0] / 2**20:.0f} MiB before, {max(sizes) / 2**20:.0f} at most,"
                f" {sizes[-1] / 2**20:.0f} after\n"
            )
