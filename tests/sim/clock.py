"""Simulated time: a heap of what is to happen when. What is due at one time happens in the order in
which it was asked for."""

import heapq
from collections.abc import Callable
from typing import Any


class Clock:
    """Seconds since the simulation began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.event_count = 0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0

    def at(self, when: float, call: Callable[..., None], *arguments: Any) -> None:
        assert when >= self.now, f"at {self.now} something was to happen at {when}"
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, call, arguments))

    def after(self, delay_s: float, call: Callable[..., None], *arguments: Any) -> None:
        self.at(self.now + delay_s, call, *arguments)

    def run(self, *, until: Callable[[], bool], most_events: int) -> None:
        """Lets things happen until a condition holds. It is an error if it never does."""
        last = self.event_count + most_events
        while not until():
            assert self._heap, "nothing happens any more, and the simulation is not over"
            assert self.event_count < last, f"not over after {most_events} events"
            self.now, _, call, arguments = heapq.heappop(self._heap)
            self.event_count += 1
            call(*arguments)
