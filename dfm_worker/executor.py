"""Runs tasks on this host: stages, spawns, follows the process tree, enforces the walltime, collects.

The agent on a compute node and the local runner use this same code, each with its own loop. Nothing
here waits: a task's end is an event on its pidfd. posix_spawn (which vforks) with the working
directory changed around it costs half of subprocess.Popen.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dfm.errors import ProtocolError
from dfm.wire.task import RESULT, SPEC, Command, TaskResult, TaskSpec
from dfm_worker import processes, staging
from dfm_worker.command import Programs, plain_words, shell_words
from dfm_worker.loop import EventLoop, Handle

GRACE_S = 5.0  # between SIGTERM and SIGKILL
_AGAIN_S = 0.05  # until the next look for what SIGKILL has not ended yet
CONSOLE = 64 * 1024  # bytes of a Python task's output that are shown to the user

_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What we ignore (Python does SIGPIPE, `nohup` and `&` others) a task must not. All, since for each that
# is not named here the C library asks the kernel in every child what its state is.
_DEFAULT_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class Exchange(NamedTuple):
    """The two anonymous files between the executor and the process of a Python task."""

    request: int
    answer: int


class Attempt:
    """One task while it runs here."""

    __slots__ = (
        "answer", "asked", "ended_by", "leftovers", "on_end", "pid", "pidfd", "spec", "started",
        "started_at", "status", "timer", "warnings", "words",
    )  # fmt: skip

    def __init__(self, spec: TaskSpec, on_end: Callable[[TaskResult], None]) -> None:
        self.spec = spec
        self.on_end = on_end
        self.words: list[str] = []
        self.answer = -1  # fd of a Python task's answer
        self.pid = 0
        self.pidfd = -1
        self.started_at = time.time()
        self.started = time.monotonic()
        self.status: int | None = None  # known once the task's own process has ended
        self.ended_by = ""
        self.timer: Handle | None = None
        self.warnings: list[str] = []
        self.leftovers: set[int] = set()
        self.asked: set[int] = set()  # that were sent SIGTERM

    def marks(self) -> list[bytes]:
        """What every process of this attempt has in its environment."""
        return [
            os.fsencode(f"DFM_RUNDIR={self.spec.rundir}"),
            os.fsencode(f"DFM_TASK_NAME={self.spec.name}"),
        ]


class Executor:
    """`job_environment` is what a task gets from the job that it runs in, not from the user's `dfm
    run`; `default_cores` is what it is told that asks for none."""

    def __init__(
        self,
        loop: EventLoop,
        job_environment: Mapping[str, str] | None = None,
        *,
        default_cores: int = 1,
    ) -> None:
        self._loop = loop
        self._default_cores = default_cores
        self._job_environment = dict(job_environment or {})
        self._programs = Programs()
        self._running: dict[int, Attempt] = {}  # by pid of the task's own process
        self._ending: set[Attempt] = set()  # own process gone, others of it not yet
        self._home = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        processes.become_subreaper()
        self._children = processes.Children()
        self._no_tasks = frozenset(self._children.pids())  # `Xvfb & exec dfm run`

    def start(
        self,
        spec: TaskSpec,
        environment: Mapping[str, str],
        inputs: bytes,
        on_end: Callable[[TaskResult], None],
    ) -> Attempt | TaskResult:
        """Starts a task; `on_end` is called once, later. A task that cannot start gives its result."""
        attempt = Attempt(spec, on_end)
        try:
            staging.stage(spec, inputs)
            variables = staging.variables(spec, {**environment, **self._job_environment})
            variables["DFM_CORES"] = str(spec.cores or self._default_cores)
            attempt.pid = self._spawn(attempt, variables, inputs)
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in a word or a variable
            return self._failed(attempt, f"cannot start in {spec.rundir}: {error}")
        attempt.pidfd = os.pidfd_open(attempt.pid)
        self._running[attempt.pid] = attempt
        self._loop.add_reader(attempt.pidfd, self._exited, attempt)
        if spec.walltime_s:
            attempt.timer = self._loop.call_later(spec.walltime_s, self._overrun, attempt)
        return attempt

    def end(self, attempt: Attempt, grace_s: float = GRACE_S, *, reason: str = "cancel") -> None:
        """SIGTERM for the whole tree, SIGKILL after the grace; with 0, SIGKILL at once."""
        attempt.ended_by = attempt.ended_by or reason
        if attempt.timer is not None:
            attempt.timer.cancel()
        if grace_s > 0:
            self._ask(attempt, self._tree(attempt))
            attempt.timer = self._loop.call_later(grace_s, self._kill, attempt)
        else:
            self._kill(attempt)

    # Starting

    def _spawn(self, attempt: Attempt, variables: dict[str, str], inputs: bytes) -> int:
        spec = attempt.spec
        if spec.language == "python":
            return self._spawn_python(attempt, variables, inputs)
        words = plain_words(spec.script, variables) if spec.language == "bash" else None
        if words:
            program = words[0]
            if "/" not in program:
                program = self._programs.find(program, variables.get("PATH", os.defpath)) or ""
            if program:
                attempt.words = words
                try:
                    return self._spawn_words(program, words, spec, variables, spec.rundir)
                except OSError:  # no such program, or a script without a `#!` line: bash knows
                    pass
        attempt.words = shell_words(spec.language, spec.script, staging.script_file(spec))
        return self._spawn_words(attempt.words[0], attempt.words, spec, variables, spec.rundir)

    def _spawn_python(self, attempt: Attempt, variables: dict[str, str], inputs: bytes) -> int:
        spec = attempt.spec
        request = os.memfd_create("dfm-request", 0)  # both inherited by this one child
        attempt.answer = os.memfd_create("dfm-answer", 0)
        try:
            os.write(request, SPEC.pack(spec._replace(inputs=inputs)))
            os.lseek(request, 0, os.SEEK_SET)
            attempt.words = [sys.executable, "-P", "-m", "dfm_worker.python_task"]
            words = [*attempt.words, str(request), str(attempt.answer)]
            cwd = (spec.python or {}).get("cwd") or spec.rundir
            return self._spawn_words(
                words[0], words, spec, variables, cwd if os.path.isdir(cwd) else spec.rundir
            )
        finally:
            os.close(request)
            os.set_inheritable(attempt.answer, False)

    def _spawn_words(
        self, program: str, words: list[str], spec: TaskSpec, variables: dict[str, str], cwd: str
    ) -> int:
        os.chdir(cwd)
        try:
            return os.posix_spawn(
                program,
                words,
                variables,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, staging.log_file(spec), _LOG_FLAGS, 0o666),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigdef=_DEFAULT_SIGNALS,
            )
        finally:
            os.fchdir(self._home)

    @staticmethod
    def _failed(attempt: Attempt, why: str) -> TaskResult:
        if attempt.answer >= 0:
            os.close(attempt.answer)
        return TaskResult(
            status=1, started_at=attempt.started_at, wall_ms=0.0, commands=[], warnings=[],
            failure=why,
        )  # fmt: skip

    # Ending

    def _overrun(self, attempt: Attempt) -> None:
        self.end(attempt, reason="walltime")

    def _exited(self, attempt: Attempt) -> None:
        self._loop.remove_reader(attempt.pidfd)
        os.close(attempt.pidfd)
        del self._running[attempt.pid]
        _, status = os.waitpid(attempt.pid, 0)
        attempt.status = os.waitstatus_to_exitcode(status)
        attempt.leftovers = self._left_by(attempt)
        if not attempt.leftovers:
            self._complete(attempt)
            return
        if not attempt.ended_by:
            count = len(attempt.leftovers)
            attempt.warnings.append(
                f"{count} process{'es' * (count > 1)} that the task left running"
                f" {'were' if count > 1 else 'was'} ended"
            )
            if attempt.timer is not None:
                attempt.timer.cancel()
            attempt.timer = self._loop.call_later(GRACE_S, self._kill, attempt)
        self._ending.add(attempt)
        self._watch(attempt)

    def _watch(self, attempt: Attempt) -> None:
        """Goes on when one of the processes left has ended."""
        self._ask(attempt, attempt.leftovers - attempt.asked)  # younger than the last look
        while attempt.leftovers:
            try:
                attempt.pidfd = os.pidfd_open(min(attempt.leftovers))
            except OSError:
                attempt.leftovers = self._left_by(attempt)
            else:
                self._loop.add_reader(attempt.pidfd, self._left_one, attempt)
                return
        self._ending.discard(attempt)
        self._complete(attempt)

    def _left_one(self, attempt: Attempt) -> None:
        self._loop.remove_reader(attempt.pidfd)
        os.close(attempt.pidfd)
        attempt.leftovers = self._left_by(attempt)
        self._watch(attempt)

    @staticmethod
    def _ask(attempt: Attempt, pids: set[int]) -> None:
        attempt.asked |= pids
        processes.send(pids, signal.SIGTERM)

    def _kill(self, attempt: Attempt) -> None:
        """Until nothing is left: a process may fork while the others are being killed."""
        processes.send(self._tree(attempt), signal.SIGKILL)
        attempt.timer = self._loop.call_later(_AGAIN_S, self._kill, attempt)

    def _tree(self, attempt: Attempt) -> set[int]:
        roots = self._orphans_of(attempt)
        if attempt.status is None:
            roots.append(attempt.pid)
        return processes.tree(roots, [attempt.pid])

    def _left_by(self, attempt: Attempt) -> set[int]:
        """What still runs of a task whose own process has ended. One small read if nothing does."""
        return processes.tree(roots, ()) if (roots := self._orphans_of(attempt)) else set()

    def _orphans_of(self, attempt: Attempt) -> list[int]:
        """Children of ours that this attempt left to us; dead ones are taken out of the table."""
        found = []
        for pid in self._children.pids():
            if pid in self._running or pid in self._no_tasks:
                continue
            process = processes.look(pid)
            if process is None or (process.state == "Z" and processes.reap(pid)):
                continue
            if process.session == attempt.pid or self._belongs(pid, process.session, attempt):
                found.append(pid)
        return found

    def _belongs(self, pid: int, session: int, attempt: Attempt) -> bool:
        """Whether a process in a session of its own is this attempt's; its environment tells."""
        others = [
            other for other in (*self._running.values(), *self._ending) if other is not attempt
        ]
        if any(session == other.pid for other in others):
            return False
        return not others or processes.has_variables(pid, attempt.marks())

    def _complete(self, attempt: Attempt) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
        wall_ms = (time.monotonic() - attempt.started) * 1000
        assert attempt.status is not None, attempt.spec.name
        if attempt.spec.language == "python":
            result = self._python_result(attempt, wall_ms)
        else:
            result = self._script_result(attempt, wall_ms)
        attempt.on_end(result)

    @staticmethod
    def _script_result(attempt: Attempt, wall_ms: float) -> TaskResult:
        status = attempt.status or 0
        if attempt.ended_by and not status:
            status = -signal.SIGTERM  # it was told to end, so what it made is not whole
        failure = ""
        collected = staging.Collected(b"", b"", b"", b"", None)
        try:
            collected = staging.collect(attempt.spec.rundir)
        except (OSError, staging.TooMuch) as error:
            failure, status = f"cannot read what the task handed back: {error}", status or 1
        return TaskResult(
            status,
            attempt.started_at,
            wall_ms,
            [Command(attempt.words, status)],
            attempt.warnings,
            *collected,
            ended_by=attempt.ended_by,
            failure=failure,
            log_tail=staging.tail(staging.log_file(attempt.spec)) if status else b"",
        )

    @staticmethod
    def _python_result(attempt: Attempt, wall_ms: float) -> TaskResult:
        log = staging.log_file(attempt.spec)
        with open(attempt.answer, "rb") as file:  # closes it
            file.seek(0)
            answer = file.read()
        result = TaskResult(  # of one that was killed, or left by os._exit
            attempt.status or 1, 0.0, 0.0, [Command(attempt.words, attempt.status or 0)], []
        )
        if len(answer) > staging.COLLECTED_LIMIT:
            result = result._replace(failure=f"its result {staging.too_much(len(answer))}")
        elif answer and not attempt.status:
            try:
                result = RESULT.unpack(answer)
            except ProtocolError as error:  # a child that it forked has returned as well
                result = result._replace(failure=f"its result cannot be read: {error}")
        if attempt.ended_by and not result.status:
            result = result._replace(status=-signal.SIGTERM)
        return result._replace(
            started_at=attempt.started_at,
            wall_ms=wall_ms,
            warnings=[*result.warnings, *attempt.warnings],
            ended_by=attempt.ended_by,
            log_tail=staging.tail(log) if result.status else b"",
            console=staging.tail(log, CONSOLE),
        )
