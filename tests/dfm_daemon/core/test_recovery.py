"""A scheduler after a restart: workers say what they have, runs what they want."""

from collections.abc import Iterable

import pytest

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings, Survivor
from dfm_daemon.core.state import PoolLimits, TaskState, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import (
    RESULT,
    RUN,
    World,
    assign,
    finished,
    held,
    shape,
    submitted,
    told,
)

ONE, TWO = WorkerName("w1"), WorkerName("w2")
LIMITS = PoolLimits(0, 2, 300.0, 4, 1)


def restarted(*names: WorkerName, job: str = "job") -> World:
    """After a daemon whose workers these are; each may have tasks."""
    survivors = tuple(
        Survivor(name, shape(), 1, f"{job}-{name}" if job else "", has_joined=bool(job))
        for name in names
    )
    world = World()
    world.core = Scheduler(Settings("sim", lambda _: LIMITS, launched=len(names)))
    world.begin(survivors)
    return world


def returned(
    name: WorkerName, running: Iterable[Held] = (), done: Iterable[Held] = ()
) -> events.WorkerJoined:
    return events.WorkerJoined(name, "host", 77, f"job-{name}", 1, None, (*running,), (*done,))


BACK = events.RunJoined(RUN, 4711, "ann", "desk", is_back=True)
SETTLED = events.RunSettled(RUN)


def test_the_jobs_of_the_daemon_before_are_watched_until_their_workers_are_back() -> None:
    world = World()
    survivor = Survivor(ONE, shape(), 1, "job", has_joined=True)
    world.core = Scheduler(Settings("sim", lambda _: LIMITS, launched=7))
    assert world.begin((survivor,)) == [do.WatchJob(ONE)]
    assert world.handle(returned(ONE))[:2] == [do.Admit(ONE), do.TrustJob(ONE)]
    assert world.worker(ONE).state is WorkerState.IDLE


def test_new_workers_get_new_names() -> None:
    world = restarted(ONE, TWO)
    world.handle(*(events.JobGone(name, "gone", "") for name in (ONE, TWO)))
    world.run(1)
    assert world.launches[0].workers == (WorkerName("w3"),)


@pytest.mark.parametrize("order", ["worker first", "run first"])
def test_a_task_that_a_worker_runs_goes_on(order: str) -> None:
    world = restarted(ONE)
    worker, run = [returned(ONE, [held(1)])], [BACK, submitted(1), SETTLED]
    first, second = (worker, run) if order == "worker first" else (run, worker)
    actions = [*world.handle(*first), *world.handle(*second)]
    assert not [action for action in actions if isinstance(action, do.Assign | do.Drop | do.Launch)]
    assert world.tasks_of(ONE) == [1]
    assert told(held(1)) in world.handle(finished(ONE, held(1)))


def test_a_result_that_came_before_its_run_is_kept_and_told() -> None:
    world = restarted(ONE)
    world.handle(returned(ONE, done=[held(1)]))
    assert world.handle(finished(ONE, held(1))) == []
    assert world.handle(BACK, submitted(1)) == [told(held(1))]
    assert world.handle(events.ResultTaken(RUN, 1, 1)) == [do.Acknowledge(ONE, held(1))]


def test_a_result_outlives_its_worker() -> None:
    world = restarted(ONE)
    world.handle(returned(ONE, done=[held(1)]), finished(ONE, held(1)))
    world.handle(events.JobGone(ONE, "host down", ""))
    assert world.handle(BACK, submitted(1), SETTLED) == [told(held(1))]


def test_a_task_waits_for_a_result_that_is_on_its_way() -> None:
    world = restarted(ONE)
    assert do.Assign not in map(
        type, world.handle(returned(ONE, done=[held(1)]), BACK, submitted(1))
    )
    assert world.task(1).state is TaskState.WAITING
    assert world.handle(finished(ONE, held(1))) == [told(held(1))]


def test_a_task_that_nobody_is_known_to_have_waits_until_all_workers_are_back() -> None:
    world = restarted(ONE, TWO)
    world.handle(returned(ONE), BACK, submitted(1), SETTLED)
    assert not world.tasks_of(ONE), "the other may have it"
    assert assign(ONE, 1) in world.handle(returned(TWO)) or world.tasks_of(TWO) == [1]


@pytest.mark.parametrize("how", ["its job is gone", "the grace time is over"])
def test_or_until_they_are_known_to_be_lost(how: str) -> None:
    world = restarted(ONE, TWO)
    world.handle(returned(ONE), BACK, submitted(1), SETTLED)
    if how == "its job is gone":
        actions = world.handle(events.JobGone(TWO, "host down", ""))
    else:
        world.handle(events.WorkerHeard(ONE), now=29)
        actions = world.handle(now=30)
        assert do.EndJob(TWO) in actions, "so that it cannot go on"
    assert assign(ONE, 1) in actions


def test_a_run_that_is_new_is_not_held_up() -> None:
    world = restarted(ONE, TWO)
    world.handle(returned(ONE))
    assert assign(ONE, 1) in world.run(1)


def test_what_a_run_does_not_ask_for_again_is_dropped() -> None:
    world = restarted(ONE)
    world.handle(returned(ONE, [held(1)]), BACK)
    assert world.worker(ONE).state is WorkerState.BUSY
    assert world.handle(SETTLED) == [do.Drop(ONE, held(1))]
    assert world.worker(ONE).state is WorkerState.IDLE


