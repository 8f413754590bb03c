"""How many workers a pool should have."""

import pytest

from dfm_daemon.core import actions as do
from dfm_daemon.core import events, scaling
from dfm_daemon.core.queue import Queue
from dfm_daemon.core.state import (
    Pool,
    PoolLimits,
    PoolState,
    Run,
    RunId,
    Task,
    WorkerName,
    WorkerState,
)
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, finished, held, shape, submitted


def a_pool(
    queued: int = 0,
    *,
    running: int = 0,
    idle: int = 0,
    pending: int = 0,
    requested: int = 0,
    limits: PoolLimits | None = None,
) -> Pool:
    pool = Pool(shape(), "sim", limits or PoolLimits(0, 16, 300.0, 4, 1), Queue())
    run = Run(RunId("run"), 1, "ann", "desk")
    for number in range(queued):
        pool.queue.add(Task(run, number, "t", b"", (), pool, 1))
    pool.running_count = running
    pool.counts[WorkerState.IDLE] = idle
    pool.counts[WorkerState.PENDING] = pending
    pool.counts[WorkerState.REQUESTED] = requested
    return pool


# How many


@pytest.mark.parametrize(
    ("queued", "running", "slots", "expected"),
    [(0, 0, 1, 0), (1, 0, 1, 1), (3, 2, 1, 5), (5, 0, 2, 3), (1, 4, 4, 2), (99, 0, 1, 16)],
)
def test_wanted_are_workers_for_all_tasks_within_the_ceiling(
    queued: int, running: int, slots: int, expected: int
) -> None:
    limits = PoolLimits(0, 16, 300.0, 4, slots)
    assert scaling.wanted(a_pool(queued, running=running, limits=limits)) == expected


@pytest.mark.parametrize(("queued", "expected"), [(0, 3), (2, 3), (5, 5), (20, 8)])
def test_no_fewer_are_wanted_than_are_kept_warm(queued: int, expected: int) -> None:
    limits = PoolLimits(3, 8, 300.0, 4, 1)
    assert scaling.wanted(a_pool(queued, limits=limits)) == expected


@pytest.mark.parametrize(
    ("idle", "pending", "expected"), [(0, 0, 4), (1, 0, 4), (0, 3, 3), (2, 3, 1), (6, 0, 0)]
)
def test_a_step_is_what_is_missing_and_never_more_than_a_batch(
    idle: int, pending: int, expected: int
) -> None:
    pool = a_pool(6, idle=idle, pending=pending)
    assert scaling.to_launch(pool, 0.0) == expected


def test_there_is_no_step_while_one_is_on_its_way() -> None:
    assert scaling.to_launch(a_pool(6, requested=1), 0.0) == 0


def test_surplus_workers_ask_for_nothing() -> None:
    assert scaling.to_launch(a_pool(1, idle=3), 0.0) == 0


# Failures


def test_the_pause_doubles_and_the_third_failure_is_the_last() -> None:
    pool = a_pool(1)
    scaling.note_failure(pool, "one", 10.0)
    assert (pool.state, pool.retry_at) == (PoolState.BACKOFF, 11.0)
    assert scaling.to_launch(pool, 10.5) == 0
    scaling.recover(pool, 10.5)
    assert pool.state is PoolState.BACKOFF
    scaling.recover(pool, 11.0)
    assert scaling.to_launch(pool, 11.0) == 1
    scaling.note_failure(pool, "two", 20.0)
    assert (pool.state, pool.retry_at) == (PoolState.BACKOFF, 22.0)
    scaling.note_failure(pool, "three", 30.0)
    assert (pool.state, pool.last_error) == (PoolState.FAILED, "three")
    assert scaling.to_launch(pool, 1e6) == 0


