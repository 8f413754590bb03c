"""Jobs of workers: asked for, refused, gone before their worker was heard of."""

from collections.abc import Sequence

import pytest

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.state import PoolState, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import (
    OTHER,
    RUN,
    World,
    finished,
    held,
    joined,
    shape,
    submitted,
)

REASON = "sbatch: error: invalid partition 'fast'"


def names(*numbers: int) -> tuple[WorkerName, ...]:
    return tuple(WorkerName(f"w{number}") for number in numbers)


def refuse(world: World, reason: str = REASON, *, now: float | None = None) -> list[do.Action]:
    """The batch system refuses what was asked for last."""
    return world.handle(events.LaunchFailed(world.launches.pop().workers, reason), now=now)


def given_up(tasks: Sequence[int], reason: str = REASON) -> list[do.Action]:
    return [do.TellLost(RUN, task, 1, reason, final=True) for task in tasks]


# In doubt


def doubt(world: World) -> WorkerName:
    """A launch whose answer was lost counts as failed; nobody knows whether it was."""
    world.run(1)
    (worker,) = world.launches.pop().workers
    world.handle(events.LaunchFailed((worker,), "no answer", is_transient=True, is_in_doubt=True))
    assert worker not in world.core.workers
    return worker


def test_a_worker_whose_launch_was_not_answered_is_taken_up_when_it_comes(world: World) -> None:
    worker = doubt(world)
    actions = world.handle(joined(worker, job="9"))
    assert do.AdoptJob(worker, "9") in actions
    assert world.tasks_of(worker) == [1]


def test_a_worker_whose_launch_was_refused_is_sent_away(world: World) -> None:
    world.run(1)
    refuse(world)
    assert world.handle(joined(WorkerName("w1"), job="9")) == [
        do.Refuse(WorkerName("w1"), "nobody launched it")
    ]


def test_a_worker_that_comes_before_its_launch_counts_as_failed_is_kept(world: World) -> None:
    world.run(1)
    (worker,) = world.launches.pop().workers
    assert do.AdoptJob not in map(type, world.handle(joined(worker, job="9"))), "it will be told"
    lost = events.LaunchFailed((worker,), "no answer", is_transient=True, is_in_doubt=True)
    assert world.handle(lost) == [do.AdoptJob(worker, "9")]
    assert world.worker(worker).state is WorkerState.BUSY


# Asked for


def test_workers_are_asked_for_with_the_shape_of_their_pool() -> None:
    world = World(slots=2)
    assert world.run(1, 2, 3, cores=4) == [do.Launch("sim", names(1, 2), shape(4), 2)]
    assert world.pool(4).name == "4c"


def test_a_job_that_was_taken_is_watched_until_its_worker_is_heard(world: World) -> None:
    world.run(1, 2)
    launched = events.LaunchSucceeded(names(1, 2), ("4711_1", "4711_2"))
    assert world.handle(launched) == [do.WatchJob(WorkerName("w1")), do.WatchJob(WorkerName("w2"))]
    assert world.worker(WorkerName("w2")).job == "4711_2"
    assert world.worker(WorkerName("w2")).state is WorkerState.PENDING


def test_no_more_is_asked_for_while_the_last_step_is_not_answered() -> None:
    world = World(batch=2)
    assert world.run(1, 2, 3, 4, 5) == [do.Launch("sim", names(1, 2), shape(1), 1)]
    assert world.handle(submitted(6)) == []
    answer = world.handle(events.LaunchSucceeded(names(1, 2), ("a", "b")))
    assert answer[2:] == [do.Launch("sim", names(3, 4), shape(1), 1)]


def test_a_job_of_a_worker_that_is_not_wanted_any_more_is_ended(world: World) -> None:
    world.run(1)
    (name,) = world.launches.pop().workers
    world.handle(events.LaunchFailed((name,), "no answer"), now=0)
    late = events.LaunchSucceeded((name,), ("4711",))
    assert world.handle(late)[0] == do.EndJob(name)


def test_a_worker_that_was_cut_off_before_its_submission_was_answered_has_its_job_watched(
    world: World,
) -> None:
    """Before the answer nobody could: its tasks would wait for the end of its lease."""
    world.run(1)
    (name,) = world.launches.pop().workers
    world.handle(joined(name))
    world.handle(events.WorkerLeft(name, "reset", is_expected=False))
    assert world.handle(events.LaunchSucceeded((name,), ("4711",))) == [do.WatchJob(name)]
    assert world.worker(name).state is WorkerState.AWAY


# Refused


def test_a_refused_launch_is_tried_again_after_a_pause_that_doubles(world: World) -> None:
    world.run(1)
    assert refuse(world, now=10) == []
    pool = world.pool()
    assert (pool.state, pool.last_error) == (PoolState.BACKOFF, REASON)
    assert world.notes[-1] == f"pool=1c backoff: {REASON}"
    assert world.core.next_deadline() == 11
    assert world.handle(now=10.9) == []
    assert world.handle(now=11) == [do.Launch("sim", names(2), shape(1), 1)]
    assert world.pool().state is PoolState.OK
    refuse(world, now=12)
    assert world.core.next_deadline() == 14
    assert world.handle(now=14) == [do.Launch("sim", names(3), shape(1), 1)]


def test_after_three_refusals_in_a_row_the_tasks_are_given_up_with_the_text(world: World) -> None:
    world.run(1, 2)
    refuse(world, "first")
    world.handle(now=1)
    refuse(world, "second")
    world.handle(now=3)
    assert refuse(world) == given_up([1, 2])
    assert world.pool().state is PoolState.FAILED
    assert not world.core.runs[RUN].tasks
    assert not world.pool().queue
    assert world.core.totals["failed"] == 2
    assert world.core.next_deadline() is None


