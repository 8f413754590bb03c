"""What clients ask for: tasks wanted, taken back, cancelled, and left alone."""

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.state import TaskState, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import (
    OTHER,
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


def test_a_task_waits_for_a_worker_and_then_is_assigned(world: World) -> None:
    assert world.run(1) == [do.Launch("sim", (WorkerName("w1"),), shape(1), 1)]
    assert world.task(1).state is TaskState.WAITING
    world.accept()
    joined = events.WorkerJoined(WorkerName("w1"), "host", 77, "", 1, None, (), ())
    name = WorkerName("w1")
    admitted = [do.Admit(name), do.TrustJob(name), do.AskEnd(name)]
    assert world.handle(joined, now=5) == [*admitted, assign(name, 1)]
    assert world.task(1).state is TaskState.ASSIGNED


def test_a_result_is_told_once_and_acknowledged_end_to_end(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(finished(worker, held(1)), now=6) == [told(held(1)), assign(worker, 2)]
    assert world.handle(events.ResultTaken(RUN, 1, 1)) == [do.Acknowledge(worker, held(1))]
    assert 1 not in world.core.runs[RUN].tasks


def test_a_task_is_told_to_have_started_with_its_place_and_time(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(events.TaskStarted(worker, held(1), 1234.5)) == [
        do.TellStarted(RUN, 1, 1, worker, "host", 1234.5)
    ]
    assert world.task(1).state is TaskState.RUNNING
    assert world.task(1).started_at == 1234.5


def test_a_start_that_is_said_twice_is_told_once(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.TaskStarted(worker, held(1), 1.0))
    assert world.handle(events.TaskStarted(worker, held(1), 2.0)) == []
    assert world.task(1).started_at == 1.0


def test_a_task_that_is_asked_for_again_is_one_task(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(submitted(1), submitted(2)) == []
    assert len(world.pool().queue) == 1
    world.handle(finished(worker, held(1)))
    assert world.handle(submitted(1)) == []  # done, and only not acknowledged yet
    assert world.task(1).state is TaskState.DONE


def test_a_task_may_be_asked_for_anew_after_its_result_was_taken(busy: Busy) -> None:
    world, worker = busy
    world.handle(finished(worker, held(1)), events.ResultTaken(RUN, 1, 1))
    world.handle(submitted(1, attempt=1))
    assert world.handle(finished(worker, held(2))) == [told(held(2)), assign(worker, 1, attempt=2)]


def test_the_first_attempt_follows_what_the_client_has_heard_of(world: World) -> None:
    world.run()
    world.handle(submitted(1, attempt=3))
    world.accept()
    assert world.task(1).attempt == 4


def test_a_task_of_a_run_that_is_not_here_is_nobodys(world: World) -> None:
    assert world.handle(submitted(1)) == []
    assert world.handle(events.RunWithdrew(RUN), events.RunCancelled(RUN, 1.0)) == []
    assert world.handle(events.ResultTaken(RUN, 1, 1), events.RunLeft(RUN)) == []
    assert not world.core.pools


def test_a_result_is_taken_only_as_the_attempt_that_was_told(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(events.ResultTaken(RUN, 1, 1)) == []  # runs still
    assert world.task(1).state is TaskState.ASSIGNED
    world.handle(finished(worker, held(1)))
    assert world.handle(events.ResultTaken(RUN, 1, 2), events.ResultTaken(RUN, 7, 1)) == []
    assert world.task(1).state is TaskState.DONE


def test_nobody_acknowledges_to_a_worker_that_is_gone(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunWithdrew(RUN), finished(worker, held(1)))
    world.handle(events.WorkerLeft(worker, "idle", is_expected=True))
    assert world.handle(events.ResultTaken(RUN, 1, 1)) == []
    assert not world.core.runs[RUN].tasks


# Taken back


def test_what_waits_is_withdrawn_and_what_runs_goes_on(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(submitted(3), events.RunWithdrew(RUN)) == [do.TellWithdrawn(RUN, (2, 3))]
    assert world.tasks_of(worker) == [1]
    assert world.handle(finished(worker, held(1))) == [told(held(1))]


def test_a_run_without_waiting_tasks_is_answered_too(world: World) -> None:
    world.run()
    assert world.handle(events.RunWithdrew(RUN)) == [do.TellWithdrawn(RUN, ())]


def test_only_the_run_that_asks_is_withdrawn(world: World) -> None:
    world.run(1)
    world.run(1, 2, run=OTHER)
    assert world.handle(events.RunWithdrew(OTHER)) == [do.TellWithdrawn(OTHER, (1, 2))]
    assert len(world.pool().queue) == 1


def test_tasks_are_withdrawn_from_every_pool(world: World) -> None:
    world.run(1)
    world.handle(submitted(2, cores=4))
    assert world.handle(events.RunWithdrew(RUN)) == [do.TellWithdrawn(RUN, (1, 2))]


# Cancelled


def test_what_runs_is_cancelled_with_the_grace_and_reports_its_end(busy: Busy) -> None:
    world, worker = busy
    batch = (events.RunWithdrew(RUN), events.RunCancelled(RUN, 5.0))
    assert world.handle(*batch) == [
        do.TellWithdrawn(RUN, (2,)),
        do.Cancel(worker, held(1), 5.0),
    ]
    assert world.handle(finished(worker, held(1), status=-15)) == [told(held(1))]


def test_tasks_that_are_over_are_not_cancelled(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunWithdrew(RUN), finished(worker, held(1)))
    assert world.handle(events.RunCancelled(RUN, 0.0)) == []


def test_a_cancelled_task_that_a_worker_had_not_started_is_withdrawn(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunWithdrew(RUN), events.RunCancelled(RUN, 5.0))
    assert world.handle(events.TaskReturned(worker, held(1))) == [do.TellWithdrawn(RUN, (1,))]
    assert not world.core.runs[RUN].tasks


def test_a_cancelled_task_that_is_lost_is_not_run_again(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunWithdrew(RUN), events.RunCancelled(RUN, 5.0))
    reason = f"worker {worker} on host: killed by signal 9"
    assert world.handle(events.JobGone(worker, "killed by signal 9", "")) == [
        do.TellLost(RUN, 1, 1, reason, final=True)
    ]
    assert not world.pool().queue


# Left


def test_a_run_that_leaves_has_its_waiting_tasks_dropped_and_its_running_ones_killed(
    busy: Busy,
) -> None:
    world, worker = busy
    assert world.handle(events.RunLeft(RUN)) == [
        do.Cancel(worker, held(1), 0.0),
        do.ForgetRun(RUN),
    ]
    assert not world.pool().queue
    assert world.worker(worker).state is WorkerState.BUSY


def test_the_killed_task_of_a_run_that_left_is_acknowledged_for_it(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunLeft(RUN))
    killed = finished(worker, held(1), status=-9)
    assert world.handle(killed) == [do.Acknowledge(worker, held(1))]
    assert world.worker(worker).state is WorkerState.IDLE


def test_a_task_of_a_run_that_left_comes_back_to_nobody(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunLeft(RUN))
    assert world.handle(events.TaskReturned(worker, held(1))) == []
    assert world.worker(worker).state is WorkerState.IDLE
    assert not world.pool().queue


def test_a_task_of_a_run_that_left_is_lost_to_nobody(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.RunLeft(RUN))
    assert world.handle(events.JobGone(worker, "exit status 1", "")) == []
    assert not world.pool().queue


def test_results_that_a_run_never_acknowledged_are_acknowledged_when_it_leaves(busy: Busy) -> None:
    world, worker = busy
    world.handle(finished(worker, held(1)))
    assert world.handle(events.RunLeft(RUN)) == [
        do.Acknowledge(worker, held(1)),
        do.Cancel(worker, held(2), 0.0),
        do.ForgetRun(RUN),
    ]


def test_nothing_is_said_to_gone_workers_when_a_run_leaves(busy: Busy) -> None:
    world, worker = busy
    world.handle(finished(worker, held(1)))
    world.handle(events.RunWithdrew(RUN), finished(worker, held(2)))
    world.handle(events.WorkerLeft(worker, "idle", is_expected=True))
    assert world.handle(events.RunLeft(RUN)) == [do.ForgetRun(RUN)]


def test_a_run_leaves_once(busy: Busy) -> None:
    world, _ = busy
    world.handle(events.RunLeft(RUN))
    assert world.handle(events.RunLeft(RUN)) == []
    assert world.handle(submitted(9), events.ResultTaken(RUN, 1, 1)) == []


def test_a_run_may_come_submit_and_leave_in_one_batch(world: World) -> None:
    batch = (events.RunJoined(RUN, 1, "ann", "desk"), submitted(1), events.RunLeft(RUN))
    assert world.handle(*batch) == [do.ForgetRun(RUN)]
    assert world.news == []


# What is counted


def test_every_task_is_counted_where_it_ended(busy: Busy) -> None:
    world, worker = busy
    world.handle(submitted(3), submitted(4), finished(worker, held(1)))
    world.handle(finished(worker, held(2), status=1))
    world.handle(events.RunWithdrew(RUN))
    world.handle(events.RunLeft(RUN), finished(worker, held(3)))
    assert world.core.totals == {"completed": 1, "failed": 1, "cancelled": 2, "retried": 0}


def test_what_a_run_leaves_behind_counts_as_cancelled_in_whatever_state_it_was() -> None:
    world = World(max_workers=2, slots=2)
    world.run(1, 2, 3, 4, 5)
    first, second = world.bring(2)
    world.handle(events.RunLeft(RUN))  # task 5 waited
    (one, two), (three, _) = world.tasks_of(first), world.tasks_of(second)
    world.handle(events.TaskReturned(first, held(one)), finished(first, held(two), status=-9))
    world.handle(finished(second, held(three)), events.JobGone(second, "gone", ""))
    assert world.core.totals == {"completed": 0, "failed": 0, "cancelled": 5, "retried": 0}
