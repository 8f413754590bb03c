"""The tasks that wait for the workers of one pool, and whose turn it is.

Between runs: whoever has the fewest of its tasks with workers; among equals, whoever has had the
least time of them. So each of k runs that wait gets its k-th part of the workers as they become free,
and of one worker its k-th part of the time, whatever they have queued.

Within a run: by priority; then what was taken and came back; then the longest first, as far as the
last durations are known (one that is not may be the longest), and in the order of submission.

Tasks that want the same tokens of limits stand in one lane: what one of them has to wait for, all
behind it have to wait for as well.
"""

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dfm_daemon.core.limits import Limits, Tokens
from dfm_daemon.core.state import Run, RunId, Task

_Entry = tuple[int, bool, float, int, Task]  # of a lane, the smallest is the next
_STALE = 64  # entries of turns beyond the runs that wait, until they are thrown away


@dataclass(slots=True, eq=False)
class Share:
    """One run's part of a pool."""

    run: Run
    running: int = 0  # its tasks that workers have
    service_s: float = (
        0.0  # of workers' time that its tasks took; a newcomer starts with the others
    )
    turn: int = 0  # its newest entry among the turns
    lanes: dict[Tokens, list[_Entry]] = field(default_factory=dict)

    def tasks(self) -> list[Task]:
        """That wait, in their order."""
        return [entry[-1] for entry in sorted(e for lane in self.lanes.values() for e in lane)]


class Choice(NamedTuple):
    """The task whose turn it is."""

    task: Task
    share: Share


class Queue:
    """Of one pool. Each call costs O(log n); with limits, O(runs that wait) at most."""

    def __init__(self) -> None:
        self._shares: dict[RunId, Share] = {}  # of the runs that have something here
        self._turns: list[
            tuple[int, float, int, Share]
        ] = []  # a heap; all but the newest are stale
        self._turn = 0
        self._order = 0
        self._clock_s = 0.0  # service of whoever was served last
        self._length = 0
        self._has_limits = 0  # tasks that want tokens

    def __len__(self) -> int:
        return self._length

    def runs(self) -> list[RunId]:
        return [run for run, share in self._shares.items() if share.lanes]

    def add(self, task: Task) -> None:
        self._order += 1
        self._push(task, is_again=False, order=self._order)

    def put_back(self, task: Task) -> None:
        """A task that was taken already: it comes before all others of its run and priority."""
        self._order += 1
        self._push(task, is_again=True, order=-self._order)

    def choose(self, limits: Limits) -> Choice | None:
        """The next task; None if all that wait do so for tokens."""
        if not self._has_limits:
            share = self._next_share()
            if share is None:
                return None
            return Choice(share.lanes[()][0][-1], share)
        reserved: set[str] = set()  # tokens for which somebody waits whose turn was earlier
        for share in sorted(self._waiting(), key=_key):
            for entry in sorted(lane[0] for lane in share.lanes.values()):
                task = entry[-1]
                tokens = task.demand.limits
                if short := limits.short(tokens):
                    reserved.update(short)
                elif not any(name in reserved for name, _ in tokens):
                    return Choice(task, share)
        return None

    def take(self, choice: Choice) -> Task:
        """Takes the task that was chosen; a worker has it from now on."""
        task, share = choice
        tokens = task.demand.limits
        lane = share.lanes[tokens]
        assert lane[0][-1] is task, "somebody else was there in between"
        heapq.heappop(lane)
        if not lane:
            del share.lanes[tokens]
        self._length -= 1
        self._has_limits -= bool(tokens)
        self._clock_s = max(self._clock_s, share.service_s)
        share.running += 1
        self._queue_up(share)
        return task

    def adopt(self, task: Task) -> None:
        """A worker has a task that was never queued here."""
        self._share(task.run).running += 1

    def given_back(self, run: Run, seconds: float) -> None:
        """A worker does not have a task of the run any more, after so long."""
        share = self._shares[run.id]
        share.running -= 1
        share.service_s += seconds
        if share.lanes:
            self._queue_up(share)
        elif not share.running:
            del self._shares[run.id]

    def take_all(self, run: RunId) -> list[Task]:
        """All tasks of a run, in their order."""
        share = self._shares.get(run)
        if share is None:
            return []
        tasks = share.tasks()
        share.lanes = {}
        share.turn = 0
        if not share.running:
            del self._shares[run]
        self._length -= len(tasks)
        self._has_limits -= sum(bool(task.demand.limits) for task in tasks)
        return tasks

    def tasks(self) -> list[Task]:
        """All of them, those of a run in their order, for those who look."""
        return [task for share in self._shares.values() for task in share.tasks()]

    def before(self, task: Task) -> int:
        """How many tasks of its run come before one that waits."""
        share = self._shares.get(task.run.id)
        tasks = share.tasks() if share else []
        return tasks.index(task) if task in tasks else 0

    def share(self, run: RunId) -> Share | None:
        return self._shares.get(run)

    def shares(self) -> Iterable[Share]:
        return self._shares.values()

    def check(self) -> None:
        """Asserts the invariants."""
        assert self._length == len(self.tasks())
        assert self._has_limits == sum(bool(task.demand.limits) for task in self.tasks())
        for share in self._shares.values():
            assert share.lanes or share.running
            assert share.running >= 0
            assert all(share.lanes.values())
        turns = {share.run.id for _, _, turn, share in self._turns if turn == share.turn}
        assert turns >= set(self.runs())

    def _push(self, task: Task, *, is_again: bool, order: int) -> None:
        demand = task.demand
        share = self._share(task.run)
        entry = (-demand.priority, not is_again, -(demand.expected_s or math.inf), order, task)
        is_new = not share.lanes
        heapq.heappush(share.lanes.setdefault(demand.limits, []), entry)
        self._length += 1
        self._has_limits += bool(demand.limits)
        if is_new:
            self._queue_up(share)

    def _share(self, run: Run) -> Share:
        share = self._shares.get(run.id)
        if share is None:
            others = tuple(self._shares.values())
            share = self._shares[run.id] = Share(run, service_s=self._clock_s)
            if len(others) == 1:
                self._queue_up(others[0])  # it is not alone any more
        return share

    def _waiting(self) -> Iterator[Share]:
        return (share for share in self._shares.values() if share.lanes)

    def _queue_up(self, share: Share) -> None:
        """Its turn has moved. One that is alone waits for nobody: its turn is always the same."""
        if not share.lanes:
            share.turn = 0
            return
        if share.turn and len(self._shares) == 1 and len(self._turns) == 1:
            return
        self._turn += 1
        share.turn = self._turn
        heapq.heappush(self._turns, (share.running, share.service_s, self._turn, share))
        if len(self._turns) > 2 * len(self._shares) + _STALE:
            self._turns = [entry for entry in self._turns if entry[2] == entry[3].turn]
            heapq.heapify(self._turns)

    def _next_share(self) -> Share | None:
        while self._turns:
            _, _, turn, share = self._turns[0]
            if turn == share.turn:
                return share
            heapq.heappop(self._turns)
        return None


def _key(share: Share) -> tuple[int, float, int]:
    return (share.running, share.service_s, share.turn)
