"""The workers' side of the daemon: real links, a peer that plays the worker, and what is told."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest

from dfm.link import Link
from dfm.version import VERSION
from dfm.wire import worker as wire
from dfm.wire.codec import HELLO_LIMIT, MAJOR, MINOR
from dfm.wire.worker import WORKER_LINK, Held
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.state import RunId, WorkerName
from dfm_daemon.shell.workers import Blobs, Workers
from tests.dfm_daemon.shell.conftest import Peer, connected, play, until

RUN = RunId("run")
W1, W2 = WorkerName("w1"), WorkerName("w2")
HELD = Held("run", 3, 1)
WELCOME = wire.Welcome(MAJOR, MINOR, VERSION, 30.0)


def hello(name: str = "w1", **changed: Any) -> wire.Hello:
    made = wire.Hello(MAJOR, MINOR, VERSION, name, "host", 7, "job", 1, 2, None, [], [])
    return made._replace(**changed)


class Office:
    """The daemon's workers, and what its scheduler is told."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.told: list[Event] = []
        self.links: list[Link] = []
        self.blobs = Blobs()
        self.blobs.add(RUN, 0, b"environment")
        self.workers = Workers(self.told.append, self.blobs, 30.0)
        self._stack = stack

    async def meet(self, first: NamedTuple) -> Peer:
        """Somebody comes in by the door."""
        link, peer = await self._stack.enter_async_context(connected(WORKER_LINK))
        self.links.append(link)
        await peer.say(first)
        self.workers.meet(link, await link.first)
        return peer

    async def admit(self, name: WorkerName = W1) -> Peer:
        peer = await self.meet(hello(name))
        self.workers.admit(name)
        assert await peer.hear() == WELCOME
        self.told.clear()
        return peer

    async def is_told(self, *expected: Event) -> None:
        await until(lambda: len(self.told) >= len(expected))
        assert self.told == list(expected)
        self.told.clear()

    async def is_served(self, peer: Peer, name: WorkerName = W1) -> None:
        await peer.say(wire.Beat())
        await self.is_told(events.WorkerHeard(name))
        assert await peer.hear() == wire.Beat()


def with_office(scene: Callable[[Office], Awaitable[None]]) -> None:
    async def within() -> None:
        async with AsyncExitStack() as stack:
            await scene(Office(stack))

    play(within)


def test_a_hello_is_told_and_waits_for_the_verdict() -> None:
    async def scene(office: Office) -> None:
        held = Held("run", 1, 1)
        before = time.time() - time.monotonic()
        peer = await office.meet(hello(running=[held], deadline=2e9))
        await until(lambda: bool(office.told))
        (joined,) = office.told
        assert isinstance(joined, events.WorkerJoined)
        assert joined.deadline == pytest.approx(2e9 - before, abs=60.0), "on the clock of the loop"
        expected = events.WorkerJoined(W1, "host", 7, "job", 2, joined.deadline, (held,), ())
        assert joined == expected
        office.workers.admit(W1)
        assert await peer.hear() == WELCOME

    with_office(scene)


def test_a_worker_that_is_refused_hears_why() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(hello())
        office.workers.refuse(W1, "nobody launched it")
        assert await peer.hear() == wire.Refused("nobody launched it")
        assert await peer.is_cut_off()

    with_office(scene)


def test_of_two_workers_of_one_name_the_first_verdict_is_for_the_first() -> None:
    async def scene(office: Office) -> None:
        first, second = await office.meet(hello()), await office.meet(hello())
        office.workers.admit(W1)
        office.workers.refuse(W1, "there is one of this name")
        assert await first.hear() == WELCOME
        assert await second.hear() == wire.Refused("there is one of this name")
        office.told.clear()
        await office.is_served(first)

    with_office(scene)


@pytest.mark.parametrize(
    "first", [wire.Beat(), hello(slots=0), hello(slots=-1)], ids=["no hello", "no slots", "less"]
)
def test_a_peer_that_begins_with_nonsense_is_cut_off(first: NamedTuple) -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(first)
        assert await peer.is_cut_off()
        assert not office.told

    with_office(scene)


def test_a_worker_of_another_major_version_is_refused_with_both_versions() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(hello(major=MAJOR + 1, version="9.9"))
        refused = await peer.hear()
        assert isinstance(refused, wire.Refused)
        assert f"{MAJOR + 1}.{MINOR} (dfm 9.9)" in refused.reason
        assert f"{MAJOR}.{MINOR} (dfm {VERSION})" in refused.reason
        assert await peer.is_cut_off()
        assert not office.told

    with_office(scene)


