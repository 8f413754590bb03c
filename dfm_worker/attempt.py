"""One task while it runs here, and the result that becomes of it."""

import os
import signal
import time
from collections.abc import Callable

from dfm.errors import ProtocolError
from dfm.wire.task import RESULT, Command, TaskResult, TaskSpec
from dfm_worker import staging
from dfm_worker.log_limit import Log
from dfm_worker.loop import Handle

CONSOLE = 64 * 1024  # bytes of a Python task's output that are shown to the user


class Attempt:
    """What the executor knows of it."""

    __slots__ = (
        "answer", "asked", "cpu_s", "ended_by", "leftovers", "log", "max_rss_kib", "on_end", "pid",
        "pidfd", "spec", "started", "started_at", "status", "timer", "wall_ms", "warnings", "words",
    )  # fmt: skip

    def __init__(self, spec: TaskSpec, on_end: Callable[[TaskResult], None]) -> None:
        self.spec = spec
        self.on_end = on_end
        self.log = Log(staging.log_file(spec), spec.log_limit)
        self.words: list[str] = []
        self.answer = -1  # fd of a Python task's answer
        self.pid = 0
        self.pidfd = -1
        self.started_at = time.time()
        self.started = time.monotonic()
        self.wall_ms = 0.0
        self.status: int | None = None  # known once the task's own process has ended
        self.cpu_s = 0.0
        self.max_rss_kib = 0
        self.ended_by = ""
        self.timer: Handle | None = None
        self.warnings: list[str] = []
        self.leftovers: set[int] = set()
        self.asked: set[int] = set()  # that were sent a signal to end

    def marks(self) -> list[bytes]:
        """What every process of this attempt has in its environment."""
        return [
            os.fsencode(f"DFM_RUNDIR={self.spec.rundir}"),
            os.fsencode(f"DFM_TASK_NAME={self.spec.name}"),
        ]

    def reap(self) -> None:
        """Takes the status of the task's own process, which has ended, and what it has used."""
        _, status, usage = os.wait4(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.max_rss_kib = usage.ru_maxrss

    def failed(self, why: str) -> TaskResult:
        """The result of a task that could not start."""
        if self.answer >= 0:
            os.close(self.answer)
        return TaskResult(
            status=1, started_at=self.started_at, wall_ms=0.0, commands=[], warnings=[], failure=why
        )

    def result(self) -> TaskResult:
        """The result, once nothing of the task runs any more."""
        assert self.status is not None, self.spec.name
        result = self._of_python() if self.spec.language == "python" else self._of_script()
        return result._replace(
            started_at=self.started_at,
            wall_ms=self.wall_ms,
            warnings=[*result.warnings, *self.warnings],
            ended_by=self.ended_by,
            log_tail=staging.tail(self.log.path) if result.status else b"",
            cpu_s=self.cpu_s,
            max_rss_kib=self.max_rss_kib,
        )

    def _of_script(self) -> TaskResult:
        status = self.status or 0
        if self.ended_by and not status:
            status = -signal.SIGTERM  # it was told to end, so what it made is not whole
        failure = ""
        collected = staging.Collected(b"", b"", b"", b"", None)
        try:
            collected = staging.collect(self.spec.rundir)
        except (OSError, staging.TooMuch) as error:
            failure, status = f"cannot read what the task handed back: {error}", status or 1
        commands = [Command(self.words, status)]
        return TaskResult(status, 0.0, 0.0, commands, [], *collected, failure=failure)

    def _of_python(self) -> TaskResult:
        with open(self.answer, "rb") as file:  # closes it
            file.seek(0)
            answer = file.read()
        result = TaskResult(  # of one that was killed, or left by os._exit
            self.status or 1, 0.0, 0.0, [Command(self.words, self.status or 0)], []
        )
        if len(answer) > staging.COLLECTED_LIMIT:
            result = result._replace(failure=f"its result {staging.too_much(len(answer))}")
        elif answer and not self.status:
            try:
                result = RESULT.unpack(answer)
            except ProtocolError as error:  # a child that it forked has returned as well
                result = result._replace(failure=f"its result cannot be read: {error}")
        if self.ended_by and not result.status:
            result = result._replace(status=-signal.SIGTERM)
        return result._replace(console=staging.tail(self.log.path, CONSOLE))
