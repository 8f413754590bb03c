"""What is due when: a heap, asked once per batch of events."""

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Deadlines(Generic[Key]):
    """One deadline for each key; setting it again moves it. O(log n) each."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._due: dict[Key, tuple[float, int]] = {}
        self._order = 0  # of those that are due at the same time

    def __contains__(self, key: Key) -> bool:
        return key in self._due

    def set(self, key: Key, due: float) -> None:
        self._order += 1
        self._due[key] = (due, self._order)
        heapq.heappush(self._heap, (due, self._order, key))

    def clear(self, key: Key) -> None:
        self._due.pop(key, None)

    def next(self) -> float | None:
        """When the first of them is due."""
        while self._heap:
            due, order, key = self._heap[0]
            if self._due.get(key) == (due, order):
                return due
            heapq.heappop(self._heap)
        return None

    def take_due(self, now: float) -> Iterator[Key]:
        """The keys whose time has come, each forgotten when it is given."""
        while (due := self.next()) is not None and due <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            yield key
