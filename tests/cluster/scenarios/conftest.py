"""A project on a cluster, used as its user does: through the command line, by processes."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.slurm import Slurm
from tests.integration.conftest import Project, until

IS_SOAK = os.environ.get("DFM_SOAK", "") not in ("", "0")
EXAMPLES = Path(__file__).parents[3] / "examples"

# Each task says that it runs, and under which attempt, by one line.
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
        {script}
"""


def sized(quick: int, full: int) -> int:
    """How much is done: in `make test`, and with DFM_SOAK=1."""
    return full if IS_SOAK else quick


class Site(Project):
    """A project whose workers are jobs of a Slurm, or of the LSF on it."""

    def __init__(self, folder: Path, slurm: Slurm) -> None:
        super().__init__(folder)
        self.slurm = slurm
        self.run_: subprocess.Popen[str]  # the one that a test has started

    def prepare(self, count: int, script: str, config: str = "runner: {default: slurm}\n") -> None:
        self.flow(FLOW.format(numbers=list(range(count)), script=script))
        self.write(".dfm/config.yaml", config)

    def take_example(self, name: str) -> None:
        shutil.copytree(EXAMPLES / name, self.folder, dirs_exist_ok=True)

    def worker_with(self, *words: str) -> str:
        """A `worker_dfm_path` whose workers have these on their command line, too."""
        script = f'#!/bin/sh\nexec {sys.executable} -m dfm "$@" {shlex.join(words)}\n'
        path = self.write("worker-dfm", script)
        path.chmod(0o755)
        return str(path)

    def wrapper(self, name: str, command: str) -> str:
        """A command of the scheduler that counts how often it is called."""
        path = self.write(
            f"bin/{name}", f"#!/bin/sh\ndate +%s.%N >> {self.folder}/{name}.calls\n{command}\n"
        )
        path.chmod(0o755)
        return str(path)

    def times(self, name: str) -> list[float]:
        """When a command with such a wrapper was called."""
        path = self.folder / f"{name}.calls"
        return [float(line) for line in path.read_text().split()] if path.exists() else []

    def calls(self, name: str) -> int:
        return len(self.times(name))

    def ran(self) -> list[int]:
        """The tasks that have run, in their order, each as often as it did."""
        path = self.folder / "ran"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def workers(self, *states: str) -> list[Any]:
        return [w for w in self.status()["workers"] if w["state"] in states]

    def kill(self, process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.communicate()

    def kill_daemon(self) -> None:
        """The only one there is, be it of the project or of one run."""
        (line,) = (line for line in self.leftovers() if "-m dfm_daemon " in line)
        os.kill(int(line.split(":")[0]), signal.SIGKILL)

    def daemon_pid(self) -> int:
        pid: int = json.loads(self.read(".dfm/daemon.json"))["pid"]
        return pid

    def wait_for_jobs(self, count: int) -> list[str]:
        """Their ids, once there are so many that wait or run."""
        until(lambda: len(self.slurm.jobs()) == count, f"there are {count} jobs")
        return self.slurm.jobs()

    def check_nothing_is_left(self) -> None:
        """No job, no process."""
        until(lambda: not self.slurm.jobs(), "the queue is empty")
        until(lambda: not self.leftovers(), "no process is left")


def made(folder: Path, slurm: Slurm) -> Iterator[Site]:
    folder.mkdir()
    site = Site(folder, slurm)
    yield site
    for process in site.processes:
        if process.poll() is None:
            site.kill(process)
    stopped = site.dfm("daemon", "stop")
    assert stopped.status == 0, stopped
    jobs, left = slurm.jobs(), site.leftovers()
    try:
        site.check_nothing_is_left()
    finally:
        site.kill_leftovers()
    assert not jobs or not left, "a daemon that is stopped takes its jobs with it"


@pytest.fixture
def site(slurm: Slurm, tmp_path: Path) -> Iterator[Site]:
    """A project on the Slurm. When its test is over the queue is empty, and nothing runs."""
    yield from made(tmp_path / "project", slurm)


@pytest.fixture
def lsf_site(lsf: Lsf, tmp_path: Path) -> Iterator[tuple[Site, Lsf]]:
    """The same on the LSF."""
    for one in made(tmp_path / "project", lsf.slurm):
        yield one, lsf
