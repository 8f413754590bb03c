"""What is true of all processes at once, and none of them can see."""

from collections import deque
from collections.abc import Iterator
from typing import Any
from zlib import crc32

from dfm.wire.worker import Held


class Ledger:
    """Which attempts run where, and which workers the daemon has had ended."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, int], dict[str, int]] = {}  # attempts by worker
        self._newest: dict[str, dict[int, int]] = {}  # attempts that have started, by run and task
        self._ended: set[str] = set()
        self._died: set[str] = set()
        self._places: dict[tuple[str, int], str] = {}  # where each task has started last
        self._asked_again: set[str] = set()  # runs whose tasks may run once more
        self.start_count = 0

    def starts(self, held: Held, worker: str) -> None:
        places = self._running.setdefault((held.run, held.task), {})
        for other, attempt in places.items():
            assert attempt < held.attempt, f"{held} runs on {other} and {worker}"
            assert other in self._ended, f"{held} on {worker} starts while {other} runs another"
        places[worker] = held.attempt
        newest = self._newest.setdefault(held.run, {})
        is_new = held.attempt > newest.get(held.task, 0)
        newest[held.task] = held.attempt
        before = self._places.get((held.run, held.task))
        is_lost = before is None or before in self._ended or before in self._died
        assert is_new or is_lost, f"{held} starts again on {worker}"
        assert is_lost or held.run in self._asked_again, f"{held} has run on {before} already"
        self._places[(held.run, held.task)] = worker
        self.start_count += 1

    def ends(self, held: Held, worker: str) -> None:
        places = self._running[(held.run, held.task)]
        assert places.pop(worker) == held.attempt
        if not places:
            del self._running[(held.run, held.task)]

    def worker_is_ended(self, worker: str) -> None:
        """The daemon has its job ended: what it runs until then does not count."""
        self._ended.add(worker)

    def worker_died(self, worker: str) -> None:
        self._died.add(worker)

    def run_asks_again(self, run: str) -> None:
        """It may have crossed an answer: then the task runs once more."""
        self._asked_again.add(run)

    def check_has_ended(self, run: str) -> None:
        """Nobody wants its tasks any more."""
        assert not any(key[0] == run for key in self._running), f"tasks of {run} go on"

    def check_nothing_runs(self) -> None:
        assert not self._running, self._running


class Trace:
    """What happened lately, and a sum over all that ever did."""

    def __init__(self, *, is_summed: bool) -> None:
        self.sum = 0
        self._is_summed = is_summed
        self._last: deque[tuple[float, Any]] = deque(maxlen=60)

    def note(self, now: float, what: Any) -> None:
        self._last.append((now, what))
        if self._is_summed:
            self.sum = crc32(f"{now} {what}".encode(), self.sum)

    def tail(self) -> Iterator[str]:
        for now, what in self._last:
            yield f"{now:12.6f}  {what}"[:200]
