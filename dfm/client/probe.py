"""One small task through a daemon, step by step, over a blocking socket."""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack

from dfm.client.control import ANSWER_S, hello
from dfm.errors import DaemonError, ProtocolError
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT, Decoder
from dfm.wire.task import RESULT, SPEC, TaskResult, TaskSpec

HOST_FILE = "host"
PATIENCE_S = 600.0  # that a job may pend
_WALLTIME_S = 60


class Probe:
    """The task writes the name of its host into a file of `rundir`, below `folder`."""

    def __init__(self, connection: socket.socket, folder: str) -> None:
        self.rundir = os.path.join(folder, "probe")
        self._connection = connection

    def steps(self) -> Iterator[str]:
        """What happened, as it happens. Raises DaemonError for what must not."""
        spec = TaskSpec(
            "dfm.probe", self.rundir, self.rundir, "bash", f"uname -n > {HOST_FILE}", b"{}", None,
            {}, [], 1, _WALLTIME_S, b"[]",
        )  # fmt: skip
        environment = {"PATH": os.environ.get("PATH", os.defpath)}
        self._send(hello(secrets.token_hex(6)))
        said: set[str] = set()
        for message in self._messages():
            match message:
                case wire.Welcome():
                    self._send(
                        wire.Blob(0, msgpack.packb(environment)),
                        wire.Shape(0, "probe", 1),
                        wire.Submit(1, spec.name, SPEC.pack(spec), [0], 0, walltime_s=_WALLTIME_S),
                    )
                case wire.Finished(task, attempt, packed):
                    yield _ended(RESULT.unpack(packed))
                    self._send(wire.Acknowledged(task, attempt), wire.Bye())
                    return
                case wire.Workers(serving, pending, problem, waits):
                    for step in _seen(serving, pending, problem or waits):
                        if step not in said:
                            said.add(step)
                            yield step
                case wire.Lost(_, _, reason, is_final):
                    if is_final:
                        raise DaemonError(f"the probe is lost: {reason}")
                    yield f"a worker was lost, the probe is run again: {reason}"
                case wire.Refused(reason, hint):
                    raise DaemonError(f"the daemon refused: {reason}", hint=hint)
                case wire.Stopping(reason):
                    raise DaemonError(f"the daemon ended: {reason}")

    def _send(self, *messages: NamedTuple) -> None:
        self._connection.settimeout(ANSWER_S)
        try:
            self._connection.sendall(CLIENT_LINK.encode(*messages))
        except OSError as error:
            raise DaemonError(f"the daemon is gone: {error}") from None

    def _messages(self) -> Iterator[Any]:
        decoder = Decoder(CLIENT_LINK, FRAME_LIMIT)
        deadline = time.monotonic() + PATIENCE_S
        while (left_s := deadline - time.monotonic()) > 0:
            self._connection.settimeout(left_s)
            try:
                data = self._connection.recv(1 << 16)
                if not data:
                    raise DaemonError("the daemon closed the connection")
                yield from decoder.feed(data)
            except TimeoutError:
                break
            except (OSError, ProtocolError) as error:
                raise DaemonError(f"the daemon is gone: {error}") from None
        raise DaemonError(f"no result after {PATIENCE_S:.0f} s", hint="the job may still pend")


def _seen(serving: int, pending: int, problem: str) -> Iterator[str]:
    if problem:
        yield f"the scheduler says: {problem}"
    elif serving:
        yield "the worker has connected"
    elif pending:
        yield "the job is submitted"


def _ended(result: TaskResult) -> str:
    if result.status or result.failure:
        reason = result.failure or f"status {result.status}"
        raise DaemonError(f"the worker cannot run a task: {reason}")
    return "the task has run, its result is here"