@pytest.mark.parametrize(
    ("queued", "idle", "state"),
    [(1, 0, PoolState.OK), (0, 0, PoolState.FAILED), (1, 1, PoolState.FAILED)],
)
def test_a_failed_pool_is_tried_again_for_tasks_that_no_worker_can_take(
    queued: int, idle: int, state: PoolState
) -> None:
    pool = a_pool(queued, idle=idle)
    for _ in range(scaling.FAILURES_IN_A_ROW):
        scaling.note_failure(pool, "no", 0.0)
    scaling.recover(pool, 0.0)
    assert pool.state is state
    assert scaling.to_launch(pool, 0.0) == (state is PoolState.OK)


def test_a_success_forgets_all_trouble() -> None:
    pool = a_pool(1)
    scaling.note_failure(pool, "no", 0.0)
    scaling.note_success(pool)
    assert (pool.state, pool.failures, pool.retry_at, pool.last_error) == (PoolState.OK, 0, 0.0, "")


# Growth


def test_workers_are_kept_warm_from_the_start() -> None:
    world = World(min_workers=2)
    assert world.begin() == [do.Launch("sim", (WorkerName("w1"), WorkerName("w2")), shape(1), 1)]


def test_nothing_is_launched_at_the_start_when_nothing_is_kept_warm(world: World) -> None:
    assert world.begin() == []
    assert world.pool().name == "1c"


def test_workers_of_another_shape_are_kept_warm_from_their_first_use() -> None:
    world = World(min_workers=2)
    world.begin()
    assert [action for action in world.run(1, cores=4) if isinstance(action, do.Launch)] == [
        do.Launch("sim", (WorkerName("w3"), WorkerName("w4")), shape(4), 1)
    ]


def test_a_pool_grows_a_batch_at_a_time_up_to_its_ceiling() -> None:
    world = World(max_workers=5, batch=2)
    world.run(*range(100))
    steps = []
    while world.launches:
        steps.append(len(world.launches[0].workers))
        name = world.launches.popleft().workers
        world.handle(events.LaunchSucceeded(name, tuple(f"j{n}" for n in name)))
    assert steps == [2, 2, 1]


def test_a_lost_worker_is_replaced_when_tasks_need_it() -> None:
    world = World(max_workers=2)
    world.run(1, 2)
    one, _ = world.bring(2)
    actions = world.handle(events.JobGone(one, "gone", ""))
    assert actions[-1] == do.Launch("sim", (WorkerName("w3"),), shape(1), 1)


def test_a_warm_worker_that_ends_is_replaced_though_nothing_waits() -> None:
    world = World(min_workers=1)
    world.begin()
    (worker,) = world.bring()
    assert world.handle(events.JobGone(worker, "gone", "")) == [
        do.Launch("sim", (WorkerName("w2"),), shape(1), 1)
    ]


# Idle workers


def idle_world(count: int, *, min_workers: int = 0, idle_timeout_s: float = 10) -> World:
    """Workers that have become idle at 0; their leases do not matter."""
    world = World(min_workers=min_workers, idle_timeout_s=idle_timeout_s, lease_s=1e6)
    world.run(*range(count))
    for name in world.bring(count):
        world.handle(finished(name, held(world.tasks_of(name)[0])))
    return world


def drained(actions: list[do.Action]) -> list[str]:
    return [action.worker for action in actions if isinstance(action, do.Drain)]


def test_a_worker_that_is_idle_for_too_long_is_drained() -> None:
    world = idle_world(1)
    assert world.core.next_deadline() == 10
    assert world.handle(now=9.9) == []
    assert world.handle(now=10) == [do.Drain(WorkerName("w1"), "idle for too long")]
    assert world.worker(WorkerName("w1")).state is WorkerState.DRAINING
    assert world.handle(now=100) == []


def test_a_draining_worker_gets_no_tasks() -> None:
    world = idle_world(1)
    world.handle(now=10)
    assert world.handle(submitted(9)) == [do.Launch("sim", (WorkerName("w2"),), shape(1), 1)]


