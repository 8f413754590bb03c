"""What a monitor remembers between two answers: the ends that it was shown, and how fast they come."""

from collections import deque
from collections.abc import Iterator

from dfm.wire.client import EndedTask, Snapshot

RATE_S = 5.0  # over which the rate is taken
_KEPT = 500  # ends


class History:
    """Of one daemon."""

    def __init__(self) -> None:
        self._ended: deque[EndedTask] = deque(maxlen=_KEPT)  # newest first
        self._counts: deque[tuple[float, int]] = deque()  # uptime, ended until then

    def take(self, snapshot: Snapshot) -> None:
        known = self._ended[0].number if self._ended else 0
        for one in reversed(snapshot.ended):
            if one.number > known:
                self._ended.appendleft(one)
        self._counts.append((snapshot.uptime_s, snapshot.ended_count))
        while len(self._counts) > 2 and self._counts[1][0] <= snapshot.uptime_s - RATE_S:
            self._counts.popleft()

    def rate(self) -> float:
        """Ends per second, lately."""
        if len(self._counts) < 2:
            return 0.0
        (began, first), (ended, last) = self._counts[0], self._counts[-1]
        return (last - first) / (ended - began) if ended > began else 0.0

    def ended(self) -> Iterator[EndedTask | int]:
        """Newest first; a number stands for so many that were too fast to be shown."""
        expected = None
        for one in self._ended:
            if expected is not None and one.number < expected:
                yield expected - one.number
            yield one
            expected = one.number - 1
