"""Has a run's tasks executed by a daemon: the run's dispatcher at the other end of a socket.

It keeps all that it has asked for until it has the answer. So a daemon that is killed is a pause: the
next one is told the same again, and what workers have of it meanwhile counts.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgpack

from dfm.client.control import ANSWER_S, hello
from dfm.client.line import Line
from dfm.config.this_host import host_name
from dfm.errors import DaemonError
from dfm.link import Link
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT
from dfm.wire.task import (
    RESULT,
    SPEC,
    Command,
    Requirements,
    TaskResult,
    TaskSpec,
    WorkerShape,
)

_AHEAD = 512  # tasks that the daemon is given at least; it scales its pools by them
_AHEAD_OF_WORKERS = 4  # and as many times its workers
_WORTH_A_BLOB = 512  # bytes of inputs; shorter ones travel with each task
_ROOM = 1024  # bytes of a frame beside the spec
_COMMAND = "\n     command: "  # as runners quote it, behind a scheduler's own words
GRACE_S = 30.0  # that a daemon has to come back
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 0.5  # between looks for it


class Listener(Protocol):
    """Who hears what became of tasks."""

    def started(self, number: int, where: str) -> None: ...
    def finished(self, number: int, result: TaskResult) -> None: ...
    def lost(self, number: int, reason: str) -> None: ...
    def withdrawn(self, numbers: Sequence[int]) -> None: ...
    def asked(self, task: str) -> dict[str, Any]: ...
    def fail(self, error: BaseException) -> None: ...


LookAgain = Callable[[], Line | None]


class Wanted:
    """A task without an answer."""

    __slots__ = ("is_refused", "node", "submit")

    def __init__(self, node: int, submit: wire.Submit, *, is_refused: bool) -> None:
        self.node = node
        self.submit = submit  # with the newest attempt that was heard of
        self.is_refused = is_refused  # the daemon never hears of it

    def note(self, attempt: int) -> bool:
        """Whether that is news."""
        is_new = attempt > self.submit.attempt
        if is_new:
            self.submit = self.submit._replace(attempt=attempt)
        return is_new


class DaemonDispatcher:
    """One run's connection to its daemon. `notice` gets lines for the user."""

    def __init__(
        self, listener: Listener, notice: Callable[[str], None], look_again: LookAgain | None
    ) -> None:
        self._run = secrets.token_hex(6)
        self._listener = listener
        self._notice = notice
        self._look_again = look_again
        self._wanted: dict[int, Wanted] = {}  # by the number it has on the wire
        self._said: list[NamedTuple] = []  # blobs and shapes, to which submissions refer
        self._has_withdrawn = False
        self._cancel: wire.Cancel | None = None
        self._count = 0
        self._blobs: dict[bytes, int] = {}
        self._shapes: dict[WorkerShape, int] = {}  # the number of each on the wire
        self._here = host_name()
        self._trouble = self._waits = ""  # as they were told
        self._ahead = _AHEAD
        self._is_closing = False
        self._answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._return: asyncio.Task[None] | None = None
        self._is_connected = False  # and what is said arrives

    @classmethod
    async def connect(
        cls,
        line: Line,
        listener: Listener,
        environment: Mapping[str, str],
        notice: Callable[[str], None],
        look_again: LookAgain | None = None,
    ) -> "DaemonDispatcher":
        """Introduces a run, and sends its environment. `look_again` finds a daemon that has come
        back; without it a daemon that is lost is the end of the run. Raises DaemonError."""
        made = cls(listener, notice, look_again)
        await made._introduce(line, is_back=False)
        made._blob(msgpack.packb(dict(environment), unicode_errors="surrogateescape"))
        return made

    async def _introduce(self, line: Line, *, is_back: bool) -> None:
        """Raises DaemonError."""
        link = Link(CLIENT_LINK, "daemon")
        link.trust()
        self._link = link
        self._answer = asyncio.get_running_loop().create_future()
        link.hear = self._hear
        link.lost = self._lost
        await line.attach(link)
        link.send(hello(self._run, is_back=is_back))
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._answer
        except TimeoutError:
            link.lost = lambda reason: None
            link.cut("no answer")
            raise DaemonError(f"the daemon does not answer within {ANSWER_S:.0f} s") from None
        if isinstance(answer, wire.Refused):
            link.lost = lambda reason: None
            raise DaemonError(f"the daemon refused: {answer.reason}", hint=answer.hint)

    def wants_more(self) -> bool:
        return len(self._wanted) < self._ahead

    def submit(
        self,
        number: int,
        spec: TaskSpec,
        inputs: bytes,
        requirements: Requirements,
        expected_s: float,
    ) -> None:
        blobs = [0]  # the environment
        if len(inputs) > _WORTH_A_BLOB:
            blobs.append(self._blob(inputs))
        else:
            spec = spec._replace(inputs=inputs)
        packed = SPEC.pack(spec)
        self._count += 1  # a node may be submitted twice: its `uptodate` function, then itself
        task = self._count
        submit = wire.Submit(
            task,
            spec.name,
            packed,
            blobs,
            self._shape(requirements.worker),
            priority=requirements.priority,
            walltime_s=requirements.walltime_s,
            limits=dict(requirements.limits),
            expected_s=expected_s,
            names_walltime=requirements.names_walltime,
        )
        is_refused = len(packed) > FRAME_LIMIT - _ROOM or len(inputs) > FRAME_LIMIT - _ROOM
        self._wanted[task] = Wanted(number, submit, is_refused=is_refused)
        if is_refused:
            what = f"{max(len(packed), len(inputs))} bytes of parameters or inputs"
            self._refuse(task, f"{what} are more than the {FRAME_LIMIT} that a message takes")
        else:
            self._say(submit)

    def withdraw(self) -> None:
        self._has_withdrawn = True
        self._say(wire.Withdraw())

    def cancel(self, grace_s: float) -> None:
        self._cancel = wire.Cancel(grace_s)
        self._say(self._cancel)

    async def close(self) -> None:
        """Ends the connection: the run is over."""
        self._is_closing = True
        if self._return is not None:
            self._return.cancel()
        self._say(wire.Bye())
        self._link.close()
        await self._link.closed

    def _say(self, message: NamedTuple) -> None:
        """While there is no daemon nothing is lost by silence: the next one is told all of it."""
        if self._is_connected:
            self._link.send(message)

    def _refer_to(self, message: NamedTuple) -> None:
        """Something that submissions refer to."""
        self._said.append(message)
        self._say(message)

    def _blob(self, data: bytes) -> int:
        number = self._blobs.get(data)
        if number is None:
            number = self._blobs[data] = len(self._blobs)
            if len(data) <= FRAME_LIMIT - _ROOM:
                self._refer_to(wire.Blob(number, data))
        return number

    def _shape(self, worker: WorkerShape) -> int:
        number = self._shapes.get(worker)
        if number is None:
            number = self._shapes[worker] = len(self._shapes)
            self._refer_to(
                wire.Shape(
                    number,
                    worker.name,
                    worker.cores,
                    worker.memory_mib,
                    worker.queue,
                    worker.resource_class,
                    list(worker.resource_select),
                    worker.runner,
                    dict(worker.options),
                )
            )
        return number

    def _refuse(self, task: int, why: str) -> None:
        """A task that cannot be sent has failed."""
        result = TaskResult(1, 0.0, 0.0, list[Command](), [], failure=why)
        asyncio.get_running_loop().call_soon(self._finish, task, result)

    def _finish(self, task: int, result: TaskResult) -> None:
        self._listener.finished(self._wanted.pop(task).node, result)

    def _hear(self, message: Any) -> None:
        match message:
            case wire.Finished(task, attempt, packed):
                if task in self._wanted:
                    self._finish(task, RESULT.unpack(packed))
                self._link.mention(wire.Acknowledged(task, attempt))
            case wire.Started(task, attempt, worker, host, _) if task in self._wanted:
                if self._wanted[task].note(attempt):
                    where = worker if host == self._here else f"{host} ({worker})"
                    self._listener.started(self._wanted[task].node, where)
            case wire.Lost(task, attempt, reason, is_final) if task in self._wanted:
                self._lose(task, attempt, reason, is_final=is_final)
            case wire.Withdrawn(tasks):
                known = [task for task in tasks if task in self._wanted]
                self._listener.withdrawn([self._wanted.pop(task).node for task in known])
            case wire.Workers():
                self._ahead = max(_AHEAD, message.serving * _AHEAD_OF_WORKERS)
                self._tell_of(message)
            case wire.Question(number, name):
                answer = json.dumps(self._listener.asked(name)).encode()
                self._link.send(wire.Answer(number, answer))
            case wire.Welcome() | wire.Refused():
                self._is_connected = isinstance(message, wire.Welcome)
                self._answer.set_result(message)
                if self._is_connected and self._said:  # before anything new refers to it
                    self._tell_all()
            case wire.Started() | wire.Lost():
                pass  # of a task that has ended since
            case wire.Stopping(reason):
                self._is_closing = True
                self._listener.fail(DaemonError(f"the daemon ended before the run did: {reason}"))
            case _:
                self._listener.fail(DaemonError(f"the daemon sent {type(message).__name__}"))

    def _tell_of(self, workers: wire.Workers) -> None:
        """A line per change. Of a trouble that goes on the command alone differs each time."""
        trouble = workers.problem.partition(_COMMAND)[0]
        there = f"{workers.serving} workers, {workers.pending} pending"
        if trouble and trouble != self._trouble:
            self._notice(f"{there}; {workers.problem}")
        elif workers.waits and workers.waits != self._waits:
            self._notice(f"{there} ({workers.waits})")
        elif self._trouble and not trouble:
            self._notice(there)
        self._trouble = trouble
        self._waits = workers.waits or self._waits

    def _lose(self, task: int, attempt: int, reason: str, *, is_final: bool) -> None:
        if is_final:
            self._listener.lost(self._wanted.pop(task).node, reason.partition(_COMMAND)[0])
            return
        # The next attempt has this number, and a worker that claims the lost one is wrong.
        self._wanted[task].note(attempt + 1)
        self._notice(f"a task is run again: {reason}")

    # A daemon that is gone, and comes back

    def _lost(self, reason: str) -> None:
        self._is_connected = False
        if not self._answer.done():
            self._answer.set_exception(DaemonError(f"the daemon is gone: {reason}"))
            return
        if self._is_closing:
            return
        if self._look_again is None:
            self._listener.fail(_gone(reason))
            return
        self._notice("the daemon is gone; waiting for it to come back")
        self._return = asyncio.get_running_loop().create_task(self._come_back(reason))
        self._return.add_done_callback(self._note_fault)

    def _note_fault(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._listener.fail(error)

    async def _come_back(self, reason: str) -> None:
        """To the daemon that is there next; if none comes in time, the run has failed."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + GRACE_S
        pause_s = _FIRST_PAUSE_S
        while loop.time() < give_up:
            try:
                if await self._find():
                    self._notice("the daemon is back")
                    return
            except DaemonError as error:
                reason = str(error).partition("\n")[0]
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LAST_PAUSE_S)
        self._listener.fail(_gone(reason))

    async def _find(self) -> bool:
        """Raises DaemonError."""
        assert self._look_again is not None
        line = self._look_again()
        if line is None:
            return False
        await self._introduce(line, is_back=True)
        return True

    def _tell_all(self) -> None:
        """A daemon that may know nothing. Withdraw comes first: what no worker has is not to begin."""
        if self._has_withdrawn:
            self._say(wire.Withdraw())
        for message in self._said:
            self._say(message)
        for wanted in self._wanted.values():
            if not wanted.is_refused:
                self._say(wanted.submit)
        if self._cancel is not None:
            self._say(self._cancel)
        self._say(wire.Settled())


def _gone(reason: str) -> DaemonError:
    return DaemonError(
        f"the daemon is gone: {reason}",
        hint="`dfm daemon start` starts it anew; what finished is up to date",
    )
