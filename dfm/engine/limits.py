"""Counted tokens within one run: what may be with its dispatcher at once, and what has to wait for it.

A task that waits for tokens stays here, so that it neither fills the dispatcher's queue nor keeps
others from being executed.
"""

from collections import deque
from collections.abc import Mapping

from dfm.engine.ready import is_submitted
from dfm.graph.node import Node
from dfm.graph.resources import Tokens


def tokens_of(node: Node) -> Tokens:
    """What a node holds while somebody executes it."""
    return node.request.limits if node.request is not None and is_submitted(node) else ()


class Limits:
    """Tokens by the name of their limit. All names that are asked for are known."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self._free = dict(totals)
        self._waiting: dict[Tokens, deque[int]] = {}  # in the order of the first that had to

    def take(self, wanted: Tokens) -> None:
        """Takes tokens that fit."""
        for name, count in wanted:
            self._free[name] -= count

    def give_back(self, wanted: Tokens) -> None:
        for name, count in wanted:
            self._free[name] += count

    def fit(self, wanted: Tokens) -> bool:
        return all(self._free[name] >= count for name, count in wanted)

    def set_aside(self, number: int, wanted: Tokens) -> None:
        """A node has to wait until its tokens fit."""
        self._waiting.setdefault(wanted, deque()).append(number)

    def held(self) -> dict[int, str]:
        """The nodes that are set aside, each with a limit that has too little left for it."""
        return {
            number: next((name for name, count in wanted if self._free[name] < count), wanted[0][0])
            for wanted, numbers in self._waiting.items()
            for number in numbers
        }

    def may_go_on(self) -> bool:
        """Whether `take_fitting` would find nodes."""
        return any(map(self.fit, self._waiting))

    def take_fitting(self) -> list[int]:
        """The nodes set aside whose tokens fit now, one after the other; they hold none yet."""
        found: list[int] = []
        taken: list[Tokens] = []
        for wanted, numbers in list(self._waiting.items()):
            while numbers and self.fit(wanted):
                self.take(wanted)
                taken.append(wanted)
                found.append(numbers.popleft())
            if not numbers:
                del self._waiting[wanted]
        for wanted in taken:
            self.give_back(wanted)
        return found
