"""Has a run's tasks executed by a daemon: the run's dispatcher at the other end of a socket."""

import asyncio
import json
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgpack

from dfm.client.control import ANSWER_S, hello
from dfm.client.line import Line
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


class Listener(Protocol):
    """Who hears what became of tasks."""

    def started(self, number: int, where: str) -> None: ...
    def finished(self, number: int, result: TaskResult) -> None: ...
    def lost(self, number: int, reason: str) -> None: ...
    def withdrawn(self, numbers: Sequence[int]) -> None: ...
    def asked(self, task: str) -> dict[str, Any]: ...
    def fail(self, error: BaseException) -> None: ...


class DaemonDispatcher:
    """One run's connection to its daemon. `notice` gets lines for the user."""

    def __init__(self, link: Link, listener: Listener, notice: Callable[[str], None]) -> None:
        self._link = link
        self._listener = listener
        self._notice = notice
        self._submitted: dict[int, int] = {}  # by the number it has on the wire: its node
        self._count = 0
        self._blobs: dict[bytes, int] = {}
        self._shapes: dict[WorkerShape, int] = {}  # the number of each on the wire
        self._here = socket.gethostname()
        self._problem = ""
        self._ahead = _AHEAD
        self._is_closing = False
        self._answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        link.hear = self._hear
        link.lost = self._lost

    @classmethod
    async def connect(
        cls,
        line: Line,
        listener: Listener,
        environment: Mapping[str, str],
        notice: Callable[[str], None],
    ) -> "DaemonDispatcher":
        """Introduces a run, and sends its environment. Raises DaemonError."""
        link = Link(CLIENT_LINK, "daemon")
        link.trust()
        made = cls(link, listener, notice)
        await line.attach(link)
        link.send(hello(secrets.token_hex(6)))
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await made._answer
        except TimeoutError:
            raise DaemonError(f"the daemon does not answer within {ANSWER_S:.0f} s") from None
        if isinstance(answer, wire.Refused):
            raise DaemonError(f"the daemon refused: {answer.reason}", hint=answer.hint)
        made._blob(msgpack.packb(dict(environment), unicode_errors="surrogateescape"))
        return made

    def wants_more(self) -> bool:
        return len(self._submitted) < self._ahead

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
        self._submitted[task] = number
        if len(packed) > FRAME_LIMIT - _ROOM or len(inputs) > FRAME_LIMIT - _ROOM:
            what = f"{max(len(packed), len(inputs))} bytes of parameters or inputs"
            self._refuse(task, f"{what} are more than the {FRAME_LIMIT} that a message takes")
            return
        self._link.send(
            wire.Submit(
                task,
                spec.name,
                packed,
                blobs,
                self._shape(requirements.worker),
                priority=requirements.priority,
                walltime_s=requirements.walltime_s,
                limits=dict(requirements.limits),
                expected_s=expected_s,
            )
        )

    def withdraw(self) -> None:
        self._link.send(wire.Withdraw())

    def cancel(self, grace_s: float) -> None:
        self._link.send(wire.Cancel(grace_s))

    async def close(self) -> None:
        """Ends the connection: the run is over."""
        self._is_closing = True
        self._link.close()
        await self._link.closed

    def _blob(self, data: bytes) -> int:
        number = self._blobs.get(data)
        if number is None:
            number = self._blobs[data] = len(self._blobs)
            if len(data) <= FRAME_LIMIT - _ROOM:
                self._link.send(wire.Blob(number, data))
        return number

    def _shape(self, worker: WorkerShape) -> int:
        number = self._shapes.get(worker)
        if number is None:
            number = self._shapes[worker] = len(self._shapes)
            self._link.send(
                wire.Shape(
                    number,
                    worker.name,
                    worker.cores,
                    worker.memory_mib,
                    worker.queue,
                    worker.resource_class,
                    list(worker.resource_select),
                )
            )
        return number

    def _refuse(self, task: int, why: str) -> None:
        """A task that cannot be sent has failed."""
        result = TaskResult(1, 0.0, 0.0, list[Command](), [], failure=why)
        asyncio.get_running_loop().call_soon(self._finish, task, result)

    def _finish(self, task: int, result: TaskResult) -> None:
        self._listener.finished(self._submitted.pop(task), result)

    def _hear(self, message: Any) -> None:
        match message:
            case wire.Finished(task, attempt, packed):
                if task in self._submitted:
                    self._finish(task, RESULT.unpack(packed))
                self._link.mention(wire.Acknowledged(task, attempt))
            case wire.Started(task, _, worker, host, _) if task in self._submitted:
                where = worker if host == self._here else f"{host} ({worker})"
                self._listener.started(self._submitted[task], where)
            case wire.Lost(task, _, reason, is_final) if task in self._submitted:
                self._lose(task, reason, is_final=is_final)
            case wire.Withdrawn(tasks):
                self._listener.withdrawn([self._submitted.pop(task) for task in tasks])
            case wire.Workers(serving, pending, problem):
                self._ahead = max(_AHEAD, serving * _AHEAD_OF_WORKERS)
                if problem and problem != self._problem:
                    self._notice(f"{serving} workers, {pending} pending; {problem}")
                self._problem = problem
            case wire.Question(number, task):
                answer = json.dumps(self._listener.asked(task)).encode()
                self._link.send(wire.Answer(number, answer))
            case wire.Welcome() | wire.Refused():
                self._answer.set_result(message)
            case wire.Started() | wire.Lost():
                pass  # of a task that has ended since
            case wire.Stopping(reason):
                self._is_closing = True
                self._listener.fail(DaemonError(f"the daemon ended before the run did: {reason}"))
            case _:
                self._listener.fail(DaemonError(f"the daemon sent {type(message).__name__}"))

    def _lose(self, task: int, reason: str, *, is_final: bool) -> None:
        if is_final:
            self._listener.lost(self._submitted.pop(task), reason)
        else:
            self._notice(f"a task is run again: {reason}")

    def _lost(self, reason: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(DaemonError(f"the daemon is gone: {reason}"))
        elif not self._is_closing:
            self._listener.fail(
                DaemonError(
                    f"the daemon is gone: {reason}",
                    hint="`dfm daemon start` starts it anew; what finished is up to date",
                )
            )
