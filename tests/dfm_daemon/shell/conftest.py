"""Peers of the daemon's shell, at the other end of real sockets in a real loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvloop

from dfm.link import Link
from dfm.wire.codec import FRAME_LIMIT, Catalogue, Decoder

PATIENCE_S = 60.0


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Runs a coroutine function in the kind of loop that a daemon has."""

    async def within_patience() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await scene()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(within_patience())


async def until(condition: Callable[[], object]) -> None:
    """Waits until the condition is true; `play` ends a wait that is in vain."""
    while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of tests
        await asyncio.sleep(0.002)


class Peer:
    """The other end of a link: a plain socket."""

    def __init__(self, sock: socket.socket, catalogue: Catalogue) -> None:
        sock.setblocking(False)
        self.socket = sock
        self._loop = asyncio.get_running_loop()
        self._catalogue = catalogue
        self._decoder = Decoder(catalogue, FRAME_LIMIT)
        self._heard: list[Any] = []

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.socket, data)

    async def say(self, *messages: NamedTuple) -> None:
        await self.write(self._catalogue.encode(*messages))

    async def hear(self) -> Any:
        """The next message; None at the end of the connection."""
        while not self._heard:
            try:
                data = await self._loop.sock_recv(self.socket, 1 << 16)
            except ConnectionError:
                return None
            if not data:
                return None
            self._heard += self._decoder.feed(data)
        return self._heard.pop(0)

    async def is_cut_off(self) -> bool:
        """Waits for it, whatever is said before."""
        while await self.hear() is not None:
            pass
        return True

    def hang_up(self) -> None:
        self.socket.close()


@asynccontextmanager
async def connected(catalogue: Catalogue) -> AsyncIterator[tuple[Link, Peer]]:
    """A link that nobody has greeted yet, and its peer."""
    ours, theirs = socket.socketpair()
    link = Link(catalogue, "a peer")
    peer = Peer(theirs, catalogue)
    await asyncio.get_running_loop().create_connection(lambda: link, sock=ours)
    try:
        yield link, peer
    finally:
        link.cut("the test is over")
        await asyncio.wait([link.closed])
        peer.hang_up()
