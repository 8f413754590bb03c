import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from dfm.wire.task import TaskSpec
from dfm_daemon.shell import credentials
from dfm_worker import processes
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from dfm_worker.processes import Children
from tests.dfm_worker.daemon import Daemon, Peer
from tests.dfm_worker.host import Host, wait_until


class Served(NamedTuple):
    """As a worker has them: one of each for all tasks."""

    loop: Loop
    executor: Executor
    children: Children


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """New for each file: an executor ends every child of this process that came after itself, and
    between two files a cluster may have come up."""
    loop = Loop()
    executor = Executor(loop)
    yield Served(loop, executor, Children())
    executor.close()


@pytest.fixture
def host(served: Served, tmp_path: Path) -> Iterator[Host]:
    """After the test nothing of its tasks may be left, and this process is where it was."""
    children, folder, kept = served.children.pids(), Path.cwd(), served.executor.kept()
    made = Host(served.loop, served.executor, tmp_path)
    yield made
    made.close()
    assert set(served.children.pids()) - served.executor.kept() <= set(children) - kept
    assert Path.cwd() == folder


class Launched(NamedTuple):
    """A worker's process, and the end of its connection that a daemon has."""

    process: subprocess.Popen[bytes]
    daemon: Daemon
    peer: Peer
    folder: Path

    def spec(self, script: str, name: str = "demo.t", **fields: object) -> TaskSpec:
        base = TaskSpec(
            name, f"{self.folder}/{name}", str(self.folder), "bash", script, b"{}", None, {}, [], 0,
            0, b"[]",
        )  # fmt: skip
        return base._replace(**fields)  # type: ignore[arg-type]

    def pid_in(self, name: str) -> int:
        """What a task has written to a file, as soon as it has."""
        file = self.folder / name
        wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
        return int(file.read_text())

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()

    def last_words(self) -> str:
        """Of its last line, what is behind the time and its name."""
        return self.log().rstrip("\n").rpartition("\n")[2].split(": ", 1)[1]


class Launch(Protocol):
    """Launches a worker with these words on its command line and variables in its environment."""

    def __call__(self, *words: str, **environment: str) -> Launched: ...


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    daemon = Daemon(tmp_path / "credentials")
    launched: list[subprocess.Popen[bytes]] = []

    def launch_one(*words: str, **environment: str) -> Launched:
        host, port = daemon.address
        own = ("DFM_", "LSB_", "SLURM_", "MAKEFLAGS", "CUDA_")
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(own)}
        with open(tmp_path / "worker.log", "wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "dfm_worker", "--connect", f"{host}:{port}",
                    "--credentials", daemon.credentials.worker, "--worker", "w1", *words,
                ],
                env={**inherited, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        launched.append(process)
        return Launched(process, daemon, daemon.accept(), tmp_path)

    yield launch_one
    daemon.close()
    for process in launched:
        tree = processes.tree([process.pid])
        process.terminate()  # if the daemon's end is not enough for it
        process.wait(20)
        wait_until(lambda left=tree: not processes.tree(left))  # type: ignore[misc]


@pytest.fixture
def worker_file(tmp_path: Path) -> Callable[[], str]:
    """The credentials of a project's workers."""
    return lambda: credentials.make(str(tmp_path / "credentials")).worker