def test_so_many_are_kept_warm_however_long_they_are_idle() -> None:
    world = idle_world(5, min_workers=2)
    assert len(drained(world.handle(now=10))) == 3
    assert drained(world.handle(now=20)) == []
    assert world.pool().serving == 2


def test_warm_workers_are_looked_at_again_each_timeout() -> None:
    world = idle_world(1, min_workers=1)
    assert drained(world.handle(now=10)) == []
    assert world.core.next_deadline() == 20


def test_a_worker_that_has_had_a_task_meanwhile_is_idle_from_its_end() -> None:
    world = idle_world(1)
    (name,) = world.core.workers
    world.handle(submitted(9), now=4)
    world.handle(finished(name, held(9)), now=7)
    assert drained(world.handle(now=10)) == []
    assert world.core.next_deadline() == 17
    assert drained(world.handle(now=17)) == [name]


def test_a_worker_that_is_busy_when_its_time_comes_is_looked_at_later() -> None:
    world = idle_world(1)
    (name,) = world.core.workers
    world.handle(submitted(9), now=4)
    assert drained(world.handle(now=10)) == []
    assert world.core.next_deadline() == 20
    world.handle(finished(name, held(9)), now=19)
    assert drained(world.handle(now=20)) == []
    assert drained(world.handle(now=29)) == [name]


def test_a_timeout_of_zero_keeps_workers_for_ever() -> None:
    world = idle_world(2, idle_timeout_s=0)
    assert drained(world.handle(now=1e5)) == []
    assert world.pool().serving == 2


def test_a_worker_that_never_had_a_task_becomes_idle_when_it_joins() -> None:
    world = World(idle_timeout_s=10, lease_s=1e6)
    world.run(1, 2)
    world.accept()
    world.handle(events.RunWithdrew(RunId("run")))
    world.handle(now=3)
    names = world.bring(2)
    assert drained(world.handle(now=12.9)) == []
    assert set(drained(world.handle(now=13))) == set(names)


def test_the_idle_time_of_a_worker_that_is_lost_is_forgotten() -> None:
    world = idle_world(1)
    world.handle(events.JobGone(WorkerName("w1"), "gone", ""))
    assert world.core.next_deadline() is None
    assert world.handle(now=10) == []


# Taking back


def test_pending_workers_that_nobody_needs_are_cancelled_after_a_while() -> None:
    world = World()
    world.run(1, 2, 3, 4)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    world.handle(events.RunWithdrew(RUN))
    assert world.core.next_deadline() == scaling.SURPLUS_S
    assert world.handle(now=scaling.SURPLUS_S - 1) == []
    ended = {action.worker for action in world.handle(now=scaling.SURPLUS_S)}  # type: ignore[union-attr]
    assert ended == {"w2", "w3", "w4"}
    assert not world.pool().pending


def test_a_burst_that_comes_again_in_time_cancels_nothing() -> None:
    world = World()
    world.run(1, 2)
    world.accept()
    world.handle(events.RunWithdrew(RUN))
    world.run(3, 4, run=OTHER)
    assert world.handle(now=10 * scaling.SURPLUS_S) == []
    assert len(world.pool().pending) == 2


def test_a_job_that_pends_for_too_long_is_cancelled_and_counts_as_a_failure() -> None:
    world = World(launch_timeout_s=600.0)
    world.run(1)
    world.accept()
    assert world.core.next_deadline() == 600.0
    assert world.handle(now=600.0) == [do.EndJob(WorkerName("w1"))]
    assert world.pool().last_error == "job job-w1 was cancelled: it was pending for 600 s"
    assert world.pool().failures == 1


def test_a_scheduler_that_cannot_be_reached_is_asked_for_ever_and_ever_more_rarely() -> None:
    pool = a_pool(1)
    pauses = []
    now = 0.0
    for _ in range(9):
        scaling.note_failure(pool, "LSF is down", now, is_transient=True)
        assert pool.state is PoolState.BACKOFF
        pauses.append(pool.retry_at - now)
        now = pool.retry_at
        scaling.recover(pool, now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