def test_what_a_run_has_that_never_comes_back_is_dropped_after_the_grace_time() -> None:
    world = restarted(ONE)
    world.handle(returned(ONE, [held(1)]), now=1)
    world.handle(events.WorkerHeard(ONE), now=29)
    assert world.handle(now=29.9) == []
    assert world.handle(now=30) == [do.Drop(ONE, held(1))]


def test_an_attempt_older_than_the_client_knows_of_is_dropped_and_the_next_is_newer() -> None:
    world = restarted(ONE)
    world.handle(returned(ONE, [held(1)]))
    assert world.handle(BACK, submitted(1, attempt=2)) == [
        do.Drop(ONE, held(1)),
        assign(ONE, 1, attempt=3),
    ]


def test_of_two_attempts_the_newest_counts() -> None:
    world = restarted(ONE, TWO)
    world.handle(returned(ONE, [held(1)]))
    assert do.Drop(ONE, held(1)) in world.handle(returned(TWO, [held(1, 2)]))
    world.handle(BACK, submitted(1), SETTLED)
    assert world.tasks_of(TWO) == [1]


def test_the_attempt_after_a_claim_that_is_lost_is_newer_than_it() -> None:
    world = restarted(ONE, TWO)
    world.handle(returned(ONE), returned(TWO, [held(1, 5)]))
    world.handle(events.JobGone(TWO, "host down", ""))
    assert assign(ONE, 1, attempt=6) in world.handle(BACK, submitted(1))


def test_a_run_that_was_interrupted_meanwhile_has_its_tasks_cancelled_and_taken_back() -> None:
    world = restarted(ONE, TWO)
    withdrew, cancelled = events.RunWithdrew(RUN), events.RunCancelled(RUN, 5.0)
    world.handle(BACK, withdrew, submitted(1), submitted(2), cancelled, SETTLED)
    assert do.Cancel(ONE, held(1), 5.0) in world.handle(returned(ONE, [held(1)]))
    assert do.TellWithdrawn(RUN, (2,)) in world.handle(returned(TWO))


def test_a_job_that_nobody_knew_is_adopted_with_its_worker() -> None:
    world = restarted(ONE, job="")
    assert do.AdoptJob(ONE, "job-w1") in world.handle(returned(ONE))


def test_a_job_that_appears_after_it_was_given_up_is_adopted_all_the_same() -> None:
    """Its submission outlived the daemon before, and took long."""
    world = restarted(ONE, job="")
    world.handle(now=31.0)
    assert ONE not in world.core.workers
    world.run(1)
    actions = world.handle(returned(ONE))
    assert actions[:2] == [do.AdoptJob(ONE, "job-w1"), do.Admit(ONE)]
    assert assign(ONE, 1) in actions


def test_of_two_that_say_they_are_the_one_in_doubt_the_second_is_refused() -> None:
    world = restarted(ONE, job="")
    world.handle(now=31.0)
    other = events.WorkerJoined(ONE, "elsewhere", 99, "job", 1, None, (), ())
    actions = world.handle(returned(ONE), other)
    assert do.Refuse(ONE, "there is one of this name") in actions


def test_a_daemon_that_is_to_end_after_what_runs_waits_for_the_workers_of_the_one_before() -> None:
    world = restarted(ONE)
    world.handle(events.StopAsked(drain=True))
    world.handle(returned(ONE, [held(1)]), BACK, submitted(1), SETTLED)
    assert not world.has_ended
    assert told(held(1)) in world.handle(finished(ONE, held(1)))
    assert world.has_ended


# Without a restart


def test_a_worker_that_comes_back_in_time_goes_on() -> None:
    world = World(max_workers=1)
    world.run(1, 2)
    (worker,) = world.bring()
    world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    back = events.WorkerJoined(worker, "host", 77, "", 1, None, (held(1),), ())
    assert world.handle(back)[:2] == [do.Admit(worker), do.TrustJob(worker)]
    assert world.worker(worker).state is WorkerState.BUSY
    assert assign(worker, 2) in world.handle(finished(worker, held(1)))


def test_a_task_that_never_arrived_is_given_again() -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring()
    back = events.WorkerJoined(worker, "host", 77, "", 1, None, (), ())
    assert assign(worker, 1, attempt=2) in world.handle(back)


def test_a_run_that_comes_back_in_time_is_told_what_it_missed() -> None:
    world = World(max_workers=1)
    world.run(1, 2)
    (worker,) = world.bring()
    assert world.handle(events.RunAway(RUN)) == []
    world.handle(finished(worker, held(1)), now=29)
    assert world.handle(BACK, submitted(1), submitted(2), SETTLED) == [
        do.TellFinished(RUN, 1, 1, RESULT)
    ]
    assert RUN in world.core.runs
    world.handle(events.WorkerHeard(worker), now=60)
    assert RUN in world.core.runs


def test_what_it_had_heard_already_is_acknowledged() -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring()
    world.handle(events.RunAway(RUN), finished(worker, held(1)))
    assert world.handle(BACK, SETTLED) == [do.Acknowledge(worker, held(1))]


def test_a_run_that_does_not_come_back_has_left() -> None:
    world = World(max_workers=1)
    world.run(1, 2)
    (worker,) = world.bring()
    world.handle(events.RunAway(RUN))
    world.handle(events.WorkerHeard(worker), now=29)
    assert world.handle(now=30) == [do.Cancel(worker, held(1), 0.0), do.ForgetRun(RUN)]
