"""Tasks that a worker is given beyond its slots, and their way back when one takes long."""

import pytest

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.ahead import AHEAD, note_duration, room
from dfm_daemon.core.queue import Queue
from dfm_daemon.core.state import Pool, PoolLimits, TaskState, Worker, WorkerName
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, finished, held, shape, submitted

TINY_S = 0.001
Flood = tuple[World, WorkerName]


@pytest.fixture
def flood() -> Flood:
    """One worker of one slot whose tasks are tiny: it has task 1, and 2 to 17 ahead of it."""
    world = World(max_workers=1)
    world.run(0, *range(1, 31))
    (worker,) = world.bring()
    world.handle(finished(worker, held(0), wall_s=TINY_S))
    return world, worker


def started(worker: WorkerName, attempt: Held) -> events.TaskStarted:
    return events.TaskStarted(worker, attempt, 1.0)


def a_pool() -> Pool:
    return Pool(shape(), "sim", PoolLimits(0, 1, 0.0, 1, 1), Queue())


# How many


def test_there_is_no_room_ahead_before_durations_are_known() -> None:
    worker = Worker(WorkerName("w1"), a_pool(), 0.0, slots=2)
    assert room(worker) == 2


@pytest.mark.parametrize(("task_s", "ahead"), [(0.0, AHEAD), (0.0099, AHEAD), (0.01, 0), (5.0, 0)])
def test_there_is_room_ahead_while_tasks_are_tiny(task_s: float, ahead: int) -> None:
    worker = Worker(WorkerName("w1"), a_pool(), 0.0)
    note_duration(worker.pool, task_s)
    assert room(worker) == 1 + ahead


def test_one_long_task_is_noticed_at_once_and_many_tiny_ones_slowly() -> None:
    pool = a_pool()
    note_duration(pool, TINY_S)
    note_duration(pool, 1.0)
    assert pool.task_s == 1.0
    worker = Worker(WorkerName("w1"), pool, 0.0)
    needed = 0
    while room(worker) == 1:
        note_duration(pool, TINY_S)
        needed += 1
    assert 10 < needed < 100


def test_durations_that_differ_little_are_averaged() -> None:
    pool = a_pool()
    note_duration(pool, 0.001)
    note_duration(pool, 0.002)
    assert pool.task_s == pytest.approx(0.0012)


# Given ahead


def test_a_worker_of_tiny_tasks_is_given_some_ahead(flood: Flood) -> None:
    world, worker = flood
    assert world.tasks_of(worker) == list(range(1, 2 + AHEAD))
    assert len(world.pool().queue) == 30 - 1 - AHEAD


def test_a_worker_of_long_tasks_is_given_none(busy: Flood) -> None:
    world, worker = busy
    world.handle(finished(worker, held(1), wall_s=0.01), submitted(3))
    assert world.tasks_of(worker) == [2]


def test_each_end_makes_room_for_one_more(flood: Flood) -> None:
    world, worker = flood
    actions = world.handle(finished(worker, held(1), wall_s=TINY_S))
    assert [a.held.task for a in actions if isinstance(a, do.Assign)] == [2 + AHEAD]


def test_free_slots_come_before_room_ahead() -> None:
    world = World(max_workers=2)
    world.run(0, 1)
    one, two = world.bring(2)
    (first,), (second,) = world.tasks_of(one), world.tasks_of(two)
    world.handle(finished(one, held(first), wall_s=TINY_S), submitted(2), submitted(3))
    assert world.tasks_of(one) == [2, 3]  # the other's slot is taken, its task may be long
    assert world.tasks_of(two) == [second]
    world.handle(finished(two, held(second), wall_s=TINY_S), submitted(4))
    assert world.tasks_of(two) == [4]


def test_room_ahead_is_shared_in_turn() -> None:
    world = World(max_workers=2)
    world.run(0, 1)
    one, two = world.bring(2)
    tasks = {name: world.tasks_of(name)[0] for name in (one, two)}
    world.handle(*(finished(name, held(task), wall_s=TINY_S) for name, task in tasks.items()))
    world.handle(*(submitted(number) for number in range(2, 12)))
    assert [len(world.tasks_of(name)) for name in (one, two)] == [5, 5]


def test_nothing_goes_ahead_on_a_worker_that_is_away(flood: Flood) -> None:
    world, worker = flood
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    assert world.handle(submitted(99)) == []


def test_after_a_loss_nothing_goes_ahead_before_durations_are_known_again(flood: Flood) -> None:
    world, worker = flood
    world.handle(events.JobGone(worker, "killed by signal 9", ""))
    assert world.pool().task_s is None
    (other,) = world.bring()
    assert world.tasks_of(other) == [1]


# Recalled


def test_what_is_behind_a_long_task_is_recalled_from_the_last_to_the_first(flood: Flood) -> None:
    world, worker = flood
    actions = world.handle(started(worker, held(1)))
    assert actions == [
        do.TellStarted(RUN, 1, 1, worker, "host", 1.0),
        *(do.Recall(worker, held(number)) for number in range(1 + AHEAD, 1, -1)),
    ]


