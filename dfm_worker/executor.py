"""Runs tasks on this host: stages, spawns, follows the process tree, enforces the walltime, collects.

The agent on a compute node and the local runner use this same code, each with its own loop. Nothing
here waits: a task's end is an event on its pidfd. posix_spawn (which vforks) with the working
directory changed around it costs half of subprocess.Popen.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dfm.wire.task import TaskResult, TaskSpec
from dfm_worker import processes, staging
from dfm_worker.attempt import Attempt
from dfm_worker.command import Programs, plain_words, shell_words
from dfm_worker.log_limit import LogWatch
from dfm_worker.loop import EventLoop

if TYPE_CHECKING:
    from dfm_worker.python_start import PythonStart

GRACE_S = 5.0  # between SIGTERM and SIGKILL
_AGAIN_S = 0.05  # until the next look for what SIGKILL has not ended yet

# What we ignore (Python does SIGPIPE, `nohup` and `&` others) a task must not. All, since for each that
# is not named here the C library asks the kernel in every child what its state is.
_DEFAULT_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


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
        self._logs = LogWatch(loop)
        self.python: PythonStart | None = None  # from the first Python task on
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
        if spec.umask >= 0:
            os.umask(spec.umask)  # which its processes inherit
        try:
            staging.stage(spec, inputs)
            variables = staging.variables(spec, {**environment, **self._job_environment})
            variables["DFM_CORES"] = str(spec.cores or self._default_cores)
            attempt.pid = self._spawn(attempt, variables, inputs)
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in a word or a variable
            return attempt.failed(f"cannot start in {spec.rundir}: {error}")
        attempt.pidfd = os.pidfd_open(attempt.pid)
        self._running[attempt.pid] = attempt
        self._logs.begin(attempt.log)
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

    def close(self) -> None:
        """Ends what is kept warm for tasks to come."""
        if self.python is not None:
            self.python.warm.close()

    def kept(self) -> frozenset[int]:
        """The pids of processes of ours that belong to no task."""
        return frozenset([self.python.warm.pid]) if self.python is not None else frozenset()

    # Starting

    def _spawn(self, attempt: Attempt, variables: dict[str, str], inputs: bytes) -> int:
        spec, log = attempt.spec, attempt.log.path
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
                    return self._spawn_words(program, words, variables, spec.rundir, log)
                except OSError:  # no such program, or a script without a `#!` line: bash knows
                    pass
        attempt.words = shell_words(spec.language, spec.script, staging.script_file(spec))
        return self._spawn_words(attempt.words[0], attempt.words, variables, spec.rundir, log)

    def _spawn_python(self, attempt: Attempt, variables: dict[str, str], inputs: bytes) -> int:
        if self.python is None:
            from dfm_worker.python_start import PythonStart  # most workers never need it

            self.python = PythonStart(self._loop, self._spawn_words)
        return self.python.start(attempt, variables, inputs)

    def _spawn_words(
        self, program: str, words: list[str], variables: dict[str, str], cwd: str, log: str
    ) -> int:
        os.chdir(cwd)
        try:
            return os.posix_spawn(
                program,
                words,
                variables,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, staging.LOG_FLAGS, 0o666),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigdef=_DEFAULT_SIGNALS,
            )
        finally:
            os.fchdir(self._home)

    # Ending

    def _overrun(self, attempt: Attempt) -> None:
        self.end(attempt, reason="walltime")

    def _exited(self, attempt: Attempt) -> None:
        self._loop.remove_reader(attempt.pidfd)
        os.close(attempt.pidfd)
        del self._running[attempt.pid]
        attempt.reap()
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
        tree = self._tree(attempt)
        attempt.asked |= tree
        processes.send(tree, signal.SIGKILL)
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
        no_tasks = self._no_tasks | self.kept()
        for pid in self._children.pids():
            if pid in self._running or pid in no_tasks:
                continue
            process = processes.look(pid)
            if process is None or (process.state == "Z" and processes.reap(pid)):
                continue
            if process.session == attempt.pid or self._belongs(pid, process.session, attempt):
                found.append(pid)
        return found

    def _belongs(self, pid: int, session: int, attempt: Attempt) -> bool:
        """Whether a process in a session of its own is this attempt's; its environment tells.

        One that is dying has no environment any more, but a place in the table until it is dead.
        """
        if pid in attempt.asked:
            return True
        others = [
            other for other in (*self._running.values(), *self._ending) if other is not attempt
        ]
        if any(session == other.pid for other in others):
            return False
        return not others or processes.has_variables(pid, attempt.marks())

    def _complete(self, attempt: Attempt) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
        attempt.wall_ms = (time.monotonic() - attempt.started) * 1000
        self._logs.end(attempt.log, lambda warning: self._report(attempt, warning))

    @staticmethod
    def _report(attempt: Attempt, warning: str) -> None:
        if attempt.timer is not None:  # it was told to end while its log was being cut
            attempt.timer.cancel()
        if warning:
            attempt.warnings.append(warning)
        attempt.on_end(attempt.result())
