"""The clients' side of the daemon: real links, a peer that plays the client, and what is told."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest

from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import HELLO_LIMIT, MAJOR, MINOR
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import Demand, PoolLimits, RunId, Shape
from dfm_daemon.shell.clients import Clients
from dfm_daemon.shell.questions import Questions
from dfm_daemon.shell.workers import Blobs
from tests.dfm_daemon.shell.conftest import Peer, connected, play, until

R1, R2 = RunId("r1"), RunId("r2")
WELCOME = wire.Welcome(MAJOR, MINOR, VERSION, 4711, "local")
SUBMIT = wire.Submit(1, "flow.task", b"spec", [0], 3, 0, 5, 60, {"lic": 1}, 1.5)
SHAPE = wire.Shape(3, "2c", 2)
SNAPSHOT = wire.Snapshot(1.5, [], [], 0, {"total": 0}, {"queued": 0}, [])


def hello(run: str = "r1", **changed: Any) -> wire.Hello:
    return wire.Hello(MAJOR, MINOR, VERSION, run, 7, "ann", "desk")._replace(**changed)


class Office:
    """The daemon's clients, and what its scheduler is told."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.told: list[Event] = []
        self.left_count = 0
        self.blobs = Blobs()
        self.asked: list[tuple[str, int, str]] = []
        core = Scheduler(Settings("sim", lambda _: PoolLimits(0, 1, 0.0, 1, 1)))
        questions = Questions(core, lambda *asked: self.asked.append(asked), lambda: 0.0)
        self.clients = Clients(
            self.told.append,
            self.blobs,
            WELCOME,
            lambda: b'{"running": true}',
            questions,
            self._leave,
            lambda ask: SNAPSHOT._replace(ended_count=ask.since),
        )
        self._stack = stack

    def _leave(self) -> None:
        self.left_count += 1

    async def meet(self, first: NamedTuple) -> Peer:
        """Somebody comes in by the door."""
        link, peer = await self._stack.enter_async_context(connected(CLIENT_LINK))
        await peer.say(first)
        self.clients.meet(link, await link.first)
        return peer

    async def join(self, run: str = "r1") -> Peer:
        peer = await self.meet(hello(run))
        assert await peer.hear() == WELCOME
        self.told.clear()
        return peer

    async def is_told(self, *expected: Event) -> None:
        await until(lambda: len(self.told) >= len(expected))
        assert self.told == list(expected)
        self.told.clear()

    async def is_served(self, peer: Peer) -> None:
        await peer.say(wire.AskStatus())
        assert await peer.hear() == wire.Status(b'{"running": true}')


def with_office(scene: Callable[[Office], Awaitable[None]]) -> None:
    async def within() -> None:
        async with AsyncExitStack() as stack:
            await scene(Office(stack))

    play(within)


def test_a_run_that_says_hello_is_welcome_and_told() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(hello())
        assert await peer.hear() == WELCOME
        await office.is_told(events.RunJoined(R1, 7, "ann", "desk"))

    with_office(scene)


def test_who_only_asks_is_answered_and_not_told() -> None:
    async def scene(office: Office) -> None:
        peer = await office.join("")
        await office.is_served(peer)
        peer.hang_up()
        other = await office.join("")
        await office.is_served(other)
        assert not office.told
        assert not office.left_count

    with_office(scene)


