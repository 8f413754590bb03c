"""A worker: its agent, its executor and its connection, joined in one loop."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, assert_never

import msgpack

from dfm.errors import CredentialsError, DaemonError
from dfm.version import VERSION
from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.task import RESULT, SPEC, TaskResult
from dfm.wire.worker import Held
from dfm_worker.agent import Action, Agent, End, Heard, Leave, Reconnect, Send, Start
from dfm_worker.attempt import Attempt
from dfm_worker.connection import Connection
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from dfm_worker.search import Search

if TYPE_CHECKING:
    import socket

    from dfm_worker.jobserver import Jobserver

# What a task gets from the job that it runs in and not from the user's environment.
_JOB_PREFIXES = ("LSB_", "SLURM_", "SLURMD_")
_WAIT_S = 0.01  # that results may take while the next task runs: several travel together
_FIRST_LOOK_S, _FIRST_PAUSE_S = 30.0, 0.2  # for the daemon that launched it
# A scheduler signals all processes of a job, in no order: a task may be seen to end before it is known
# that our job is being ended. Then it is lost with this worker, and has not failed.
_SCHEDULERS_SIGNALS = (signal.SIGINT, signal.SIGKILL, signal.SIGUSR2, signal.SIGTERM)
_SHELLS_BASE = 128  # of the status that a shell makes of a signal
_DOUBT_S = 0.5
_STATUS_AT_RUN_LIMIT = 140  # of a job that LSF's SIGUSR2 has ended
_ENVIRONMENTS = 16  # runs whose environments are kept decoded
_JOB_VARIABLES = ("TMPDIR", "HOSTNAME", "CUDA_VISIBLE_DEVICES")


class Options(NamedTuple):
    """How a worker was launched."""

    addresses: list[tuple[str, int]]
    credentials: str
    worker: str  # the name that the daemon gave it
    cores: int
    slots: int
    deadline: float | None
    lost_timeout_s: float
    grace_s: float  # of tasks that run when its job reaches its run limit


def array_index(environ: Mapping[str, str]) -> str:
    """Which job of an array this is, from 1; empty if it is of none."""
    index = environ.get("LSB_JOBINDEX") or environ.get("SLURM_ARRAY_TASK_ID", "")
    return "" if index == "0" else index  # LSF says 0 outside of arrays


def job_id(environ: Mapping[str, str]) -> str:
    """The id of this job as its scheduler has it; empty outside of one."""
    if "DFM_JOB" in environ:
        return environ["DFM_JOB"]
    index = array_index(environ)
    if "LSB_JOBID" in environ:
        return environ["LSB_JOBID"] + (f"[{index}]" if index else "")
    if "SLURM_ARRAY_JOB_ID" in environ:
        return f"{environ['SLURM_ARRAY_JOB_ID']}_{index}"
    return environ.get("SLURM_JOB_ID", "")


def job_end(environ: Mapping[str, str]) -> float | None:
    """When this job ends, in UTC seconds, if its scheduler says so: Slurm since 23.02."""
    end = environ.get("SLURM_JOB_END_TIME", "")
    return float(end) if end.isdecimal() else None


def host_name(environ: Mapping[str, str]) -> str:
    """This host, as its scheduler calls it."""
    hosts = environ.get("LSB_HOSTS", "").split()
    return hosts[0] if hosts else environ.get("SLURMD_NODENAME") or os.uname().nodename


def job_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of this job. DFM_JOB marks every process below it, for whoever cleans up."""
    own = {name: value for name, value in environ.items() if name.startswith(_JOB_PREFIXES)}
    if own:
        own.update({name: environ[name] for name in _JOB_VARIABLES if name in environ})
    return own | {"DFM_JOB": job_id(environ)}


