import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

import pytest
import uvloop

from dfm import link as module
from dfm.link import Link
from dfm.wire import worker as wire
from dfm.wire.codec import HELLO_LIMIT
from dfm.wire.worker import WORKER_LINK

DEADLINE_S = 10.0
BEAT = WORKER_LINK.encode(wire.Beat())

Scene = Callable[[], Awaitable[None]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    """Runs a coroutine function in a loop of either kind."""

    def run(scene: Scene) -> None:
        async def within_deadline() -> None:
            async with asyncio.timeout(DEADLINE_S):
                await scene()

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(within_deadline())

    return run


class Recording:
    """A transport that remembers what was written."""

    def __init__(self, transport: asyncio.BaseTransport, writes: list[bytes]) -> None:
        self._transport = transport
        self._writes = writes

    def write(self, data: bytes) -> None:
        self._writes.append(data)
        cast(asyncio.Transport, self._transport).write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Peer:
    """The other end of a link: a plain socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self.sock = sock
        self.writes: list[bytes] = []  # of the link to it

    async def read(self) -> bytes:
        return await self._loop.sock_recv(self.sock, 1 << 20)

    async def read_all(self) -> bytes:
        text = b""
        while more := await self.read():
            text += more
        return text

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, data)


class Heard:
    """What a link was told, and how it ended."""

    def __init__(self, link: Link) -> None:
        self.messages: list[Any] = []
        self.reasons: list[str] = []
        link.hear = self.messages.append
        link.lost = self.reasons.append


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Link, Peer]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    link = Link(WORKER_LINK, "peer")
    with theirs:
        peer = Peer(theirs)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: link, sock=ours)
        link.connection_made(cast(asyncio.Transport, Recording(transport, peer.writes)))
        yield link, peer
        link.cut("the test is over")
        await asyncio.wait([link.closed])


async def turns(count: int = 3) -> None:
    """Lets the loop turn without anything happening."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_is_sent_during_one_turn_is_one_write(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            sent: list[NamedTuple] = [wire.Beat(), wire.Drain("x"), wire.Beat()]
            for message in sent:
                link.send(message)
            assert not peer.writes
            assert await peer.read() == WORKER_LINK.encode(*sent)
            link.send(wire.Beat())
            assert await peer.read() == BEAT
            assert len(peer.writes) == 2

    play(scene)


def test_messages_are_heard_in_order_whatever_the_pieces(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            heard = Heard(link)
            sent: list[NamedTuple] = [wire.Drain(str(number)) for number in range(50)]
            data = WORKER_LINK.encode(*sent)
            for start in range(0, len(data), 7):
                await peer.write(data[start : start + 7])
            peer.sock.close()
            await link.closed
            assert heard.messages == sent

    play(scene)


def test_a_link_whose_peer_goes_is_lost_once(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            heard = Heard(link)
            peer.sock.close()
            await link.closed
            link.cut("too late")
            link.send(wire.Beat())
            link.close()
            await turns()
            assert heard.reasons == ["connection closed"]

    play(scene)


def test_a_link_is_lost_also_when_somebody_gave_up_waiting_for_it(
    play: Callable[[Scene], None],
) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            lost = asyncio.Event()
            link.lost = lambda reason: lost.set()
            waiting = asyncio.create_task(wait_for(link.closed))
            await turns()
            waiting.cancel()
            await asyncio.wait([waiting])
            peer.sock.close()
            await lost.wait()

    play(scene)


async def wait_for(future: asyncio.Future[None]) -> None:
    await future


def test_the_first_message_is_there_to_wait_for(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            await peer.write(BEAT)
            assert type(await link.first) is wire.Beat

    play(scene)


def test_whoever_waits_for_the_first_message_hears_that_there_is_none(
    play: Callable[[Scene], None],
) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            peer.sock.close()
            with pytest.raises(ConnectionError, match="connection closed"):
                await link.first

    play(scene)


def test_nobody_has_to_wait_for_the_first_message(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            peer.sock.close()
            await link.closed  # a future whose error nobody asks for would be a warning

    play(scene)


def test_a_peer_that_speaks_again_before_it_is_let_in_is_cut_off(
    play: Callable[[Scene], None],
) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            reasons: list[str] = []
            link.lost = reasons.append
            await peer.write(BEAT + BEAT)
            await link.closed
            assert type(link.first.result()) is wire.Beat
            assert "did not wait" in reasons[0]

    play(scene)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x01\xc1"])
def test_a_peer_that_speaks_something_else_is_cut_off(
    play: Callable[[Scene], None], sent: bytes
) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            heard = Heard(link)
            await peer.write(sent)
            await link.closed
            assert heard.reasons[0].startswith("not understood: ")
            assert not heard.messages

    play(scene)


def test_a_stranger_may_send_no_more_than_a_hello(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        long = WORKER_LINK.encode(wire.Drain("x" * HELLO_LIMIT))
        async with connected() as (link, peer):
            heard = Heard(link)
            await peer.write(long[:4])  # its length tells
            await link.closed
            assert f"more than the {HELLO_LIMIT} allowed" in heard.reasons[0]
        async with connected() as (link, peer):
            heard = Heard(link)
            link.trust()
            await peer.write(long)
            peer.sock.close()
            await link.closed
            assert [len(message.reason) for message in heard.messages] == [HELLO_LIMIT]

    play(scene)


def test_what_is_mentioned_goes_with_the_next_message(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            link.mention(wire.Forget("r"))
            await turns()
            with pytest.raises(BlockingIOError):
                peer.sock.recv(1)
            link.send(wire.Beat())
            assert await peer.read() == WORKER_LINK.encode(wire.Forget("r"), wire.Beat())

    play(scene)


def test_what_is_mentioned_goes_out_in_the_end_though_nothing_more_is_said(
    play: Callable[[Scene], None],
) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            for number in ("1", "2"):
                link.mention(wire.Forget(number))
                assert await peer.read() == WORKER_LINK.encode(wire.Forget(number))

    play(scene)


def test_many_mentions_wait_for_nobody(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            mentions: list[NamedTuple] = [wire.Forget(str(n)) for n in range(module._MENTIONS)]
            for message in mentions:
                link.mention(message)
            assert await peer.read() == WORKER_LINK.encode(*mentions)

    play(scene)


def test_closing_says_what_was_to_be_said(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            heard = Heard(link)
            link.mention(wire.Forget("r"))
            link.send(wire.Stop("over"))
            link.close()
            assert await peer.read_all() == WORKER_LINK.encode(wire.Forget("r"), wire.Stop("over"))
            await link.closed
            assert heard.reasons == ["connection closed"]

    play(scene)


def test_a_cut_is_told_by_its_first_reason(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            heard = Heard(link)
            link.cut("first")
            link.cut("second")
            await link.closed
            assert heard.reasons == ["first"]
            assert await peer.read_all() == b""

    play(scene)


def test_a_link_may_be_closed_or_cut_before_it_is_connected(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        link = Link(WORKER_LINK, "peer")
        link.send(wire.Beat())
        link.close()
        link.cut("never")
        await turns()

    play(scene)


def test_a_peer_that_does_not_read_is_cut_off(
    play: Callable[[Scene], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_UNSENT", 1_000_000)

    async def scene() -> None:
        async with connected() as (link, _):
            heard = Heard(link)
            while not link.closed.done():
                link.send(wire.Drain("x" * 100_000))
                await asyncio.sleep(0)
            assert heard.reasons == ["more than 1000000 bytes behind"]

    play(scene)


def test_a_slow_reader_gets_everything(play: Callable[[Scene], None]) -> None:
    async def scene() -> None:
        async with connected() as (link, peer):
            sent: list[NamedTuple] = [wire.Drain(str(number) * 20_000) for number in range(100)]
            for message in sent:
                link.send(message)
            link.close()
            assert await peer.read_all() == WORKER_LINK.encode(*sent)

    play(scene)