@pytest.mark.parametrize("drain", [False, True])
def test_whoever_may_ask_may_stop_the_daemon(drain: bool) -> None:
    async def scene(office: Office) -> None:
        peer = await office.join("")
        await peer.say(wire.Stop(drain))
        await office.is_told(events.StopAsked(drain))

    with_office(scene)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (
            SUBMIT,
            events.TaskSubmitted(
                R1,
                1,
                "flow.task",
                b"spec",
                (0,),
                Shape("2c", 2),
                0,
                Demand(5, 60, (("lic", 1),), 1.5),
            ),
        ),
        (wire.Acknowledged(1, 2), events.ResultTaken(R1, 1, 2)),
        (wire.Withdraw(), events.RunWithdrew(R1)),
        (wire.Cancel(5.0), events.RunCancelled(R1, 5.0)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_run_says_is_told(message: NamedTuple, event: Event) -> None:
    async def scene(office: Office) -> None:
        peer = await office.join()
        await peer.say(wire.Blob(0, b"x" * 2 * HELLO_LIMIT), SHAPE, message)
        await office.is_told(event)
        assert office.blobs.get(R1, 0) == b"x" * 2 * HELLO_LIMIT

    with_office(scene)


def test_a_client_of_another_major_version_is_refused_with_both_versions() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(hello(major=MAJOR + 1, version="9.9"))
        refused = await peer.hear()
        assert isinstance(refused, wire.Refused)
        assert f"dfm 9.9 speaks protocol {MAJOR + 1}.{MINOR}" in refused.reason
        assert f"(dfm {VERSION}) {MAJOR}.{MINOR}" in refused.reason
        assert refused.hint
        assert await peer.is_cut_off()
        assert not office.told

    with_office(scene)


def test_the_second_connection_of_a_run_is_refused_and_the_first_one_stays() -> None:
    async def scene(office: Office) -> None:
        first = await office.join()
        second = await office.meet(hello())
        assert await second.hear() == wire.Refused("run r1 is connected already", "")
        assert await second.is_cut_off()
        await office.is_served(first)
        assert not office.told

    with_office(scene)


def test_whoever_looks_on_is_answered_without_being_a_run() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(hello(""))
        assert await peer.hear() == WELCOME
        await peer.say(wire.AskSnapshot(7, 10), wire.Ping(3))
        assert await peer.hear() == SNAPSHOT._replace(ended_count=7)
        assert await peer.hear() == wire.Pong(3)
        assert not office.told

    with_office(scene)


def test_a_peer_that_begins_with_something_else_than_hello_is_cut_off() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(wire.AskStatus())
        assert await peer.is_cut_off()
        assert not office.told

    with_office(scene)


def test_a_peer_that_is_gone_when_it_is_met_is_nobody() -> None:
    async def scene(office: Office) -> None:
        async with connected(CLIENT_LINK) as (link, peer):
            await peer.say(hello())
            said = await link.first
            peer.hang_up()
            await link.closed
            office.clients.meet(link, said)
        assert not office.told
        await office.join()

    with_office(scene)


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\1\xc1",
        b"\xff\xff\xff\xff",
        CLIENT_LINK.encode(WELCOME),
        CLIENT_LINK.encode(hello()),
        CLIENT_LINK.encode(SUBMIT._replace(blobs=[9])),
        CLIENT_LINK.encode(SUBMIT._replace(blobs=[])),
        CLIENT_LINK.encode(SUBMIT._replace(shape=9)),
    ],
    ids=["garbage", "4 GiB", "daemon's", "hello again", "no such blob", "no blob", "no shape"],
)
def test_a_run_that_talks_nonsense_is_cut_off_and_the_others_are_not(data: bytes) -> None:
    async def scene(office: Office) -> None:
        peer, other = await office.join("r1"), await office.join("r2")
        await peer.say(wire.Blob(0, b"environment"), SHAPE)
        await peer.write(data)
        assert await peer.is_cut_off()
        await office.is_told(events.RunAway(R1))
        await office.is_served(other)
        await other.say(wire.Withdraw())
        await office.is_told(events.RunWithdrew(R2))

    with_office(scene)


@pytest.mark.parametrize(
    "message",
    [SUBMIT, wire.Acknowledged(1, 1), wire.Blob(0, b""), wire.Withdraw(), wire.Cancel(0.0)],
    ids=lambda value: type(value).__name__,
)
def test_who_is_no_run_has_no_tasks(message: NamedTuple) -> None:
    async def scene(office: Office) -> None:
        peer = await office.join("")
        await peer.say(message)
        assert await peer.is_cut_off()
        assert not office.told

    with_office(scene)


def test_what_one_run_sent_is_not_anothers() -> None:
    async def scene(office: Office) -> None:
        one, other = await office.join("r1"), await office.join("r2")
        await one.say(wire.Blob(0, b"environment"))
        await office.is_served(one)
        await other.say(SHAPE, SUBMIT)
        assert await other.is_cut_off()
        await office.is_told(events.RunAway(R2))

    with_office(scene)


def test_a_run_that_hangs_up_is_away_and_may_come_again() -> None:
    async def scene(office: Office) -> None:
        peer = await office.join()
        peer.hang_up()
        await office.is_told(events.RunAway(R1))
        assert office.left_count == 1
        office.clients.send(R1, wire.Finished(1, 1, b""))
        again = await office.join()
        await office.is_served(again)

    with_office(scene)


def test_a_run_is_told_what_is_its_own() -> None:
    async def scene(office: Office) -> None:
        one, other = await office.join("r1"), await office.join("r2")
        office.clients.send(R1, wire.Finished(1, 1, b"one"))
        office.clients.send(R2, wire.Finished(1, 1, b"other"))
        assert await one.hear() == wire.Finished(1, 1, b"one")
        assert await other.hear() == wire.Finished(1, 1, b"other")

    with_office(scene)


def test_the_last_word_is_said_to_all_of_them() -> None:
    async def scene(office: Office) -> None:
        peers = [await office.join("r1"), await office.join("")]
        links = office.clients.stop_all(wire.Stopping("stopped"))
        for peer in peers:
            assert await peer.hear() == wire.Stopping("stopped")
            assert await peer.is_cut_off()
        for link in links:
            await link.closed

    with_office(scene)
