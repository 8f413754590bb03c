"""The workers' side of the daemon: their messages become events, actions become messages."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from dfm.errors import ProtocolError
from dfm.link import Link
from dfm.version import VERSION
from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import Held
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.state import RunId, WorkerName

log = logging.getLogger(__name__)


class Blobs:
    """What tasks of a run have in common, by run and number."""

    def __init__(self) -> None:
        self._of_runs: dict[RunId, dict[int, bytes]] = {}

    def add(self, run: RunId, blob: int, data: bytes) -> None:
        self._of_runs.setdefault(run, {})[blob] = data

    def get(self, run: RunId, blob: int) -> bytes:
        return self._of_runs[run][blob]

    def has(self, run: RunId, blob: int) -> bool:
        return blob in self._of_runs.get(run, ())

    def forget(self, run: RunId) -> None:
        self._of_runs.pop(run, None)


class Workers:
    """The links to all workers that have said hello."""

    def __init__(self, tell: Callable[[Event], None], blobs: Blobs, lease_s: float) -> None:
        self._tell = tell
        self._blobs = blobs
        self._lease_s = lease_s
        self._links: dict[WorkerName, Link] = {}
        self._known_blobs: dict[WorkerName, set[tuple[str, int]]] = {}
        self._at_the_door: dict[WorkerName, list[Link]] = {}  # not admitted yet
        self._leaving: dict[WorkerName, str] = {}

    def meet(self, link: Link, hello: Any) -> None:
        """A peer with the project's credentials has said hello; the scheduler will judge it."""
        if not isinstance(hello, wire.Hello):
            link.cut("its first message was no hello")
            return
        if hello.major != MAJOR:
            reason = (
                f"it speaks protocol {hello.major}.{hello.minor} (dfm {hello.version}), this daemon"
                f" {MAJOR}.{MINOR} (dfm {VERSION})"
            )
            log.warning("worker=%s refused: %s", hello.worker, reason)
            link.send(wire.Refused(reason))
            link.close()
            return
        if hello.slots < 1:
            link.cut(f"a worker of {hello.slots} slots")
            return
        name = WorkerName(hello.worker)
        self._at_the_door.setdefault(name, []).append(link)
        deadline = hello.deadline
        if deadline is not None:
            deadline += asyncio.get_running_loop().time() - time.time()
        self._tell(
            events.WorkerJoined(
                name, hello.host, hello.pid, hello.job, hello.slots, deadline,
                tuple(hello.running), tuple(hello.finished),
            )
        )  # fmt: skip

    def admit(self, name: WorkerName) -> None:
        link = self._take_in(name)
        self._let_go(name)
        self._links[name] = link
        self._known_blobs[name] = set()
        if link.closed.done():
            self._lost(name, "connection closed")
            return
        link.trust()
        link.hear = partial(self._hear, name)
        link.lost = lambda reason: self._lost(name, reason)
        link.send(wire.Welcome(MAJOR, MINOR, VERSION, self._lease_s))

    def refuse(self, name: WorkerName, reason: str) -> None:
        link = self._take_in(name)
        log.warning("worker=%s from %s refused: %s", name, link.peer, reason)
        link.send(wire.Refused(reason))
        link.close()

    def assign(self, name: WorkerName, held: Held, spec: bytes, blobs: tuple[int, ...]) -> None:
        link = self._links.get(name)
        if link is None:
            return  # its loss is an event that waits already
        known = self._known_blobs[name]
        for blob in blobs:
            if (held.run, blob) not in known:
                known.add((held.run, blob))
                data = self._blobs.get(RunId(held.run), blob)
                link.send(wire.Blob(held.run, blob, data))
        link.send(wire.Run(*held, spec, list(blobs)))

    def send(self, name: WorkerName, message: Any) -> None:
        link = self._links.get(name)
        if link is not None:
            link.send(message)

    def cut(self, name: WorkerName, reason: str) -> None:
        """Ends the connection to a worker that does not count any more."""
        link = self._links.get(name)
        if link is not None:
            link.cut(reason)

    def acknowledge(self, name: WorkerName, held: Held) -> None:
        """Nobody waits for it: it goes with the next thing that this worker is told."""
        link = self._links.get(name)
        if link is not None:
            link.mention(wire.Acknowledged(*held))

    def forget_run(self, run: RunId) -> None:
        for name, known in self._known_blobs.items():
            mine = {key for key in known if key[0] == run}
            if mine:
                known -= mine
                self.send(name, wire.Forget(run))

    def stop_all(self, message: Any) -> list[Link]:
        """Says this to everybody as the last thing; returns the links, which are closing."""
        for link in self._links.values():
            link.send(message)
            link.close()
        return list(self._links.values())

    def _take_in(self, name: WorkerName) -> Link:
        """The one that has waited longest at the door under this name."""
        links = self._at_the_door[name]
        link = links.pop(0)
        if not links:
            del self._at_the_door[name]
        return link

    def _let_go(self, name: WorkerName) -> None:
        """Of the connection that a worker has given up; what it had not said it says on the new one."""
        old = self._links.pop(name, None)
        self._leaving.pop(name, None)
        if old is not None:
            old.hear = old.lost = _ignore
            old.cut("it has connected again")

    def _hear(self, name: WorkerName, message: Any) -> None:
        match message:
            case wire.Finished(run, task, attempt, status, wall_ms, result):
                held = Held(run, task, attempt)
                self._tell(events.TaskFinished(name, held, status, wall_ms / 1000, result))
            case wire.Returned(run, task, attempt):
                self._tell(events.TaskReturned(name, Held(run, task, attempt)))
            case wire.Started(run, task, attempt, started_at):
                self._tell(events.TaskStarted(name, Held(run, task, attempt), started_at))
            case wire.Beat():
                self._tell(events.WorkerHeard(name))
                self.send(name, wire.Beat())
            case wire.Draining(reason):
                self._tell(events.WorkerDrains(name, reason))
            case wire.Leaving(reason):
                self._leaving[name] = reason
            case _:
                raise ProtocolError(f"a worker does not send {type(message).__name__}")

    def _lost(self, name: WorkerName, reason: str) -> None:
        del self._links[name]
        del self._known_blobs[name]
        leaving = self._leaving.pop(name, None)
        if name in self._at_the_door:
            return  # it has connected again, and has said so already
        is_expected = leaving is not None
        self._tell(events.WorkerLeft(name, leaving or reason, is_expected))


def _ignore(_: Any) -> None:
    pass
