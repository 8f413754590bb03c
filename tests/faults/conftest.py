"""Real processes and what is done to them. The full size of these tests is `make soak`."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.integration.conftest import Project, anywhere, daemon, project, until

__all__ = ["anywhere", "daemon", "project"]

IS_SOAK = os.environ.get("DFM_SOAK", "") not in ("", "0")
FAILS = 20  # each so-many-th task is meant to fail

# Each task says that it ran, by one write.
FLOW = """
  with:
    n: {{type: list, value: {numbers}}}
  tasks:
  - name: all
    strategy: {{matrix: {{i: "${{{{ n }}}}"}}}}
    body:
    - name: s
      with: {{i: {{type: int, value: "${{{{ matrix.i }}}}"}}}}
      run: |
        echo ${{{{ i }}}} >> ../../ran
        sleep {sleep_s}
        [ $((${{{{ i }}}} % {fails})) != 0 ]
"""


def sized(quick: int, full: int) -> int:
    """How often something is done: in `make test`, and in `make soak`."""
    return full if IS_SOAK else quick


class Site(Project):
    """A project with many short tasks, and a daemon that somebody kills."""

    def prepare(self, count: int, *, sleep_s: float, config: str = "") -> None:
        self.count = count
        self.flow(FLOW.format(numbers=list(range(count)), sleep_s=sleep_s, fails=FAILS))
        self.write(".dfm/config.yaml", config or "runner: {retry: {infra: 2}}\n")

    def start_daemon(self, workers: int, *, lease_s: float | None = None) -> None:
        if lease_s is None:
            self.ok("daemon", "start", "--pool-size", str(workers))
            return
        script = (
            "import sys; from dfm_daemon.shell import daemon; from dfm_daemon.__main__ import main;"
            f"daemon.LEASE_S = {lease_s}; sys.exit(main())"
        )
        words = ["--root", str(self.folder), "--pool-size", str(workers)]
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-c", script, *words],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
            )
        )  # fmt: skip
        until(lambda: (self.folder / ".dfm/daemon.json").exists(), "the daemon serves")

    def daemon_pid(self) -> int:
        pid: int = json.loads(self.read(".dfm/daemon.json"))["pid"]
        return pid

    def ran(self) -> list[int]:
        """The tasks that have run, in their order, each as often as it did."""
        path = self.folder / "ran"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def wait_for(self, more: int, run: "subprocess.Popen[str]") -> None:
        """Until so many more tasks have run, or the run is over."""
        goal = len(self.ran()) + more
        until(lambda: len(self.ran()) >= goal or run.poll() is not None, "tasks run")

    def check_verdicts(self) -> None:
        """Each task has the one that it has to have."""
        wrong = []
        for i in range(self.count):
            status = self.record(f"p.all.s_{i}")["result"]["status"]
            if bool(status) != (i % FAILS == 0):
                wrong.append((i, status))
        assert not wrong

    def check_nothing_is_left(self) -> None:
        """Of the daemon there are its logs, and no process."""
        until(lambda: not self.leftovers(), "no process is left")
        left = {path.name for path in (self.folder / ".dfm").iterdir()}
        assert left <= {"daemon.log", "workers", "config.yaml"}


@pytest.fixture
def site(project: Project) -> Iterator[Site]:
    made = Site(project.folder)
    yield made
    made.end_processes()
    stopped = made.dfm("daemon", "stop")
    assert stopped.status == 0, stopped
    until(lambda: not made.leftovers(), "workers end when the credentials are gone")


@pytest.fixture
def dice() -> random.Random:
    """Of a seed that a failure shows."""
    seed = int(os.environ.get("DFM_SEED", "0")) or random.SystemRandom().randrange(10**6)
    sys.stderr.write(f"DFM_SEED={seed}\n")
    return random.Random(seed)
