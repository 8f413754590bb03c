"""Asks and steers a daemon: one question after the other, over a blocking socket."""

import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from dfm.client.find import reach
from dfm.config.state_folder import StateFolder
from dfm.config.this_host import host_name, user_name
from dfm.errors import DaemonError, ProtocolError
from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT, MAJOR, MINOR, Decoder

ANSWER_S = 20.0


def hello(run: str) -> wire.Hello:
    """How this process introduces itself."""
    return wire.Hello(MAJOR, MINOR, VERSION, run, os.getpid(), user_name(), host_name())


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
        self._send(wire.AskStatus())
        answer = self._next()
        if not isinstance(answer, wire.Status):
            raise DaemonError(f"the daemon answered with {type(answer).__name__}")
        document: dict[str, Any] = json.loads(answer.document)
        return document

    def stop(self, *, drain: bool, timeout_s: float | None) -> None:
        """Asks it to end, and waits until it closes the connection."""
        self._send(wire.Stop(drain))
        self._connection.settimeout(timeout_s)
        for _ in self._messages:
            pass

    def peer_pid(self) -> int:
        """The daemon's process, if this one could see it; else 0. unix(7), SO_PEERCRED."""
        if not self.is_here:
            return 0
        size = struct.calcsize("3i")
        said = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("3i", said)[0])

    def close(self) -> None:
        self._connection.close()

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
