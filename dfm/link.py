"""One connection in an asyncio loop: bytes in, messages out, and back. The daemon has them to its
workers and clients, a run to its daemon."""

import asyncio
import socket
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeVar, cast

from dfm.errors import ProtocolError
from dfm.wire.codec import FRAME_LIMIT, HELLO_LIMIT, Catalogue, Decoder
from dfm.wire.prelude import Step

Proved = TypeVar("Proved")

_MENTIONS = 64  # that wait for something to be said
_MENTION_S = 0.5  # and for how long
MOST_UNSENT = 256 * 1024 * 1024  # bytes; a peer that is further behind is cut off


# What arrives is split before the next read, so that one buffer serves all links of the process;
# else uvloop takes and returns 256 KiB of fresh memory for each read from a TLS connection.
_BUFFER = memoryview(bytearray(64 * 1024))


class Link(asyncio.BufferedProtocol):
    """What is sent during one turn of the loop is one write.

    `hear` gets every message, `lost` is called once, with the reason. Whoever has no use for more than
    one message yet leaves `hear` as it is and waits for `first`. Until `trust`, a frame may be as
    long as a hello, and no longer. `made` is called before anything is heard.
    """

    def __init__(self, catalogue: Catalogue, peer: str) -> None:
        self.peer = peer
        self.hear: Callable[[Any], None] = self._take_first
        self.lost: Callable[[str], None] = lambda reason: None
        self.made: Callable[[asyncio.Transport], None] = lambda transport: None
        self._loop = asyncio.get_running_loop()
        self.first: asyncio.Future[Any] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._catalogue = catalogue
        self._decoder = Decoder(catalogue, HELLO_LIMIT)
        self._transport: asyncio.Transport | None = None
        self._unsent: list[NamedTuple] = []
        self._is_scheduled = False
        self._mention: asyncio.TimerHandle | None = None
        self._reason = ""

    def speak(self, catalogue: Catalogue) -> None:
        """Which messages are meant, where the peer's certificate says so. Before anything is heard."""
        self._catalogue = catalogue
        self._decoder = Decoder(catalogue, self._decoder.limit)

    def trust(self) -> None:
        """The peer is known: it may send as much as messages take."""
        self._decoder.limit = FRAME_LIMIT

    def send(self, message: NamedTuple) -> None:
        """Says something at the end of this turn of the loop."""
        self._unsent.append(message)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._flush)

    def mention(self, message: NamedTuple) -> None:
        """Says something that can wait for the next message, which wakes the peer anyhow; but not for
        ever: a worker that drains waits for what nobody else waits for."""
        self._unsent.append(message)
        if len(self._unsent) >= _MENTIONS and not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._flush)
        elif self._mention is None:
            self._mention = self._loop.call_later(_MENTION_S, self._flush_mentions)

    def close(self) -> None:
        """Ends the connection after what was sent."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def cut(self, reason: str) -> None:
        """Ends the connection at once."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but by duck typing
        self.made(self._transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        try:
            for message in self._decoder.feed(_BUFFER[:nbytes]):
                self.hear(message)
        except ProtocolError as error:
            self.cut(f"not understood: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._mention is not None:
            self._mention.cancel()
        reason = self._reason or (str(exc) if exc else "connection closed")
        if not self.first.done():
            self.first.set_exception(ConnectionError(reason))
            self.first.exception()  # whoever waits for it hears of it, else nobody has to
        if not self.closed.done():  # whoever waited for it may have been cancelled
            self.closed.set_result(None)
        self.lost(reason)

    def _flush_mentions(self) -> None:
        self._mention = None
        if not self._is_scheduled:
            self._flush()

    def _flush(self) -> None:
        self._is_scheduled = False
        messages, self._unsent = self._unsent, []
        if not messages or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(self._catalogue.encode(*messages))
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.cut(f"more than {MOST_UNSENT} bytes behind")

    def _take_first(self, message: Any) -> None:
        """The first message; whoever waits for it decides what the next ones mean."""
        if not self.first.done():
            self.first.set_result(message)
        else:
            raise ProtocolError("it did not wait for an answer to its first message")


async def converse(sock: socket.socket, talk: Generator[Step, bytes, Proved]) -> Proved:
    """Says and hears over a socket what a prelude wants, and not one byte more; returns what it has
    proved. Raises OSError, and the ProtocolError of `talk`."""
    loop = asyncio.get_running_loop()
    step = next(talk)
    while True:
        if step.say:
            await loop.sock_sendall(sock, step.say)
        heard = b""
        while len(heard) < step.wants:
            more = await loop.sock_recv(sock, step.wants - len(heard))
            if not more:
                raise ConnectionError("connection closed")
            heard += more
        try:
            step = talk.send(heard)
        except StopIteration as end:
            return cast(Proved, end.value)