def test_recalled_tasks_are_queued_in_their_old_order_and_run_as_new_attempts(
    flood: Flood,
) -> None:
    world, worker = flood
    recalled = [
        action.held
        for action in world.handle(started(worker, held(1)))
        if isinstance(action, do.Recall)
    ]
    assert world.handle(*(events.TaskReturned(worker, attempt) for attempt in recalled)) == []
    assert world.tasks_of(worker) == [1]
    queued = [(task.number, task.attempt) for task in world.pool().queue.tasks()]
    assert queued[: AHEAD + 1] == [*((number, 2) for number in range(2, 2 + AHEAD)), (18, 1)]
    assert world.core.totals["retried"] == 0


def test_a_recalled_task_that_had_started_goes_on(flood: Flood) -> None:
    world, worker = flood
    world.handle(started(worker, held(1)))
    actions = world.handle(finished(worker, held(2), wall_s=TINY_S))
    assert actions == [do.TellFinished(RUN, 2, 1, b"a result")]


def test_a_late_return_of_a_task_that_went_elsewhere_is_ignored(flood: Flood) -> None:
    world, worker = flood
    world.handle(started(worker, held(1)), events.TaskReturned(worker, held(2)))
    assert world.handle(events.TaskReturned(worker, held(2))) == []
    assert world.task(2).state is TaskState.WAITING
    assert world.task(2).attempt == 2


def test_a_long_task_with_nothing_behind_it_recalls_nothing(busy: Flood) -> None:
    world, worker = busy
    assert world.handle(started(worker, held(1))) == [
        do.TellStarted(RUN, 1, 1, worker, "host", 1.0)
    ]


def test_a_returned_task_of_a_run_that_has_withdrawn_is_not_queued_again(flood: Flood) -> None:
    world, worker = flood
    world.handle(started(worker, held(1)), events.RunWithdrew(RUN))
    cancelled = world.core.totals["cancelled"]
    assert world.handle(events.TaskReturned(worker, held(2))) == [do.TellWithdrawn(RUN, (2,))]
    assert 2 not in world.core.runs[RUN].tasks
    assert world.core.totals["cancelled"] == cancelled + 1


def test_a_returned_task_goes_to_a_worker_that_is_free() -> None:
    world = World(max_workers=2)
    world.run(0, 1, 2)
    one, two = world.bring(2)
    (first,), (second,) = world.tasks_of(one), world.tasks_of(two)
    world.handle(finished(one, held(first), wall_s=TINY_S), submitted(3))
    behind = world.tasks_of(one)[-1]
    world.handle(started(one, held(2)))
    actions = world.handle(finished(two, held(second)), events.TaskReturned(one, held(behind)))
    assert do.Assign(two, held(behind, 2), b"spec", (0,)) in actions


def test_runs_take_turns_ahead_too() -> None:
    world = World(max_workers=1)
    world.run(0, *range(1, 20))
    (worker,) = world.bring()
    world.run(*range(20), run=OTHER)
    world.handle(finished(worker, held(0), wall_s=TINY_S))
    runs = [run for run, _ in world.worker(worker).tasks]
    assert abs(runs.count(RUN) - runs.count(OTHER)) <= 1


def test_nothing_goes_behind_a_long_task_while_others_go_on_being_tiny() -> None:
    world = World(max_workers=2)
    world.run(0, 1)
    one, two = world.bring(2)
    (first,), (second,) = world.tasks_of(one), world.tasks_of(two)
    world.handle(started(one, held(first)))
    for number in range(100, 200):
        world.handle(finished(two, held(second), wall_s=TINY_S), submitted(number))
        (second,) = world.tasks_of(two)
    world.handle(*(submitted(number) for number in range(200, 210)))
    assert world.pool().task_s == pytest.approx(TINY_S)
    assert world.tasks_of(one) == [first]
    assert len(world.tasks_of(two)) == 11


def test_a_worker_whose_long_task_is_over_is_given_tasks_ahead_again(flood: Flood) -> None:
    world, worker = flood
    world.handle(started(worker, held(1)))
    for number in range(2, 17):
        world.handle(finished(worker, held(number), wall_s=TINY_S))
    assert world.tasks_of(worker) == [1, 17]
    world.handle(finished(worker, held(1), wall_s=0.001))
    assert len(world.tasks_of(worker)) == 14


def test_one_long_task_leaves_the_other_slots_to_the_tiny_ones() -> None:
    world = World(max_workers=1, slots=2)
    world.run(0, 1)
    (worker,) = world.bring()
    world.handle(started(worker, held(0)))
    for number in range(100, 200):
        (_, tiny) = world.tasks_of(worker)
        world.handle(finished(worker, held(tiny), wall_s=TINY_S), submitted(number))
    world.handle(*(submitted(number) for number in range(200, 210)))
    assert len(world.tasks_of(worker)) == 12
