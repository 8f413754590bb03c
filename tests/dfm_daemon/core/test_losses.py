"""Workers lost under their tasks: what runs again, how often, and what is heard too late."""

import pytest

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.state import TaskState, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import (
    RUN,
    World,
    assign,
    finished,
    held,
    shape,
    submitted,
    told,
)

Busy = tuple[World, WorkerName]


def test_a_lost_worker_gives_its_tasks_back_in_order() -> None:
    world = World(max_workers=1, slots=3)
    world.run(1, 2, 3, 4, 5)
    (worker,) = world.bring()
    reason = f"worker {worker} on host: killed by signal 9"
    actions = world.handle(events.JobGone(worker, "killed by signal 9", ""))
    assert actions[:-1] == [
        do.TellLost(RUN, 3, 1, reason, final=False),
        do.TellLost(RUN, 2, 1, reason, final=False),
        do.TellLost(RUN, 1, 1, reason, final=False),
    ]
    assert isinstance(actions[-1], do.Launch)
    assert [task.number for task in world.pool().queue.tasks()] == [1, 2, 3, 4, 5]
    (other,) = world.bring()
    assert world.tasks_of(other) == [1, 2, 3]
    assert [world.task(number).attempt for number in (1, 2, 3)] == [2, 2, 2]


def test_a_loss_is_in_the_log_with_its_worker_and_reason(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.JobGone(worker, "TERM_MEMLIMIT", ""))
    assert world.notes[-1] == f"worker={worker} lost with 1 tasks: TERM_MEMLIMIT"


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
def test_a_task_is_run_again_so_many_times_and_then_fails_for_good(retries: int) -> None:
    world = World(max_workers=1, retries=retries)
    world.run(1)
    for attempt in range(1, retries + 2):
        (worker,) = world.bring()
        assert world.task(1).held == held(1, attempt)
        actions = world.handle(events.JobGone(worker, "host down", ""))
        reason = f"worker {worker} on host: host down"
        assert actions[0] == do.TellLost(RUN, 1, attempt, reason, final=attempt > retries)
    assert not world.core.runs[RUN].tasks
    assert not world.pool().queue
    assert not world.launches
    assert world.core.totals == {
        "completed": 0,
        "failed": 1,
        "cancelled": 0,
        "retried": retries,
    }