def failed_pool(*, now: float = 3) -> World:
    world = World()
    world.run(1)
    for at in (0, 1, now):
        world.handle(now=at)
        refuse(world)
    assert world.pool().state is PoolState.FAILED
    return world


def test_tasks_of_every_run_are_given_up() -> None:
    world = World()
    world.run(1)
    world.run(1, run=OTHER)
    for at in (0, 1, 3):
        world.handle(now=at)
        actions = refuse(world)
    assert actions == [
        do.TellLost(RUN, 1, 1, REASON, final=True),
        do.TellLost(OTHER, 1, 1, REASON, final=True),
    ]


def test_a_failed_pool_asks_for_nothing_until_somebody_wants_it_again() -> None:
    world = failed_pool()
    assert world.handle(now=1e6) == []
    assert world.handle(submitted(2)) == [do.Launch("sim", names(4, 5)[:1], shape(1), 1)]
    assert world.pool().state is PoolState.OK


def test_a_pool_that_is_tried_again_has_all_its_tries() -> None:
    world = failed_pool()
    world.handle(submitted(2))
    assert refuse(world) == []
    assert world.pool().state is PoolState.BACKOFF
    assert world.core.next_deadline() == world.now + 1


def test_a_pool_that_failed_within_a_moment_is_tried_again_at_once() -> None:
    world = World(batch=3)
    world.run(1, 2, 3)
    world.accept()
    for name in names(1, 2, 3):
        world.handle(events.JobGone(name, "exit status 127", ""))
    assert world.pool().state is PoolState.FAILED
    assert world.handle(submitted(4)) == [do.Launch("sim", names(4), shape(1), 1)]


def test_tasks_wait_for_the_workers_that_a_failed_pool_still_has() -> None:
    world = World(batch=1)
    world.run(1, 2)
    (worker,) = world.bring()
    for at in (0, 1, 3):
        world.handle(now=at)
        assert refuse(world) == []
    assert world.pool().state is PoolState.FAILED
    actions = world.handle(finished(worker, held(1)))
    assert do.Assign(worker, held(2), b"spec", (0,)) in actions


def test_a_failed_pool_that_loses_its_last_worker_tries_again_for_its_tasks() -> None:
    world = World(batch=1)
    world.run(1, 2)
    (worker,) = world.bring()
    for at in (0, 1, 3):
        world.handle(now=at)
        refuse(world)
    actions = world.handle(events.JobGone(worker, "gone", ""))
    assert [type(action) for action in actions] == [do.TellLost, do.Launch]


def test_a_worker_that_comes_ends_the_trouble(world: World) -> None:
    world.run(1)
    refuse(world, now=0)
    world.handle(now=1)
    refuse(world, now=1)
    world.handle(now=3)
    world.bring()
    pool = world.pool()
    assert (pool.state, pool.failures, pool.last_error) == (PoolState.OK, 0, "")
    assert world.core.next_deadline() == 33  # the worker's lease


def test_a_worker_that_comes_during_a_pause_ends_it() -> None:
    world = World(batch=1)
    world.run(1, 2)
    world.accept()
    world.handle(now=0)
    refuse(world, now=0)
    assert world.pool().state is PoolState.BACKOFF
    actions = world.handle(joined(WorkerName("w1")))
    assert world.pool().state is PoolState.OK
    assert isinstance(actions[-1], do.Launch)


def test_a_refusal_of_one_pool_is_not_the_others(world: World) -> None:
    world.run(1)
    world.handle(submitted(2, cores=4))
    world.handle(events.LaunchFailed(world.launches.popleft().workers, REASON))
    assert world.pool(1).state is PoolState.BACKOFF
    assert world.pool(4).state is PoolState.OK
    assert world.pool(4).last_error == ""


def test_a_refusal_of_many_workers_counts_once(world: World) -> None:
    world.run(*range(8))
    refuse(world)
    assert world.pool().failures == 1
    assert not world.pool().workers


def test_a_worker_that_joined_all_the_same_outlives_the_refusal(world: World) -> None:
    world.run(1)
    (name,) = world.launches[0].workers
    world.handle(joined(name))
    assert refuse(world) == []
    assert world.worker(name).state is WorkerState.BUSY
    assert world.pool().state is PoolState.OK


def test_a_refusal_of_workers_that_nobody_knows_is_nobodys(world: World) -> None:
    assert world.handle(events.LaunchFailed(names(8, 9), REASON)) == []


# Gone before they were heard of


@pytest.mark.parametrize("log", ["", "dfm: no daemon answers at host:1"])
def test_a_job_that_ends_before_its_worker_was_heard_counts_as_a_refusal(
    world: World, log: str
) -> None:
    world.run(1)
    world.accept()
    (name,) = world.coming
    assert world.handle(events.JobGone(name, "exit status 1", log)) == []
    text = "a worker ended before it was heard of: exit status 1"
    assert world.pool().last_error == (f"{text}\n{log}" if log else text)
    assert world.pool().state is PoolState.BACKOFF
    assert name not in world.core.workers


def test_a_job_that_ends_before_its_submission_was_answered_counts_too(world: World) -> None:
    world.run(1)
    (name,) = world.launches[0].workers
    world.handle(events.JobGone(name, "exit status 1", ""))
    assert world.pool().state is PoolState.BACKOFF


def test_the_third_job_that_ends_unheard_fails_the_tasks_with_the_end_of_its_log() -> None:
    world = World(max_workers=1)
    world.run(1)
    for at in (0, 1, 3):
        world.handle(now=at)
        world.accept()
        actions = world.handle(events.JobGone(world.coming.popleft(), "exit status 1", "bad node"))
    reason = "a worker ended before it was heard of: exit status 1\nbad node"
    assert actions == given_up([1], reason)
