"""What a worker does with what it hears: pure. No socket, no clock, no process in here.

The loop feeds it messages and ends of tasks, and performs the actions that it returns. It owns the
attempts that run and the results that nobody has acknowledged yet: both outlive the connection, and
the daemon. What it says while there is none is kept until the next daemon has said Welcome.
"""

from typing import NamedTuple, TypeAlias, assert_never

from dfm.wire import worker as wire
from dfm.wire.worker import Held


class Send(NamedTuple):
    """Say this to the daemon; `can_wait`: a few milliseconds, for more to be said."""

    message: NamedTuple
    can_wait: bool = False


class Start(NamedTuple):
    """Run this attempt; `blobs` are the environment and, if there is a second, the inputs."""

    attempt: Held
    spec: bytes
    blobs: list[bytes]


class End(NamedTuple):
    """End an attempt's processes, by SIGKILL after the grace."""

    attempt: Held
    grace_s: float


class Reconnect(NamedTuple):
    """Give up the connection if there is one, and look for the daemon after so long."""

    after_s: float


class Leave(NamedTuple):
    """End this process, whose tasks are gone or are killed now."""

    reason: str
    status: int


Action: TypeAlias = Send | Start | End | Reconnect | Leave
Heard: TypeAlias = (
    wire.Welcome | wire.Refused | wire.Blob | wire.Run | wire.Acknowledged | wire.Cancel | wire.Drop
    | wire.Forget | wire.Drain | wire.Beat | wire.Stop | wire.Recall
)  # fmt: skip

_BEATS_PER_LEASE = 3
_SAID_AFTER_S = 0.05
_WELCOME_S = 60.0  # that a daemon may take to answer the hello
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0  # between looks for the daemon
_MOST_HELD = 2000  # results in a hello, which must stay below its limit; clients have fewer out