def test_a_task_that_fails_by_itself_is_not_run_again(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(finished(worker, held(1), status=1)) == [told(held(1)), assign(worker, 2)]
    assert world.core.totals["failed"] == 1
    assert world.core.totals["retried"] == 0


def test_tasks_of_other_workers_are_not_touched_by_a_loss(world: World) -> None:
    world.run(1, 2)
    one, two = world.bring(2)
    (kept,) = world.tasks_of(two)
    world.handle(events.JobGone(one, "gone", ""))
    assert world.tasks_of(two) == [kept]
    assert world.task(kept).attempt == 1


def test_a_running_task_that_is_lost_waits_again(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.TaskStarted(worker, held(1), 1.0))
    world.handle(events.JobGone(worker, "gone", ""))
    assert world.task(1).state is TaskState.WAITING
    assert world.task(1).worker is None


# Away: the connection is lost, the job may live


def test_a_worker_that_loses_its_connection_keeps_its_tasks_for_a_lease(busy: Busy) -> None:
    world, worker = busy
    left = events.WorkerLeft(worker, "connection reset", is_expected=False)
    assert world.handle(left, now=10)[0] == do.WatchJob(worker)
    assert world.worker(worker).state is WorkerState.AWAY
    assert world.tasks_of(worker) == [1]
    assert world.notes[-1] == f"worker={worker} connection lost: connection reset"
    assert world.core.next_deadline() == 40


def test_a_worker_that_is_away_gets_no_tasks(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    assert world.handle(submitted(3)) == []
    assert world.tasks_of(worker) == [1]


def test_an_idle_worker_that_loses_its_connection_is_away_too(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    assert world.worker(worker).state is WorkerState.AWAY
    assert world.handle(submitted(2)) == [], "it may come back"
    assert world.handle(events.JobGone(worker, "exit status 1", "")) == [
        do.Launch("sim", (WorkerName("w2"),), shape(1), 1)
    ]


def test_its_tasks_are_lost_when_its_job_is_gone(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    actions = world.handle(events.JobGone(worker, "exit status 1", ""))
    reason = f"worker {worker} on host: exit status 1"
    assert actions[0] == do.TellLost(RUN, 1, 1, reason, final=False)
    assert worker not in world.core.workers


def test_a_task_that_had_all_of_its_jobs_walltime_is_not_run_again(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.TaskStarted(worker, held(1), 0.0))
    actions = world.handle(events.JobGone(worker, "TIMEOUT", "", is_time_up=True))
    assert actions[0] == do.TellLost(RUN, 1, 1, f"worker {worker} on host: TIMEOUT", final=True)


def test_a_task_that_had_the_rest_of_it_is(world: World) -> None:
    world.run(1, 2)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    world.handle(events.TaskStarted(worker, held(2), 0.0))
    actions = world.handle(events.JobGone(worker, "TIMEOUT", "", is_time_up=True))
    assert actions[0] == do.TellLost(RUN, 2, 1, f"worker {worker} on host: TIMEOUT", final=False)


def test_its_tasks_are_lost_and_its_job_is_ended_when_the_lease_is_over(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False), now=10)
    assert world.handle(now=39.9) == []
    actions = world.handle(now=40)
    reason = f"worker {worker} on host: nothing heard for 30 s"
    assert actions[:2] == [do.EndJob(worker), do.TellLost(RUN, 1, 1, reason, final=False)]
    assert worker not in world.core.workers


def test_a_connection_is_lost_once(busy: Busy) -> None:
    world, worker = busy
    left = events.WorkerLeft(worker, "reset", is_expected=False)
    world.handle(left, now=10)
    assert world.handle(left, now=20) == []
    assert world.core.next_deadline() == 40


def test_a_worker_that_says_goodbye_with_tasks_is_away_like_any_other(busy: Busy) -> None:
    world, worker = busy
    left = events.WorkerLeft(worker, "drained", is_expected=True)
    assert world.handle(left)[0] == do.WatchJob(worker)
    assert world.worker(worker).state is WorkerState.AWAY


def test_a_client_that_leaves_while_its_worker_is_away_is_owed_nothing(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    assert world.handle(events.RunLeft(RUN)) == [
        do.Cancel(worker, held(1), 0.0),
        do.ForgetRun(RUN),
    ]
    assert world.handle(events.JobGone(worker, "gone", "")) == []


# Too late


@pytest.fixture
def given_away() -> tuple[World, WorkerName, WorkerName]:
    """Task 1 was lost with the first worker and is with the second one."""
    world = World(max_workers=1)
    world.run(1)
    (first,) = world.bring()
    world.handle(events.JobGone(first, "gone", ""))
    (second,) = world.bring()
    return world, first, second


def test_a_lost_worker_that_speaks_again_is_told_to_drop_its_task(
    given_away: tuple[World, WorkerName, WorkerName],
) -> None:
    world, first, second = given_away
    assert world.handle(finished(first, held(1))) == [do.Drop(first, held(1))]
    assert world.handle(events.TaskStarted(first, held(1), 1.0)) == [do.Drop(first, held(1))]
    assert world.handle(events.TaskReturned(first, held(1)), events.WorkerHeard(first)) == []
    assert world.tasks_of(second) == [1]
    assert world.handle(finished(second, held(1, 2))) == [told(held(1, 2))]


@pytest.mark.parametrize(
    "attempt", [held(1, 1), held(1, 3), held(2, 1), Held("nobody", 1, 2), held(-1, 0)]
)
def test_any_other_attempt_than_the_one_that_counts_is_dropped(
    given_away: tuple[World, WorkerName, WorkerName], attempt: Held
) -> None:
    world, _, second = given_away
    assert world.handle(finished(second, attempt)) == [do.Drop(second, attempt)]
    assert world.handle(events.TaskStarted(second, attempt, 1.0)) == [do.Drop(second, attempt)]
    assert world.handle(events.TaskReturned(second, attempt)) == []
    assert world.task(1).held == held(1, 2)
    assert world.task(1).state is TaskState.ASSIGNED


def test_a_result_that_comes_twice_is_told_once(busy: Busy) -> None:
    world, worker = busy
    actions = world.handle(finished(worker, held(1)), finished(worker, held(1)))
    assert actions == [told(held(1)), assign(worker, 2)], "and acknowledged once it is taken"
    assert world.core.runs[RUN].completed == 1


def test_a_result_for_a_task_of_another_worker_is_dropped(world: World) -> None:
    world.run(1, 2)
    one, two = world.bring(2)
    (mine,) = world.tasks_of(one)
    assert world.handle(finished(two, held(mine))) == [do.Drop(two, held(mine))]
    assert world.task(mine).state is TaskState.ASSIGNED