def test_a_worker_that_goes_before_its_verdict_is_told_to_have_left() -> None:
    async def scene(office: Office) -> None:
        peer = await office.meet(hello())
        office.told.clear()
        peer.hang_up()
        await office.links[0].closed
        office.workers.admit(W1)
        await office.is_told(events.WorkerLeft(W1, "connection closed", False))
        office.workers.send(W1, wire.Beat())

    with_office(scene)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (wire.Started(*HELD, 5.0), events.TaskStarted(W1, HELD, 5.0)),
        (
            wire.Finished(*HELD, -9, 1500.0, b"result"),
            events.TaskFinished(W1, HELD, -9, 1.5, b"result"),
        ),
        (wire.Returned(*HELD), events.TaskReturned(W1, HELD)),
        (wire.Beat(), events.WorkerHeard(W1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_worker_says_is_told(message: NamedTuple, event: Event) -> None:
    async def scene(office: Office) -> None:
        peer = await office.admit()
        await peer.say(message)
        await office.is_told(event)

    with_office(scene)


def test_results_may_be_longer_than_a_hello() -> None:
    async def scene(office: Office) -> None:
        peer = await office.admit()
        result = b"x" * (2 * HELLO_LIMIT)
        await peer.say(wire.Finished(*HELD, 0, 1000.0, result))
        await office.is_told(events.TaskFinished(W1, HELD, 0, 1.0, result))

    with_office(scene)


@pytest.mark.parametrize(
    "data",
    [
        WORKER_LINK.encode(WELCOME),
        WORKER_LINK.encode(hello()),
        b"\0\0\0\1\xc1",
        b"\xff\xff\xff\xff",
    ],
    ids=["a word of the daemon", "a second hello", "garbage", "4 GiB"],
)
def test_a_worker_that_talks_nonsense_is_lost_and_the_others_are_not(data: bytes) -> None:
    async def scene(office: Office) -> None:
        peer, other = await office.admit(W1), await office.admit(W2)
        await peer.write(data)
        assert await peer.is_cut_off()
        await until(lambda: office.told)
        (left,) = office.told
        assert isinstance(left, events.WorkerLeft)
        assert left.worker == W1
        assert left.reason.startswith("not understood: ")
        assert not left.is_expected
        office.told.clear()
        await office.is_served(other, W2)

    with_office(scene)


def test_a_worker_that_says_goodbye_is_expected_to_leave() -> None:
    async def scene(office: Office) -> None:
        peer = await office.admit()
        await peer.say(wire.Leaving("idle for too long"))
        peer.hang_up()
        await office.is_told(events.WorkerLeft(W1, "idle for too long", True))

    with_office(scene)


def test_a_worker_that_is_cut_off_is_told_to_have_left() -> None:
    async def scene(office: Office) -> None:
        peer = await office.admit()
        office.workers.cut(W1, "its job is ended")
        await office.is_told(events.WorkerLeft(W1, "its job is ended", False))
        assert await peer.is_cut_off()

    with_office(scene)


def test_what_tasks_have_in_common_travels_once_to_each_worker() -> None:
    async def scene(office: Office) -> None:
        office.blobs.add(RUN, 1, b"inputs")
        peers = [await office.admit(W1), await office.admit(W2)]
        for name in (W1, W2):
            office.workers.assign(name, HELD, b"spec", (0,))
            office.workers.assign(name, HELD._replace(task=4), b"other", (0, 1))
        for peer in peers:
            assert [await peer.hear() for _ in range(4)] == [
                wire.Blob("run", 0, b"environment"),
                wire.Run(*HELD, b"spec", [0]),
                wire.Blob("run", 1, b"inputs"),
                wire.Run("run", 4, 1, b"other", [0, 1]),
            ]

    with_office(scene)


def test_what_a_run_had_in_common_is_forgotten_where_it_is_known() -> None:
    async def scene(office: Office) -> None:
        peer, other = await office.admit(W1), await office.admit(W2)
        office.workers.assign(W1, HELD, b"spec", (0,))
        office.workers.forget_run(RUN)
        office.workers.assign(W1, HELD, b"spec", (0,))
        heard = [type(await peer.hear()) for _ in range(5)]
        assert heard == [wire.Blob, wire.Run, wire.Forget, wire.Blob, wire.Run]
        office.workers.send(W2, wire.Drain("the only word"))
        assert await other.hear() == wire.Drain("the only word")

    with_office(scene)


def test_an_acknowledgement_goes_with_the_next_word() -> None:
    async def scene(office: Office) -> None:
        peer = await office.admit()
        office.workers.acknowledge(W1, HELD)
        office.workers.send(W1, wire.Beat())
        assert [await peer.hear(), await peer.hear()] == [wire.Acknowledged(*HELD), wire.Beat()]

    with_office(scene)


def test_nothing_is_said_to_a_worker_that_is_gone() -> None:
    async def scene(office: Office) -> None:
        peer = await office.admit()
        peer.hang_up()
        await until(lambda: office.told)
        office.workers.assign(W1, HELD, b"spec", (0,))
        office.workers.acknowledge(W1, HELD)
        office.workers.send(W1, wire.Beat())
        office.workers.cut(W1, "once more")
        office.workers.forget_run(RUN)
        assert len(office.told) == 1

    with_office(scene)


def test_the_last_word_is_said_to_all_of_them() -> None:
    async def scene(office: Office) -> None:
        peers = [await office.admit(W1), await office.admit(W2)]
        links = office.workers.stop_all(wire.Stop("stopped"))
        for peer, link in zip(peers, links, strict=True):
            assert await peer.hear() == wire.Stop("stopped")
            assert await peer.is_cut_off()
            await link.closed

    with_office(scene)