class Agent:
    """One worker. Times are seconds of a monotonic clock, given by the caller."""

    def __init__(self, hello: wire.Hello, now: float, lost_timeout_s: float = 300.0) -> None:
        """`lost_timeout_s`: so long one that runs nothing waits for a daemon that does not answer."""
        self._hello = hello
        self._lost_timeout_s = lost_timeout_s
        self._blobs: dict[str, dict[int, bytes]] = {}
        self._slots = hello.slots
        self._queue: dict[Held, Start] = {}  # for which no slot is free
        self._running: dict[Held, float] = {}  # since when, UTC epoch; 0: it is just being started
        self._dropped: set[Held] = set()  # of the running: nobody wants to know
        self._finished: dict[Held, wire.Finished] = {}  # that nobody has acknowledged
        self._unsaid: dict[
            Held, tuple[float, float]
        ] = {}  # started; when to say so, and when it was
        self._is_welcome = False  # the daemon listens
        self._draining = ""
        self._last: Leave | None = None  # its job has reached its run limit: how it will leave
        self._gives_up_at = float("inf")  # with tasks that still run then
        self._is_leaving = False
        self._lease_s = _WELCOME_S
        self._heard_at = now  # or since when it could be heard
        self._answered_at = now
        self._pause_s = _FIRST_PAUSE_S
        self._next_beat = float("inf")

    def connected(self, now: float) -> list[Action]:
        """To a daemon that may know nothing: it is told what is held, and will send blobs again."""
        self._blobs.clear()
        self._heard_at = now
        self._lease_s = _WELCOME_S
        held = [attempt for attempt in self._running if attempt not in self._dropped]
        held += self._queue
        finished = list(self._finished)[:_MOST_HELD]
        return [Send(self._hello._replace(running=held, finished=finished))]

    def disconnected(self, now: float) -> list[Action]:
        """Tasks go on: the daemon, or the next one, will ask for them."""
        if self._is_leaving:
            return []
        self._is_welcome = False
        self._draining = ""
        self._lease_s = self._next_beat = float("inf")
        self._pause_s = _FIRST_PAUSE_S
        return self._look_again(now)

    def not_connected(self, now: float) -> list[Action]:
        """It looked for the daemon, and there was none."""
        return [] if self._is_leaving else self._look_again(now)

    def end(self, reason: str, status: int = 1) -> list[Action]:
        """Its job is being ended, or nobody can come back for its tasks: they end with it."""
        return self._leave_now(Leave(reason, status))

    def run_out(self, last: Leave, now: float, grace_s: float) -> list[Action]:
        """Its job has reached its run limit: it takes no more. What runs may end by itself within the
        grace, and is lost with this worker after it."""
        if self._is_leaving or self._last is not None:
            return []
        self._last = last
        self._gives_up_at = now + grace_s
        said = [Send(wire.Draining(last.reason))] if self._is_welcome else []
        return [*said, *self._give_back(list(self._queue)), *self._leave_if_drained()]

    def hear(self, message: Heard, now: float) -> list[Action]:
        if self._is_leaving:
            return []
        self._heard_at = self._answered_at = now
        match message:
            case wire.Welcome():
                self._lease_s = message.lease_s
                self._next_beat = now + self._lease_s / _BEATS_PER_LEASE
                return self._tell_all()
            case wire.Refused(reason):
                return self._leave_now(Leave(f"the daemon refused this worker: {reason}", 1))
            case wire.Blob(run, blob, data):
                self._blobs.setdefault(run, {})[blob] = data
                return []
            case wire.Run(run, task, number, spec, blobs):
                attempt = Held(run, task, number)
                if attempt in self._running or attempt in self._finished or attempt in self._queue:
                    return []  # said twice
                known = self._blobs[run]
                self._queue[attempt] = Start(attempt, spec, [known[blob] for blob in blobs])
                if self._draining or self._last is not None:
                    return self._give_back([attempt])
                return self._start_queued()
            case wire.Acknowledged(run, task, number):
                self._finished.pop(Held(run, task, number), None)
                return self._leave_if_drained()
            case wire.Cancel(run, task, number, grace_s):
                attempt = Held(run, task, number)
                if attempt in self._running:
                    return [End(attempt, grace_s)]
                return self._give_back([attempt])
            case wire.Recall(run, task, number):
                return self._give_back([Held(run, task, number)])
            case wire.Drop(run, task, number):
                return self._drop(Held(run, task, number))
            case wire.Forget(run):
                self._blobs.pop(run, None)
                return []
            case wire.Drain(reason):
                self._draining = reason
                return [*self._give_back(list(self._queue)), *self._leave_if_drained()]
            case wire.Beat():
                return []
            case wire.Stop(reason):
                return self._leave_now(Leave(reason, 0))
            case _:
                assert_never(message)

    def started(self, attempt: Held, at: float, now: float) -> None:
        """Its process runs. That is said only if it goes on for a while: most that start end soon."""
        self._running[attempt] = at
        self._unsaid[attempt] = (now + _SAID_AFTER_S, at)

    def ended(self, attempt: Held, status: int, wall_ms: float, result: bytes) -> list[Action]:
        """The attempt is over, with all of its processes."""
        self._running.pop(attempt, None)
        self._unsaid.pop(attempt, None)
        starts = self._start_queued()
        if attempt in self._dropped:
            self._dropped.discard(attempt)
            return [*starts, *self._leave_if_drained()]
        self._finished[attempt] = finished = wire.Finished(*attempt, status, wall_ms, result)
        if not self._is_welcome:
            return starts
        return [Send(finished, can_wait=bool(starts)), *starts]

    def lost(self, attempt: Held) -> list[Action]:
        """The signal of the run limit has ended it, too: it has not failed, and is lost with this worker."""
        self._running.pop(attempt, None)
        self._unsaid.pop(attempt, None)
        self._dropped.discard(attempt)
        return self._leave_if_drained()

    def tick(self, now: float) -> list[Action]:
        """To be called when `next_deadline` has come."""
        if self._last is not None and now >= self._gives_up_at:
            return self._leave_now(self._last)
        if now >= self._heard_at + self._lease_s:
            return self.disconnected(now)
        actions: list[Action] = []
        while self._is_welcome and self._unsaid and now >= self._first_unsaid():
            attempt = next(iter(self._unsaid))
            _, at = self._unsaid.pop(attempt)
            actions.append(Send(wire.Started(*attempt, at)))
        if now >= self._next_beat:
            self._next_beat = now + self._lease_s / _BEATS_PER_LEASE
            actions.append(Send(wire.Beat()))
        return actions

    def next_deadline(self) -> float:
        """Seconds of the caller's clock; infinite once it leaves."""
        due = min(self._next_beat, self._heard_at + self._lease_s, self._gives_up_at)
        return min(due, self._first_unsaid()) if self._unsaid and self._is_welcome else due

    def _look_again(self, now: float) -> list[Action]:
        lost_s = now - self._answered_at
        if lost_s >= self._lost_timeout_s and not self._running and not self._queue:
            return self._leave_now(Leave(f"no daemon has answered for {lost_s:.0f} s", 1))
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _LAST_PAUSE_S)
        return [Reconnect(pause_s)]

    def _tell_all(self) -> list[Action]:
        """What the daemon has not heard, or the one before it has."""
        self._is_welcome = True
        running: list[NamedTuple] = [
            wire.Started(*attempt, at)
            for attempt, at in self._running.items()
            if at and attempt not in self._unsaid and attempt not in self._dropped
        ]
        if self._last is not None:
            running.append(wire.Draining(self._last.reason))
        return [Send(message) for message in running + list(self._finished.values())]

    def _first_unsaid(self) -> float:
        return next(iter(self._unsaid.values()))[0]

    def _drop(self, attempt: Held) -> list[Action]:
        self._finished.pop(attempt, None)
        self._queue.pop(attempt, None)
        if attempt not in self._running:
            return self._leave_if_drained()
        self._dropped.add(attempt)
        return [End(attempt, 0.0)]

    def _start_queued(self) -> list[Action]:
        actions: list[Action] = []
        while self._queue and len(self._running) < self._slots:
            attempt = next(iter(self._queue))
            actions.append(self._queue.pop(attempt))
            self._running[attempt] = 0.0
        return actions

    def _give_back(self, attempts: list[Held]) -> list[Action]:
        """Those of them that have not started."""
        return [
            Send(wire.Returned(*attempt))
            for attempt in attempts
            if self._queue.pop(attempt, None) is not None
        ]

    def _leave_if_drained(self) -> list[Action]:
        leave = self._last or (Leave(self._draining, 0) if self._draining else None)
        if leave is None or self._is_leaving or self._running or self._finished:
            return []
        return [Send(wire.Leaving(leave.reason)), *self._leave_now(leave)]

    def _leave_now(self, leave: Leave) -> list[Action]:
        """What is killed now is lost with this worker: it did not fail, and runs again elsewhere."""
        self._is_leaving = True
        self._queue.clear()
        self._unsaid.clear()
        self._dropped |= self._running.keys()
        self._lease_s = self._next_beat = self._gives_up_at = float("inf")
        return [*(End(attempt, 0.0) for attempt in self._running), leave]
