"""What a monitor is shown: counts that are kept anyhow, the tasks that run for longest, the last ends.

A monitor asks again when it has its answer, so that one that is slow is no burden. To find the tasks
that run for longest all workers are looked at: the answer serves whoever else asks for some time,
longer if the look took long, so that monitors take a few per cent of the daemon's time at most.
"""

import heapq
import time
from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from dfm.wire.client import AskSnapshot, EndedTask, PoolCounts, RunningTask, Snapshot
from dfm_daemon.core.recent import Ended
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.state import Pool, Task, TaskState, Worker, WorkerState

MOST_ROWS = 300  # of running tasks
MOST_POOLS = 50
FRESH_S = 0.2  # a look serves everybody for so long
SHARE = 50  # and for so many times as long as it took
_LONGEST_TEXT = 500  # characters of an error


class _Row(NamedTuple):
    since: float  # UTC epoch seconds
    task: str
    worker: str
    host: str


class _Look(NamedTuple):
    """What was found by looking at all workers."""

    longest: list[_Row]
    running_count: int
    held_count: int  # tasks that workers have, those ahead too


class Monitor:
    """Answers monitors. `now` is the scheduler's clock."""

    def __init__(self, core: Scheduler, now: Callable[[], float]) -> None:
        self._core = core
        self._now = now
        self._began = now()
        self._trouble = ("", self._began)
        self._look = _Look([], 0, 0)
        self._fresh_until = 0.0  # monotonic

    def note(self, trouble: str) -> None:
        """Something went wrong with workers."""
        self._trouble = (_short(trouble), self._now())

    def snapshot(self, ask: AskSnapshot) -> Snapshot:
        now = self._now()
        core = self._core
        look = self._look_around()
        ended = islice(core.recent.since(ask.since), max(ask.rows, 0))
        queued = sum(len(pool.queue) for pool in core.pools.values())
        trouble, at = self._trouble
        return Snapshot(
            uptime_s=now - self._began,
            running=list(_running(look.longest[: max(ask.rows, 0)])),
            ended=[_ended(one) for one in ended],
            ended_count=core.recent.count,
            workers=self._workers(),
            tasks={
                "queued": queued + look.held_count - look.running_count,
                "running": look.running_count,
                **core.totals,
            },
            pools=[_pool(pool) for pool in islice(core.pools.values(), MOST_POOLS)],
            trouble=trouble,
            trouble_age_s=now - at if trouble else 0.0,
        )

    def _workers(self) -> dict[str, int]:
        counts = [pool.counts for pool in self._core.pools.values()]

        def count(*states: WorkerState) -> int:
            return sum(of_pool[state] for of_pool in counts for state in states)

        return {
            "total": len(self._core.workers),
            "busy": count(WorkerState.BUSY),
            "idle": count(WorkerState.IDLE),
            "pending": count(WorkerState.REQUESTED, WorkerState.PENDING),
            "draining": count(WorkerState.DRAINING),
            "lost": count(WorkerState.AWAY),
        }

    def _look_around(self) -> _Look:
        began = time.monotonic()
        if began >= self._fresh_until:
            self._look = self._look_at_workers(time.time())
            took = time.monotonic() - began
            self._fresh_until = began + max(FRESH_S, SHARE * took)
        return self._look

    def _look_at_workers(self, wall: float) -> _Look:
        found: list[tuple[float, Worker, Task]] = []
        held = 0
        for worker in self._core.workers.values():
            held += len(worker.tasks)
            for task in islice(worker.tasks.values(), worker.slots):  # the others are ahead
                since = task.started_at if task.state is TaskState.RUNNING else wall
                found.append((since, worker, task))
        longest = [
            _Row(since, task.name, worker.name, worker.host)
            for since, worker, task in heapq.nsmallest(MOST_ROWS, found, key=itemgetter(0))
        ]
        return _Look(longest, len(found), held)


def _running(rows: list[_Row]) -> Iterator[RunningTask]:
    wall = time.time()
    for since, task, worker, host in rows:
        yield RunningTask(task, worker, host, max(0.0, wall - since))


def _ended(one: Ended) -> EndedTask:
    return EndedTask(*one[:-1], _short(one.lost))


def _pool(pool: Pool) -> PoolCounts:
    return PoolCounts(
        pool.name,
        pool.runner,
        pool.state.value,
        pool.serving,
        pool.limits.max_workers,
        _short(pool.last_error),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