class Worker:
    """Serves the daemon of one project, and the next one if that dies, until it is told to leave."""

    def __init__(self, options: Options) -> None:
        self._loop = Loop()
        self._executor = Executor(
            self._loop,
            job_environment(os.environ),
            default_cores=max(1, options.cores // options.slots),
        )
        self._cores = options.cores
        self._jobserver: Jobserver | None = None
        self._environments: dict[bytes, dict[str, str]] = {}  # by blob, as it came
        self._attempts: dict[Held, Attempt] = {}
        self._asked: set[Held] = set()  # of these, to end
        self._is_batch_job = any(name.startswith(_JOB_PREFIXES) for name in os.environ)
        self._leaving: Leave | None = None
        self._has_run_out = False  # its job has reached its run limit
        self._grace_s = options.grace_s
        self._is_urgent = False  # something was said that cannot wait
        self._flushes = False  # a timer does it
        self._due = float("inf")  # when the agent is to be called next
        hello = wire.Hello(
            MAJOR, MINOR, VERSION, options.worker, host_name(os.environ), os.getpid(), job_id(os.environ),
            options.cores, options.slots, options.deadline, [], [],
        )  # fmt: skip
        self._agent = Agent(hello, self._loop.time(), options.lost_timeout_s)
        self._search = Search(self._loop, options.addresses, options.credentials)
        self._connection: Connection | None = None
        first = self._find_first(options.lost_timeout_s)
        self._catch_signals()
        self._connect(first)

    def serve(self) -> int:
        """Returns the exit status, once nothing of any task is left."""
        self._loop.each_turn = self._turn
        self._turn()
        self._loop.run()
        assert self._leaving is not None
        if self._connection is not None:
            self._connection.close()
        self._executor.close()
        if self._jobserver is not None:
            self._jobserver.close()
        say(f"ends: {self._leaving.reason}")
        return self._leaving.status

    def _catch_signals(self) -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
            signal.signal(number, lambda *_: None)

        def caught() -> None:
            number = signal.Signals(os.read(reader, 1)[0])
            if number is signal.SIGUSR2:
                self._run_out()
            else:
                self._perform(self._agent.end(f"ended by {number.name}"))

        self._loop.add_reader(reader, caught)

    def _run_out(self) -> None:
        """LSF ends the job some minutes after this signal, by others."""
        reason = "SIGUSR2: its job has reached its run limit"
        if not self._has_run_out:
            self._has_run_out = True
            say(f"takes no more: {reason}")
        last = Leave(reason, _STATUS_AT_RUN_LIMIT)
        self._perform(self._agent.run_out(last, self._loop.time(), self._grace_s))

    def _hear(self, message: Heard) -> None:
        self._perform(self._agent.hear(message, self._loop.time()))

    def _find_first(self, lost_timeout_s: float) -> "socket.socket":
        """The daemon may have been killed since it launched this worker. Raises DaemonError."""
        give_up = self._loop.time() + min(_FIRST_LOOK_S, lost_timeout_s)
        while True:
            try:
                return self._search.connect()
            except CredentialsError:
                raise
            except DaemonError:
                if self._search.is_hopeless() or self._loop.time() >= give_up:
                    raise
            time.sleep(_FIRST_PAUSE_S)

    def _connect(self, sock: "socket.socket") -> None:
        self._connection = Connection(self._loop, sock, self._hear, self._lost)
        self._perform(self._agent.connected(self._loop.time()))

    def _lost(self, reason: str) -> None:
        say(reason)
        self._connection = None
        self._perform(self._agent.disconnected(self._loop.time()))

    def _look(self) -> None:
        if self._leaving is not None:
            return
        if self._search.is_hopeless():
            self._perform(self._agent.end("its project's daemon has ended"))
        else:
            self._search.begin(self._found)

    def _found(self, sock: "socket.socket | None") -> None:
        if sock is None:
            self._perform(self._agent.not_connected(self._loop.time()))
        elif self._leaving is not None:
            sock.close()
        else:
            say("connected again")
            self._connect(sock)

    def _turn(self) -> None:
        if self._is_urgent:
            self._flush()
        elif self._connection is not None and self._connection.has_unsent() and not self._flushes:
            self._flushes = True
            self._loop.call_later(_WAIT_S, self._flush)
        due = self._agent.next_deadline()
        if due < self._due:
            self._due = due
            self._loop.call_later(due - self._loop.time(), self._tick)
        if self._leaving is not None and not self._attempts:
            self._loop.stop()

    def _flush(self) -> None:
        self._is_urgent = self._flushes = False
        if self._connection is not None:
            self._connection.flush()

    def _tick(self) -> None:
        self._due = float("inf")
        self._perform(self._agent.tick(self._loop.time()))

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(message, can_wait):
                    if self._connection is not None:
                        self._connection.send(message)
                    self._is_urgent = self._is_urgent or not can_wait
                case Start():
                    self._start(action)
                case End(held, grace_s):
                    if held in self._attempts:
                        self._asked.add(held)
                        self._executor.end(self._attempts[held], grace_s)
                case Reconnect(after_s):
                    if self._connection is not None:
                        say("no word from the daemon: it is looked for again")
                        self._connection.close()
                        self._connection = None
                    self._loop.call_later(after_s, self._look)
                case Leave():
                    self._leaving = self._leaving or action
                case _:
                    assert_never(action)

    def _start(self, action: Start) -> None:
        held = action.attempt
        spec = SPEC.unpack(action.spec)
        environment = self._environment(action.blobs[0])
        inputs = action.blobs[1] if spec.inputs is None else spec.inputs
        begun = self._executor.start(
            spec, environment, inputs, lambda result: self._ended(held, result)
        )
        if isinstance(begun, TaskResult):
            self._ended(held, begun)
        else:
            self._attempts[held] = begun
            self._agent.started(held, begun.started_at, self._loop.time())

    def _ended(self, held: Held, result: TaskResult) -> None:
        self._attempts.pop(held, None)
        if self._jobserver is not None and not self._attempts:
            self._jobserver.refill()
        was_asked = held in self._asked
        self._asked.discard(held)
        ended_by = -result.status if result.status < 0 else result.status - _SHELLS_BASE
        if self._is_batch_job and not was_asked and ended_by in _SCHEDULERS_SIGNALS:
            self._loop.call_later(_DOUBT_S, self._judge, held, result, ended_by)
        else:
            self._report(held, result)

    def _judge(self, held: Held, result: TaskResult, ended_by: int) -> None:
        if self._has_run_out and ended_by == signal.SIGUSR2:
            self._perform(self._agent.lost(held))
        else:
            self._report(held, result)

    def _report(self, held: Held, result: TaskResult) -> None:
        self._perform(self._agent.ended(held, result.status, result.wall_ms, RESULT.pack(result)))

    def _environment(self, blob: bytes) -> dict[str, str]:
        """A run's environment, with a jobserver for the cores of this job."""
        known = self._environments.get(blob)
        if known is None:
            known = msgpack.unpackb(blob, unicode_errors="surrogateescape")
            if self._jobserver is None:
                from dfm_worker import jobserver  # 15 ms of imports, after the worker is known

                self._jobserver = jobserver.create(self._cores, known)
            known["MAKEFLAGS"] = self._jobserver.makeflags
            if len(self._environments) >= _ENVIRONMENTS:
                self._environments.clear()
            self._environments[blob] = known
        return known


def say(text: str) -> None:
    """A line for the job's log."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    print(f"{stamp} dfm worker {os.getpid()}: {text}", file=sys.stderr, flush=True)  # noqa: T201
