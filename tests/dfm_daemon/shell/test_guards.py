"""What a peer is taken for at the TCP port, by what it has proved."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from dfm import credentials as own
from dfm.client.line import Elsewhere
from dfm.errors import DaemonError
from dfm.link import Link
from dfm.version import VERSION
from dfm.wire import client, worker
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.prelude import CLIENT, WORKER
from dfm.wire.worker import WORKER_LINK
from dfm_daemon.shell import certificates, credentials, guards
from dfm_daemon.shell.credentials import Credentials
from dfm_daemon.shell.door import Door
from tests.dfm_daemon.shell.conftest import play, until

WORKERS = worker.Hello(MAJOR, MINOR, VERSION, "w1", "host", 1, "", 1, 1, None, [], [])
CLIENTS = client.Hello(MAJOR, MINOR, VERSION, "", 1, "ann", "desk")
Seen = list[tuple[str, NamedTuple]]
EACH = pytest.mark.parametrize("tls", [True, False], ids=["TLS", "no TLS"])


@asynccontextmanager
async def port(made: Credentials) -> AsyncIterator[tuple[tuple[str, int], Seen]]:
    """A door, and who has come in as what."""
    seen: Seen = []
    links: list[Link] = []

    def meet(role: str) -> Callable[[Link, NamedTuple], None]:
        def note(link: Link, hello: NamedTuple) -> None:
            links.append(link)
            seen.append((role, hello))

        return note

    with socket.create_server(("127.0.0.1", 0)) as listener:
        halls = {role: meet(role) for role in (WORKER, CLIENT)}
        task = asyncio.create_task(Door(listener, credentials.guard(made), halls).serve())
        yield listener.getsockname(), seen
        for link in links:
            link.cut("the test is over")
            await link.closed
        task.cancel()
        await asyncio.wait([task])


def say(address: tuple[str, int], file: str, data: bytes) -> bytes:
    """What is answered before the connection ends; it stays open until then."""
    with own.connect([address], file) as sock:
        sock.settimeout(30)
        sock.sendall(data)
        try:
            return sock.recv(1000)
        except OSError:
            return b""


@EACH
def test_a_peer_is_what_its_credentials_are_for(tls: bool, tmp_path: Path) -> None:
    made = credentials.make(str(tmp_path), tls=tls)

    async def scene() -> None:
        async with port(made) as (address, seen):
            saying = [
                asyncio.create_task(asyncio.to_thread(say, address, file, link.encode(hello)))
                for file, link, hello in (
                    (made.worker, WORKER_LINK, WORKERS),
                    (made.client, CLIENT_LINK, CLIENTS),
                )
            ]
            await until(lambda: len(seen) == 2)
        await asyncio.gather(*saying)
        assert sorted(seen) == [(CLIENT, CLIENTS), (WORKER, WORKERS)]

    play(scene)


@EACH
def test_who_says_that_it_is_another_is_cut_off(tls: bool, tmp_path: Path) -> None:
    made = credentials.make(str(tmp_path), tls=tls)

    async def scene() -> None:
        async with port(made) as (address, seen):
            for file, data in (
                (made.worker, CLIENT_LINK.encode(CLIENTS)),
                (made.client, WORKER_LINK.encode(WORKERS)),
            ):
                assert await asyncio.to_thread(say, address, file, data) == b""
            assert not seen

    play(scene)


@EACH
def test_a_client_attaches_its_loop_to_the_first_address_that_is_its_daemon(
    tls: bool, tmp_path: Path
) -> None:
    made = credentials.make(str(tmp_path / "ours"), tls=tls)
    foreign = credentials.make(str(tmp_path / "foreign"), tls=tls)

    async def scene() -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = closed.getsockname()
        async with port(foreign) as (wrong, _), port(made) as (right, seen):
            link = Link(CLIENT_LINK, "daemon")
            await Elsewhere("it", [nobody, wrong, right], made.client).attach(link)
            link.send(CLIENTS)
            await until(lambda: seen)
            with pytest.raises(DaemonError, match="it and cannot be reached") as caught:
                await Elsewhere("it", [nobody, wrong], made.client).attach(link)
            for address in (nobody, wrong):
                assert f"127.0.0.1:{address[1]}: " in str(caught.value)
        await link.closed

    play(scene)


def test_with_tls_and_without_do_not_understand_each_other(tmp_path: Path) -> None:
    certified = credentials.make(str(tmp_path / "tls"))
    secret = credentials.make(str(tmp_path / "plain"), tls=False)

    async def scene() -> None:
        for daemon, peer in ((certified, secret), (secret, certified)):
            async with port(daemon) as (address, seen):
                with pytest.raises(DaemonError, match="no daemon answers at"):
                    await asyncio.to_thread(own.connect, [address], peer.worker)
                assert not seen

    play(scene)


def test_a_certificate_of_the_authority_for_nobody_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(guards.SUBJECTS, WORKER, "dfm stranger")
    made = credentials.make(str(tmp_path))
    assert certificates.are_good(*(Path(path).read_text() for path in made))

    async def scene() -> None:
        async with port(made) as (address, seen):
            data = WORKER_LINK.encode(WORKERS)
            assert await asyncio.to_thread(say, address, made.worker, data) == b""
            assert not seen

    play(scene)
