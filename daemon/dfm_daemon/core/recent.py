"""The tasks that ended last, for those who look on: each costs the same, however many there were."""

from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from dfm_daemon.core.state import Task

KEPT = 500  # tasks; more than a screen has lines


class Ended(NamedTuple):
    """One task that has ended, or that was given up."""

    number: int  # of this daemon, from 1
    task: str
    worker: str  # empty: it never had one
    host: str
    status: int
    wall_s: float
    lost: str  # why it was given up without a result; empty: it has one


class Recent:
    """Numbers whatever ends. `count` is the number of the newest."""

    def __init__(self) -> None:
        self.count = 0
        self._ring: deque[Ended] = deque(maxlen=KEPT)

    def add(self, task: Task, status: int = 0, wall_s: float = 0.0, *, lost: str = "") -> None:
        self.count += 1
        worker = task.worker
        name, host = (worker.name, worker.host) if worker is not None else ("", "")
        self._ring.append(Ended(self.count, task.name, name, host, status, wall_s, lost))

    def since(self, number: int) -> Iterator[Ended]:
        """Those with a higher number that are still known, newest first."""
        return takewhile(lambda ended: ended.number > number, reversed(self._ring))
