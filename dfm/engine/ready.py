"""The nodes of a run that can be visited, those of a higher priority first."""

import heapq
from collections.abc import Iterable, Sequence

from dfm.graph.node import Compound, Node, Script


class Ready:
    """Of equal priority, in the order in which they became ready."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._priorities = _priorities(nodes)
        self._heap: list[tuple[int, int, int]] = []  # negative priority, order, number
        self._last = self._first = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._last += 1
            heapq.heappush(self._heap, (-self._priorities[number], self._last, number))

    def put_back(self, numbers: Sequence[int]) -> None:
        """Nodes that were taken already: they come before others of their priority."""
        for number in reversed(numbers):
            self._first -= 1
            heapq.heappush(self._heap, (-self._priorities[number], self._first, number))

    def take(self) -> int:
        """The next one. There must be one."""
        return heapq.heappop(self._heap)[2]


def _priorities(nodes: Sequence[Node]) -> list[int]:
    """What dfm does itself comes first: it takes no time, and tasks of any priority may wait for it."""
    said = [node.request.priority if node.request else 0 for node in nodes]
    most = max(said, default=0)
    return [
        priority if is_submitted(node) else max(most, 0)
        for node, priority in zip(nodes, said, strict=True)
    ]


def is_submitted(node: Node) -> bool:
    """Whether somebody else executes the node for the run."""
    match node.work:
        case Script() | Compound(on_error=Script()):
            return True
        case _:
            return False
