"""Simulated connections. Messages come late, but in order; a connection can end in several ways."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.sim.clock import Clock


class End:
    """One end of a connection. What is said at one instant arrives together."""

    __slots__ = (
        "_arrival",
        "_batch",
        "_clock",
        "_delay",
        "_is_deaf",
        "_sent_at",
        "hear",
        "is_open",
        "lost",
        "other",
    )

    def __init__(self, clock: Clock, delay: Callable[[], float]) -> None:
        self.hear: Callable[[Any], None] = _ignore
        self.lost: Callable[[str], None] = _ignore
        self.is_open = True
        self._is_deaf = False
        self.other = self
        self._clock = clock
        self._delay = delay
        self._batch: list[NamedTuple] = []
        self._sent_at = -1.0
        self._arrival = 0.0  # of the last that was sent

    def send(self, message: NamedTuple) -> None:
        if not self.is_open:
            return
        if self._sent_at == self._clock.now:
            self._batch.append(message)
            return
        self._sent_at = self._clock.now
        self._batch = [message]
        self._clock.at(self._next_arrival(), self.other._take, self._batch)

    def close(self) -> None:
        """After what was sent."""
        if self.is_open:
            self.is_open = False
            self._clock.at(self._next_arrival(), self.other._end)
            self._clock.after(0.0, self.lost, "closed")

    def tear(self) -> None:
        """The network breaks it: what is on its way is lost, and each end hears of it some time."""
        for end in (self, self.other):
            end._is_deaf = True
            self._clock.at(end._next_arrival(), end._break)

    def silence(self) -> None:
        """From now on nothing arrives, and nobody is told."""
        for end in (self, self.other):
            end._is_deaf = True

    def _next_arrival(self) -> float:
        self._arrival = max(self._arrival, self._clock.now + self._delay())
        return self._arrival

    def _take(self, batch: list[NamedTuple]) -> None:
        for message in batch:
            if self.is_open and not self._is_deaf:
                self.hear(message)

    def _end(self) -> None:
        if self.is_open and not self._is_deaf:
            self.is_open = False
            self.lost("closed by the peer")

    def _break(self) -> None:
        if self.is_open:
            self.is_open = False
            self.lost("reset")


def connect(clock: Clock, delay: Callable[[], float]) -> tuple[End, End]:
    """Both ends of a new connection. `delay` is more than nothing, each time."""
    one, other = End(clock, delay), End(clock, delay)
    one.other, other.other = other, one
    return one, other


def _ignore(_: Any) -> None:
    pass
