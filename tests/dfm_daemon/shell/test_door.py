"""Who comes in by the daemon's doors, and who does not."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dfm.link import Link
from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.prelude import CLIENT, WORKER
from dfm_daemon.shell import credentials
from dfm_daemon.shell import door as module
from dfm_daemon.shell.door import Door
from dfm_daemon.shell.guards import Arrived, Guard, UserGuard
from tests.dfm_daemon.shell.conftest import Peer, play, until

HELLO = wire.Hello(MAJOR, MINOR, VERSION, "run", 1, "ann", "desk")
FOR_EVER_S = 1e6


class Hall:
    """An open door, and whoever has come in."""

    def __init__(self, listener: socket.socket) -> None:
        self.address: Any = listener.getsockname()
        self.guests: list[Link] = []
        self.hellos: list[Any] = []
        self.admit: Callable[[Link, Any], None] = self._welcome
        self._family = listener.family

    def _welcome(self, link: Link, hello: Any) -> None:
        self.guests.append(link)
        self.hellos.append(hello)

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[Peer]:
        sock = socket.socket(self._family)
        sock.setblocking(False)
        peer = Peer(sock, CLIENT_LINK)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self.address)
            yield peer
        finally:
            peer.hang_up()

    async def lets_in(self) -> None:
        """Whoever says hello."""
        known = len(self.guests)
        async with self.stranger() as peer:
            await peer.say(HELLO)
            await until(lambda: len(self.guests) > known)
        assert self.hellos[-1] == HELLO


@asynccontextmanager
async def door(listener: socket.socket, guard: Guard) -> AsyncIterator[Hall]:
    hall = Hall(listener)
    with listener:
        halls = dict.fromkeys((WORKER, CLIENT), lambda *who: hall.admit(*who))
        serving = Door(listener, guard, halls)
        task = asyncio.create_task(serving.serve())
        try:
            yield hall
            assert not task.done()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for guest in hall.guests:
                guest.cut("the test is over")
            await asyncio.gather(*(guest.closed for guest in hall.guests))


class Anybody:
    """A guard who asks nothing."""

    async def let_through(self, connection: socket.socket, peer: str) -> Arrived:
        link = Link(CLIENT_LINK, peer)
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: link, connection)
        return Arrived(link, CLIENT)


def tcp(guard: Guard | None = None) -> Any:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    return door(listener, guard or Anybody())


def unix(folder: Path, uid: int) -> Any:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()
    return door(listener, UserGuard({uid}))


@pytest.fixture(autouse=True)
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door's patience ends only where a test says so."""
    monkeypatch.setattr(module, "HELLO_S", FOR_EVER_S)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, endless: None) -> None:
    monkeypatch.setattr(module, "HELLO_S", 0.1)


def test_whoever_says_hello_is_let_in() -> None:
    async def scene() -> None:
        async with tcp() as hall:
            await hall.lets_in()

    play(scene)


@pytest.mark.usefixtures("impatient")
def test_a_silent_peer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with tcp() as hall, hall.stranger() as peer:
            assert await peer.is_cut_off()
            assert not hall.guests
            monkeypatch.setattr(module, "HELLO_S", FOR_EVER_S)
            await hall.lets_in()

    play(scene)


@pytest.mark.usefixtures("impatient")
def test_a_peer_that_says_its_hello_byte_by_byte_is_cut_off() -> None:
    async def trickle(peer: Peer) -> None:
        with suppress(ConnectionError):
            while True:
                await peer.write(b"\0")  # of a length, and of an array without an end
                await asyncio.sleep(0.001)

    async def scene() -> None:
        async with tcp() as hall, hall.stranger() as peer:
            await peer.write((60_000).to_bytes(4, "big"))
            talking = asyncio.create_task(trickle(peer))
            assert await peer.is_cut_off()
            await talking
            assert not hall.guests

    play(scene)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x02\xc1\xc1",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x7f\xff\xff\xff",
        CLIENT_LINK.encode(HELLO)[:4] + b"x" * 60,
        (1 << 17).to_bytes(4, "big"),
    ],
    ids=["no MessagePack", "HTTP", "2 GiB", "no array", "more than a hello"],
)
def test_garbage_is_cut_off_at_once(data: bytes) -> None:
    async def scene() -> None:
        async with tcp() as hall, hall.stranger() as peer:
            await peer.write(data)
            assert await peer.is_cut_off()
            assert not hall.guests
            await hall.lets_in()

    play(scene)


