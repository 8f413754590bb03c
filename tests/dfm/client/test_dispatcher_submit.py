"""What a run says to its daemon about each task, at the other end of a real socket."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

from dfm.client.dispatcher import DaemonDispatcher
from dfm.client.line import Here
from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.task import SPEC, Requirements, TaskResult, TaskSpec, WorkerShape
from tests.dfm_daemon.shell.conftest import Peer, play

LARGE = WorkerShape("large", 8, 32768, "regr", "large", ("rhel8", "bigmem"))
SMALL = WorkerShape("1c-1G", 1, 1024)


class Deaf:
    """A run that hears of nothing."""

    def started(self, number: int, where: str) -> None: ...
    def finished(self, number: int, result: TaskResult) -> None: ...
    def lost(self, number: int, reason: str) -> None: ...
    def withdrawn(self, numbers: Sequence[int]) -> None: ...
    def asked(self, task: str) -> dict[str, Any]:
        return {}

    def fail(self, error: BaseException) -> None: ...


def spec(name: str) -> TaskSpec:
    return TaskSpec(name, "/r", "/s", "bash", "true", b"{}", None, {}, [], 8, 60, None)


async def heard(submissions: Sequence[tuple[str, Requirements, float]]) -> list[Any]:
    """What the daemon hears of these."""
    ours, theirs = socket.socketpair()
    peer = Peer(theirs, CLIENT_LINK)
    async with asyncio.TaskGroup() as group:
        connecting = group.create_task(DaemonDispatcher.connect(Here(ours), Deaf(), {}, print))
        assert isinstance(await peer.hear(), wire.Hello)
        await peer.say(wire.Welcome(MAJOR, MINOR, VERSION, 1, "local"))
    made = connecting.result()
    for number, (name, requirements, expected_s) in enumerate(submissions):
        made.submit(number, spec(name), b"[]", requirements, expected_s)
    made.withdraw()
    found = await _until_withdraw(peer)
    await made.close()
    peer.hang_up()
    return [message for message in found if not isinstance(message, wire.Blob)]


async def _until_withdraw(peer: Peer) -> list[Any]:
    found: list[Any] = []
    while True:
        message = await peer.hear()
        assert message is not None
        if isinstance(message, wire.Withdraw):
            return found
        found.append(message)


def test_each_shape_is_said_once_and_each_task_with_all_that_schedules_it() -> None:
    async def scene() -> None:
        large = Requirements(LARGE, 8, 3600, limits=(("db", 2), ("vcs", 1)), priority=4)
        small = Requirements(SMALL, 1, 0)
        found = await heard(
            [
                ("p.a", large, 12.5),
                ("p.b", small, 0.0),
                ("p.c", large._replace(priority=-1, limits=(), names_walltime=False), 0.0),
            ]
        )
        shapes = [message for message in found if isinstance(message, wire.Shape)]
        assert shapes == [
            wire.Shape(0, "large", 8, 32768, "regr", "large", ["rhel8", "bigmem"]),
            wire.Shape(1, "1c-1G", 1, 1024),
        ]
        first, second, third = (one for one in found if isinstance(one, wire.Submit))
        packed = SPEC.pack(spec("p.a")._replace(inputs=b"[]"))
        assert first == wire.Submit(1, "p.a", packed, [0], 0, 0, 4, 3600, {"db": 2, "vcs": 1}, 12.5)
        assert second[4:] == (1, 0, 0, 0, {}, 0.0, True)
        assert third[4:] == (0, 0, -1, 3600, {}, 0.0, False)
        assert found.index(shapes[1]) < found.index(second), "before it is referred to"

    play(scene)


def test_fifty_tasks_of_one_shape_are_fifty_one_messages() -> None:
    async def scene() -> None:
        found = await heard([(f"p.t{n}", Requirements(SMALL, 1, 0), 0.0) for n in range(50)])
        assert len(found) == 51
        assert isinstance(found[0], wire.Shape)

    play(scene)
