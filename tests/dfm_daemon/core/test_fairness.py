"""What runs get of the workers over time, whatever they have queued and however long it takes."""

import heapq
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.state import RunId
from tests.dfm_daemon.core.conftest import World, finished, submitted

Ends = list[tuple[float, int, do.Assign]]


def worker_seconds(
    workers: int, walls_s: dict[RunId, float], tasks: int, until_s: float
) -> Counter[RunId]:
    """Of each run until then; all of them have tasks that wait for all of that time."""
    world = World(max_workers=workers, batch=workers)
    world.handle(*(events.RunJoined(run, 1, "ann", "desk") for run in walls_s))
    ends: Ends = []
    order = 0

    def note(actions: list[Action]) -> None:
        nonlocal order
        for action in actions:
            if isinstance(action, do.Assign):
                order += 1
                wall_s = walls_s[RunId(action.held.run)]
                heapq.heappush(ends, (world.now + wall_s, order, action))

    for run in walls_s:
        world.handle(submitted(0, run))
        world.core.handle([submitted(task, run) for task in range(1, tasks)], 0.0)
    while len(world.core.workers) < workers or world.launches:
        world.accept()
    for name in list(world.core.workers):
        note(world.core.handle([events.WorkerJoined(name, "host", 1, "", 1, None, (), ())], 0.0))
    spent: Counter[RunId] = Counter()
    while ends and ends[0][0] <= until_s:
        now, _, action = heapq.heappop(ends)
        run = RunId(action.held.run)
        spent[run] += int(walls_s[run])
        world.now = now
        end = finished(action.worker, action.held, wall_s=walls_s[run])
        note(
            world.core.handle([end], now)
        )  # the invariants are looked at elsewhere: they take long
    assert all(pool.queue.share(run) for pool in world.core.pools.values() for run in walls_s)
    return spent


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_each_of_three_runs_gets_a_third_of_the_workers_time(workers: int) -> None:
    walls_s = {RunId("short"): 1.0, RunId("middle"): 5.0, RunId("long"): 20.0}
    spent = worker_seconds(workers, walls_s, 2000, 600.0)
    total = sum(spent.values())
    assert total >= 0.9 * workers * 600
    for run in walls_s:
        assert spent[run] == pytest.approx(total / 3, rel=0.15), spent


@settings(max_examples=25, deadline=None)
@given(
    some.integers(1, 6),
    some.lists(some.integers(1, 20), min_size=2, max_size=4),
)
def test_no_run_gets_less_than_its_part_by_more_than_a_few_tasks(
    workers: int, walls: list[int]
) -> None:
    walls_s = {RunId(f"r{n}"): float(wall_s) for n, wall_s in enumerate(walls)}
    until_s = 400.0
    spent = worker_seconds(workers, walls_s, int(2 * workers * until_s) + 9, until_s)
    part = workers * until_s / len(walls_s)
    slack = 3 * max(walls) * (workers + 1)
    assert all(spent[run] >= part - slack for run in walls_s), (spent, part)