def test_a_peer_that_hangs_up_without_a_hello_leaves_the_door_open() -> None:
    async def scene() -> None:
        async with tcp() as hall:
            async with hall.stranger():
                pass
            await hall.lets_in()

    play(scene)


@pytest.mark.parametrize("data", [CLIENT_LINK.encode(HELLO), b"\x16\x03\x01", b""])
@pytest.mark.usefixtures("impatient")
def test_a_peer_without_tls_is_cut_off_where_tls_is_wanted(data: bytes, tmp_path: Path) -> None:
    guard = credentials.guard(credentials.make(str(tmp_path)))

    async def scene() -> None:
        async with tcp(guard) as hall, hall.stranger() as peer:
            await peer.write(data)
            loop = asyncio.get_running_loop()
            with suppress(ConnectionError):
                while await loop.sock_recv(peer.socket, 1000):
                    pass
            assert not hall.guests

    play(scene)


def test_a_peer_with_the_projects_certificate_is_let_in_and_none_with_anothers(
    tmp_path: Path,
) -> None:
    ours = credentials.make(str(tmp_path / "ours"))
    foreign = credentials.make(str(tmp_path / "foreign"))

    async def say_hello(address: Any, pem: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(pem)
        reader, writer = await asyncio.open_connection(*address, ssl=context)
        writer.write(CLIENT_LINK.encode(HELLO))
        with suppress(ConnectionError, ssl.SSLError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def scene() -> None:
        async with tcp(credentials.guard(ours)) as hall:
            for pem in (foreign.worker, foreign.daemon, ours.daemon):
                await say_hello(hall.address, pem)
                assert not hall.guests
            saying = asyncio.create_task(say_hello(hall.address, ours.client))
            await until(lambda: hall.guests)
            hall.guests[0].cut("seen")
            await saying

    play(scene)


def test_a_process_of_another_user_is_not_heard(tmp_path: Path) -> None:
    async def scene() -> None:
        async with unix(tmp_path, os.geteuid() + 1) as hall, hall.stranger() as peer:
            with suppress(ConnectionError):
                await peer.say(HELLO)
            assert await peer.is_cut_off()
            assert not hall.guests

    play(scene)


def test_a_process_of_the_own_user_is_let_in(tmp_path: Path) -> None:
    async def scene() -> None:
        async with unix(tmp_path, os.geteuid()) as hall:
            await hall.lets_in()

    play(scene)


def test_a_crowd_that_says_nothing_does_not_keep_a_worker_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)

    async def scene() -> None:
        async with tcp() as hall, AsyncExitStack() as crowd:
            silent = [await crowd.enter_async_context(hall.stranger()) for _ in range(300)]
            await hall.lets_in()
            assert await silent[0].is_cut_off(), "who has waited longest goes first"
            assert len(hall.guests) == 1

    play(scene)


def test_strangers_of_one_address_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with tcp() as hall:
            for _ in range(3):
                async with hall.stranger() as peer:
                    await peer.write(b"\xff\xff\xff\xff")
                    assert await peer.is_cut_off()
            await hall.lets_in()

    with caplog.at_level(logging.WARNING):
        play(scene)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("refused a stranger at 127.0.0.1: not understood: a frame of 4294967295")


def test_the_door_stays_open_when_greeting_a_peer_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with tcp() as hall:
            welcome, hall.admit = hall.admit, lambda link, hello: 1 / 0
            async with hall.stranger() as peer:
                await peer.say(HELLO)
                assert await peer.is_cut_off()
            hall.admit = welcome
            await hall.lets_in()

    play(scene)
    assert "a fault of dfm, with the peer at 127.0.0.1" in caplog.text
