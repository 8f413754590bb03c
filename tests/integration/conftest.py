"""A project in a folder of its own, and dfm as its user runs it: as processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

Found = TypeVar("Found")
PATIENCE_S = 60.0
DFM = [sys.executable, "-m", "dfm"]


def until(condition: Callable[[], Found], what: str = "") -> Found:
    """Waits until the condition is true, and returns what it gave."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"never came true: {what or condition}")


class Done:
    """A `dfm` that has ended."""

    def __init__(self, words: tuple[str, ...], status: int, out: str, err: str) -> None:
        self.words = words
        self.status = status
        self.out = out
        self.err = err

    def counts(self) -> dict[str, int]:
        """The table at the end of a run; a run with nothing to do has only `up-to-date`."""
        lines = self.out.rstrip("\n").split("\n")
        if lines[-1].startswith("nothing to do: "):
            number = int(lines[-1].split()[3])
            return {"total": number, "up-to-date": number}
        names, values = lines[-2].split(), lines[-1].split()
        return {
            name: int(value) for name, value in zip(names, values, strict=False) if name != "time"
        }

    def executed(self) -> set[str]:
        """The tasks that ended in this run, by their full names."""
        ends = (line.split() for line in self.out.split("\n") if line.startswith("<< "))
        return {words[3] for words in ends}

    def __repr__(self) -> str:
        return f"dfm {' '.join(self.words)}: {self.status}\n{self.out}\n{self.err}"


class Project:
    """A folder with a flow file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DFM_", "MAKEFLAGS", "XDG_", "PYTHONDONTWRITEBYTECODE"))
        }
        self.environment["HOME"] = str(folder)  # no configuration of whoever runs the tests
        self.processes: list[subprocess.Popen[str]] = []

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def flow(self, text: str) -> None:
        """The tasks, types and variables of a package `p`: what stands below `package:`."""
        self.write("flow.yaml", "package:\n  name: p\n" + text)

    def start(self, *words: str, cwd: Path | None = None, **more: str) -> subprocess.Popen[str]:
        """Starts dfm and does not wait for it."""
        process = subprocess.Popen(
            [*DFM, *words],
            cwd=cwd or self.folder,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def dfm(self, *words: str, cwd: Path | None = None, **more: str) -> Done:
        """Runs dfm to its end."""
        return self.end(self.start(*words, cwd=cwd, **more), *words)

    def end(self, process: subprocess.Popen[str], *words: str) -> Done:
        out, err = process.communicate(timeout=PATIENCE_S * 2)
        return Done(words, process.returncode, out, err)

    def ok(self, *words: str, cwd: Path | None = None, **more: str) -> Done:
        """Runs dfm, which has to succeed."""
        done = self.dfm(*words, cwd=cwd, **more)
        assert done.status == 0, done
        return done

    def record(self, node: str) -> Any:
        """The record of a node by the path of its directory below rundir/."""
        name = node.rpartition("/")[2]
        return json.loads(self.read(f"rundir/{node}/{name}.exec_data.json"))

    def status(self) -> Any:
        return json.loads(self.dfm("daemon", "status", "--json").out)

    def leftovers(self) -> list[str]:
        """Processes that stem from this project and live: tasks, workers, daemons."""
        mark = str(self.folder)
        found = []
        for process in psutil.process_iter():
            try:
                words, environment = process.cmdline(), process.environ()
                is_zombie = process.status() == psutil.STATUS_ZOMBIE
            except psutil.Error:  # it may end between any two of these
                continue
            if is_zombie or process.pid == os.getpid():
                continue
            rundir = environment.get("DFM_RUNDIR", "")
            if rundir.startswith(mark) or any(mark in word for word in words):
                found.append(f"{process.pid}: {' '.join(words)}")
        return found

    def end_processes(self) -> None:
        """Those that it started and that the test has left to themselves."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    def kill_leftovers(self) -> None:
        """All of them; some end by themselves meanwhile, with those before them."""
        for line in self.leftovers():
            try:
                os.kill(int(line.split(":")[0]), signal.SIGKILL)
            except ProcessLookupError:
                pass


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project. Nothing of it may be left running when its test is over."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder)
    yield made
    made.end_processes()
    left = made.leftovers()
    made.kill_leftovers()
    assert not left, "left running"


@pytest.fixture
def daemon(project: Project) -> Iterator[Project]:
    """The same, with a daemon of two workers once `start_daemon` was called by the test."""
    yield project
    stopped = project.dfm("daemon", "stop")
    assert stopped.status == 0, stopped


@pytest.fixture(params=["local", "daemon"])
def anywhere(request: pytest.FixtureRequest, project: Project) -> Iterator[Project]:
    """A project whose runs go to the local runner, and once more to a daemon of two workers."""
    if request.param == "local":
        yield project
        return
    project.write("flow.yaml", "package:\n  name: p\n")
    project.ok("daemon", "start", "--pool-size", "2")
    yield project
    stopped = project.dfm("daemon", "stop")
    assert stopped.status == 0, stopped
