"""What a worker does with what it hears: pure. No socket, no clock, no process in here.

The loop feeds it messages and ends of tasks, and performs the actions that it returns. It owns the
attempts that run and the results that nobody has acknowledged yet.
"""

from typing import NamedTuple, TypeAlias, assert_never

from dfm.wire import worker as wire
from dfm.wire.worker import Held


class Send(NamedTuple):
    """Say this to the daemon."""

    message: NamedTuple


class Start(NamedTuple):
    """Run this attempt; `blobs` are the environment and, if there is a second, the inputs."""

    attempt: Held
    spec: bytes
    blobs: list[bytes]


class End(NamedTuple):
    """End an attempt's processes, by SIGKILL after the grace."""

    attempt: Held
    grace_s: float


class Leave(NamedTuple):
    """End this process, whose tasks are gone or are killed now."""

    reason: str
    status: int


Action: TypeAlias = Send | Start | End | Leave
Heard: TypeAlias = (
    wire.Welcome | wire.Refused | wire.Blob | wire.Run | wire.Acknowledged | wire.Cancel | wire.Drop
    | wire.Forget | wire.Drain | wire.Beat | wire.Stop
)  # fmt: skip

_BEATS_PER_LEASE = 3


class Agent:
    """One worker. Times are seconds of a monotonic clock, given by the caller."""

    def __init__(self, hello: wire.Hello, now: float) -> None:
        self._hello = hello
        self._blobs: dict[str, dict[int, bytes]] = {}
        self._running: set[Held] = set()
        self._dropped: set[Held] = set()  # of the running: nobody wants to know
        self._finished: set[Held] = set()  # told, and not acknowledged
        self._draining = ""
        self._lease_s = float("inf")
        self._heard_at = now
        self._next_beat = float("inf")

    def connected(self) -> list[Action]:
        return [
            Send(self._hello._replace(running=list(self._running), finished=list(self._finished)))
        ]

    def disconnected(self, reason: str) -> list[Action]:
        """Without a daemon nobody wants these tasks: they end with the worker."""
        ends: list[Action] = [End(attempt, 0.0) for attempt in self._running]
        return [*ends, Leave(reason, 1)]

    def hear(self, message: Heard, now: float) -> list[Action]:
        self._heard_at = now
        match message:
            case wire.Welcome():
                self._lease_s = message.lease_s
                self._next_beat = now + self._lease_s / _BEATS_PER_LEASE
                return []
            case wire.Refused(reason):
                return [Leave(f"the daemon refused this worker: {reason}", 1)]
            case wire.Blob(run, blob, data):
                self._blobs.setdefault(run, {})[blob] = data
                return []
            case wire.Run(run, task, number, spec, blobs):
                attempt = Held(run, task, number)
                self._running.add(attempt)
                return [Start(attempt, spec, [self._blobs[run][blob] for blob in blobs])]
            case wire.Acknowledged(run, task, number):
                self._finished.discard(Held(run, task, number))
                return self._leave_if_drained()
            case wire.Cancel(run, task, number, grace_s):
                attempt = Held(run, task, number)
                return [End(attempt, grace_s)] if attempt in self._running else []
            case wire.Drop(run, task, number):
                return self._drop(Held(run, task, number))
            case wire.Forget(run):
                self._blobs.pop(run, None)
                return []
            case wire.Drain(reason):
                self._draining = reason
                return self._leave_if_drained()
            case wire.Beat():
                return []
            case wire.Stop(reason):
                ends: list[Action] = [End(held, 0.0) for held in self._running]
                return [*ends, Leave(reason, 0)]
            case _:
                assert_never(message)

    def started(self, attempt: Held, at: float) -> list[Action]:
        return [Send(wire.Started(*attempt, at))]

    def ended(self, attempt: Held, status: int, result: bytes) -> list[Action]:
        """The attempt is over, with all of its processes."""
        self._running.discard(attempt)
        if attempt in self._dropped:
            self._dropped.discard(attempt)
            return self._leave_if_drained()
        self._finished.add(attempt)
        return [Send(wire.Finished(*attempt, status, result))]

    def tick(self, now: float) -> list[Action]:
        """To be called when `next_deadline` has come."""
        if now >= self._heard_at + self._lease_s:
            return self.disconnected(f"nothing from the daemon for {self._lease_s:.0f} s")
        if now >= self._next_beat:
            self._next_beat = now + self._lease_s / _BEATS_PER_LEASE
            return [Send(wire.Beat())]
        return []

    def next_deadline(self) -> float:
        """Seconds of the caller's clock; infinite before the daemon's welcome."""
        return min(self._next_beat, self._heard_at + self._lease_s)

    def _drop(self, attempt: Held) -> list[Action]:
        self._finished.discard(attempt)
        if attempt not in self._running:
            return self._leave_if_drained()
        self._dropped.add(attempt)
        return [End(attempt, 0.0)]

    def _leave_if_drained(self) -> list[Action]:
        if not self._draining or self._running or self._finished:
            return []
        return [Send(wire.Leaving(self._draining)), Leave(self._draining, 0)]
