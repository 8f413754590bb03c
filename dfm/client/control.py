"""Asks and steers a daemon: one question after the other, over a blocking socket."""

import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, Self, TypeVar

from dfm.client.find import reach
from dfm.config.state_folder import StateFolder
from dfm.config.this_host import host_name, user_name
from dfm.errors import DaemonError, ProtocolError
from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT, MAJOR, MINOR, Decoder

ANSWER_S = 20.0
Answer = TypeVar("Answer", bound=NamedTuple)


def hello(run: str, *, is_back: bool = False) -> wire.Hello:
    """How this process introduces itself."""
    return wire.Hello(MAJOR, MINOR, VERSION, run, os.getpid(), user_name(), host_name(), is_back)


class Control:
    """A connection to a living daemon. Raises DaemonError when it does not answer."""

    def __init__(self, connection: socket.socket, *, is_here: bool = True) -> None:
        self.is_here = is_here  # on this host
        self._connection = connection
        self._connection.settimeout(ANSWER_S)
        self._messages = self._read()
        self._send(hello(""))
        first = self._next()
        if isinstance(first, wire.Refused):
            raise DaemonError(f"the daemon refused: {first.reason}", hint=first.hint)
        if not isinstance(first, wire.Welcome):
            raise DaemonError(f"the daemon answered with {type(first).__name__}")
        self.welcome = first

    @classmethod
    def of(cls, state: StateFolder) -> Self | None:
        """To the daemon of this project; None if there is none that lives.

        Raises DaemonError for one that is silent, or that this host cannot reach.
        """
        line = reach(state)
        return None if line is None else cls(line.open(), is_here=line.is_here)

    def status(self) -> dict[str, Any]:
        """The document of `dfm daemon status --json`."""
        document: dict[str, Any] = json.loads(self._ask(wire.AskStatus(), wire.Status).document)
        return document

    def why(self, task: str) -> dict[str, Any]:
        """What `wire.Why` says."""
        document: dict[str, Any] = json.loads(self._ask(wire.AskWhy(task), wire.Why).document)
        return document

    def snapshot(self, since: int, rows: int) -> wire.Snapshot:
        """How things stand, with at most `rows` tasks that run and that ended after number `since`."""
        return self._ask(wire.AskSnapshot(since, rows), wire.Snapshot)

    def ping(self) -> float:
        """Seconds of one round trip."""
        began = time.perf_counter()
        self._ask(wire.Ping(0), wire.Pong)
        return time.perf_counter() - began

    def ask_to_stop(self, *, drain: bool) -> None:
        """It answers by closing the connection."""
        self._send(wire.Stop(drain))

    def is_ending(self, timeout_s: float) -> bool:
        """Whether it says so, or closes the connection, within this time."""
        return bool(select.select([self._connection], [], [], timeout_s)[0])

    def peer_pid(self) -> int:
        """The daemon's process, if this one could see it; else 0. unix(7), SO_PEERCRED."""
        if not self.is_here:
            return 0
        size = struct.calcsize("3i")
        said = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("3i", said)[0])

    def close(self) -> None:
        self._connection.close()

    def _ask(self, question: NamedTuple, kind: type[Answer]) -> Answer:
        self._send(question)
        answer = self._next()
        if isinstance(answer, wire.Stopping):
            raise DaemonError(f"the daemon ends: {answer.reason}")
        if not isinstance(answer, kind):
            raise DaemonError(f"the daemon answered with {type(answer).__name__}")
        return answer

    def _send(self, message: NamedTuple) -> None:
        try:
            self._connection.sendall(CLIENT_LINK.encode(message))
        except OSError as error:
            raise DaemonError(f"the daemon is gone: {error}") from None

    def _next(self) -> Any:
        message = next(self._messages, None)
        if message is None:
            raise DaemonError("the daemon closed the connection")
        return message

    def _read(self) -> Iterator[Any]:
        decoder = Decoder(CLIENT_LINK, FRAME_LIMIT)
        while True:
            try:
                data = self._connection.recv(1 << 16)
            except TimeoutError:
                raise DaemonError("the daemon does not answer in time") from None
            except OSError as error:
                raise DaemonError(f"the daemon is gone: {error}") from None
            if not data:
                return
            try:
                yield from decoder.feed(data)
            except ProtocolError as error:
                raise DaemonError(f"what answers is no daemon of dfm: {error}") from error
