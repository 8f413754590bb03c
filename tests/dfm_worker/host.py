"""A host for tasks: an executor in a loop, and folders for what it runs."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dfm.wire.task import TaskResult, TaskSpec
from dfm_worker.attempt import Attempt
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop

DEADLINE_S = 20.0


class Ticket:
    """One task that was started: its attempt while it runs, its result when it has ended."""

    def __init__(self) -> None:
        self.attempt: Attempt | None = None
        self.result: TaskResult | None = None

    @property
    def running(self) -> Attempt:
        assert self.attempt is not None
        assert self.result is None
        return self.attempt


class Signal:
    """A named pipe by which a task says how far it is, or is told to go on: `read < PATH`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def __str__(self) -> str:
        return str(self.path)

    def say(self) -> None:
        os.write(self.fd, b"go on\n")


class Host:
    """Runs tasks below `folder`."""

    def __init__(self, loop: Loop, executor: Executor, folder: Path) -> None:
        self.loop = loop
        self.executor = executor
        self.folder = folder
        self.environment: Mapping[str, str] = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self._tickets: list[Ticket] = []
        self._signals: list[Signal] = []

    def spec(self, script: str, name: str = "demo.t", **fields: object) -> TaskSpec:
        base = TaskSpec(
            name, f"{self.folder}/{name}", str(self.folder), "bash", script, b"{}", None, {}, [], 0,
            0, None,
        )  # fmt: skip
        return base._replace(**fields)  # type: ignore[arg-type]

    def start(self, spec: TaskSpec, inputs: bytes = b"[]") -> Ticket:
        ticket = Ticket()

        def ended(result: TaskResult) -> None:
            assert ticket.result is None, "it ended twice"
            ticket.result = result
            self.loop.stop()

        begun = self.executor.start(spec, self.environment, inputs, ended)
        if isinstance(begun, TaskResult):
            ticket.result = begun
        else:
            ticket.attempt = begun
        self._tickets.append(ticket)
        return ticket

    def serve_until(self, condition: Callable[[], bool]) -> None:
        """Turns the loop; `condition` is looked at whenever it was stopped."""
        guard = self.loop.call_later(DEADLINE_S, self._late)
        while not condition():
            self.loop.run()
        guard.cancel()

    def result(self, ticket: Ticket) -> TaskResult:
        """Serves until the task has ended."""
        self.serve_until(lambda: ticket.result is not None)
        assert ticket.result is not None
        return ticket.result

    def run(self, script: str | TaskSpec, **fields: object) -> TaskResult:
        spec = self.spec(script, **fields) if isinstance(script, str) else script  # type: ignore[arg-type]
        return self.result(self.start(spec))

    def warm_up(self) -> int:
        """The pid of the process that forks those of Python tasks, once it is ready."""
        self.run("pass\npass", language="python")
        python = self.executor.python
        assert python is not None

        def look() -> None:
            self.loop.stop()
            self.loop.call_later(0.005, look) if not python.warm.is_ready else None

        look()
        self.serve_until(lambda: python.warm.is_ready)
        return python.warm.pid

    def signal(self, name: str = "signal") -> Signal:
        made = Signal(self.folder / name)
        self._signals.append(made)
        return made

    def wait_for(self, signal: Signal) -> str:
        """Serves until a task has written to it; returns the line."""
        said: list[str] = []

        def take() -> None:
            said.append(os.read(signal.fd, 4096).decode().strip())
            self.loop.remove_reader(signal.fd)
            self.loop.stop()

        self.loop.add_reader(signal.fd, take)
        self.serve_until(lambda: bool(said))
        return said[0]

    def log(self, name: str = "demo.t") -> str:
        return (self.folder / name / f"{name}.log").read_text()

    def close(self) -> None:
        """Ends what still runs; then this process has no more children than it had."""
        for ticket in self._tickets:
            if ticket.result is None:
                self.executor.end(ticket.running, 0.0)
                self.result(ticket)
        for signal in self._signals:
            os.close(signal.fd)

    @staticmethod
    def _late() -> None:
        raise TimeoutError(f"it takes longer than {DEADLINE_S} s")


def is_alive(pid: int) -> bool:
    """Whether a process runs: zombies do not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    """For what happens outside of the loop, and soon."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
