"""Which worker gets which task: jobs that end, larger workers that are idle."""

import pytest

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.roster import END_S
from dfm_daemon.core.settings import Survivor
from dfm_daemon.core.state import Demand, Shape, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import (
    OTHER,
    RUN,
    World,
    assign,
    finished,
    held,
    joined,
    submitted,
)

HOUR = Demand(walltime_s=3600)
ANY = Demand(walltime_s=3600, names_walltime=False)
TOO_SOON = "its job ends too soon for what waits"


def test_a_worker_gets_no_task_that_its_job_cannot_outlive_and_makes_room_for_another() -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring(deadline=4000.0)
    world.handle(finished(worker, held(1)), now=1000.0)
    actions = world.handle(submitted(2, demand=HOUR))
    assert do.Drain(worker, TOO_SOON) in actions
    (launch,) = [action for action in actions if isinstance(action, do.Launch)]
    assert launch.workers == ("w2",)
    assert world.worker(worker).state is WorkerState.DRAINING


def test_a_fresh_worker_gets_the_task_anyhow() -> None:
    world = World()
    world.run()
    world.handle(submitted(1, demand=HOUR))
    (worker,) = world.bring(deadline=1800.0)
    assert world.tasks_of(worker) == [1]


def test_one_whose_job_is_shorter_than_what_waits_gets_it_only_while_it_is_fresh() -> None:
    """As one that is kept warm: the next would have more time."""
    world = World(max_workers=1, min_workers=1, idle_timeout_s=0.0, lease_s=1e6)
    world.begin()
    world.run()
    (worker,) = world.bring(deadline=1800.0)
    world.now = 200.0
    assert do.Drain(worker, TOO_SOON) in world.handle(submitted(1, demand=HOUR))
    (fresh,) = world.bring(deadline=2000.0)
    assert world.tasks_of(fresh) == [1]


def test_all_slots_of_a_fresh_worker_are_filled() -> None:
    world = World(max_workers=1, slots=2)
    world.run()
    world.handle(submitted(1, demand=HOUR), submitted(2, demand=HOUR))
    (worker,) = world.bring(deadline=1800.0)
    assert world.tasks_of(worker) == [1, 2]


def test_a_walltime_that_nobody_has_named_needs_half_of_a_jobs_time() -> None:
    """Else each worker would run one task, where jobs are no longer than the default."""
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring(deadline=3600.0)
    world.handle(finished(worker, held(1)), now=1000.0)
    assert world.handle(submitted(2, demand=ANY)) == [assign(worker, 2)]
    world.handle(finished(worker, held(2)), now=1900.0)
    assert do.Drain(worker, TOO_SOON) in world.handle(submitted(3, demand=ANY))


@pytest.mark.parametrize("is_time_up", [True, False])
def test_what_had_too_little_time_is_given_to_a_fresh_one(is_time_up: bool) -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring(deadline=3600.0)
    world.handle(finished(worker, held(1)), submitted(2, demand=ANY))
    assert world.tasks_of(worker) == [2]
    gone = events.JobGone(worker, "killed", "", is_time_up=is_time_up)
    world.handle(gone, submitted(3, demand=Demand(priority=1)), now=1000.0)
    (second,) = world.bring(deadline=4600.0)
    assert world.tasks_of(second) == [3]
    actions = world.handle(finished(second, held(3)), now=1010.0)
    if is_time_up:
        assert do.Drain(second, TOO_SOON) in actions
        (third,) = world.bring(deadline=4610.0)
        assert world.tasks_of(third) == [2]
    else:
        assert world.tasks_of(second) == [2], "the time had nothing to do with it"


def test_one_that_the_daemon_before_has_used_is_not_fresh() -> None:
    world = World(max_workers=1)
    worker = WorkerName("w9")
    world.begin([Survivor(worker, Shape("1c"), 1, "job-w9", has_joined=True)])
    world.handle(joined(worker, job="job-w9", deadline=100.0))
    world.run()
    assert do.Drain(worker, TOO_SOON) in world.handle(submitted(1, demand=HOUR))


def test_what_fits_into_the_rest_of_a_job_is_given() -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring(deadline=4000.0)
    world.handle(finished(worker, held(1)), now=100.0)
    assert world.handle(submitted(2, demand=HOUR)) == [assign(worker, 2)]


@pytest.mark.parametrize(("life_s", "early_s"), [(60.0, 6.0), (1000.0, 100.0), (9e4, END_S)])
def test_a_worker_drains_before_its_job_ends(life_s: float, early_s: float) -> None:
    world = World(idle_timeout_s=0.0, lease_s=1e6)
    world.run(1)
    (worker,) = world.bring(deadline=life_s)
    world.handle(finished(worker, held(1)))
    assert world.core.next_deadline() == life_s - early_s
    assert world.handle(now=life_s - early_s - 1) == []
    assert world.handle(now=life_s - early_s) == [do.Drain(worker, "its job is about to end")]


def test_for_one_that_is_kept_warm_another_is_asked_for_when_it_drains() -> None:
    world = World(min_workers=1, idle_timeout_s=0.0, lease_s=1e6)
    world.begin()
    (worker,) = world.bring(deadline=1000.0)
    drain, launch = world.handle(now=900.0)
    assert drain == do.Drain(worker, "its job is about to end")
    assert isinstance(launch, do.Launch)


def test_the_scheduler_is_asked_about_the_end_of_a_job_whose_worker_does_not_know_it() -> None:
    world = World(max_workers=1, idle_timeout_s=0.0, lease_s=1e6)
    world.run(1)
    world.accept()
    (name,) = world.coming
    assert do.AskEnd(name) in world.handle(joined(name))
    world.handle(finished(name, held(1)), now=5.0)
    world.handle(events.JobEnds(name, 1000.0))
    assert world.worker(name).deadline == 1000.0
    assert world.handle(now=900.0) == [do.Drain(name, "its job is about to end")]


def test_one_that_knows_its_end_is_not_asked_about() -> None:
    world = World()
    world.run(1)
    world.accept()
    assert do.AskEnd(world.coming[0]) not in world.handle(joined(world.coming[0], deadline=9.0))


def test_an_end_that_is_over_is_a_wrong_clock_and_says_nothing() -> None:
    world = World()
    world.run(1)
    world.now = 500.0
    (worker,) = world.bring(deadline=400.0)
    assert world.worker(worker).deadline is None
    assert world.tasks_of(worker) == [1]


def test_an_end_of_a_worker_that_is_gone_is_let_go() -> None:
    assert World().handle(events.JobEnds(WorkerName("w9"), 1.0)) == []


def test_one_that_takes_no_more_gets_no_more_and_another_comes() -> None:
    world = World(max_workers=1)
    world.run(1, 2)
    (worker,) = world.bring()
    drain, launch = world.handle(events.WorkerDrains(worker, "SIGUSR2"))
    assert drain == do.Drain(worker, "SIGUSR2")
    assert isinstance(launch, do.Launch)
    assert world.handle(finished(worker, held(1)))[1:] == []
    assert world.handle(events.WorkerDrains(worker, "SIGUSR2")) == [], "said twice"


# Larger workers


def large_and_idle(world: World) -> do.Launch:
    """A world with one idle worker of four cores."""
    world.run(1, cores=4)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    return do.Launch("sim", (worker,), Shape("4c", 4), 1)


def test_an_idle_larger_worker_takes_a_smaller_task() -> None:
    world = World()
    (large,) = large_and_idle(world).workers
    assert world.handle(submitted(2)) == [assign(large, 2)]
    world.handle(finished(large, held(2), wall_s=0.001))
    assert world.core.pools[Shape("4c", 4)].task_s == 1.0, "says nothing of the larger tasks"


def test_a_smaller_worker_takes_no_larger_task() -> None:
    world = World()
    world.run(1)
    (small,) = world.bring()
    world.handle(finished(small, held(1)))
    assert not any(isinstance(a, do.Assign) for a in world.handle(submitted(2, cores=4)))


def test_a_larger_worker_stays_with_its_own_while_some_wait() -> None:
    world = World(max_workers=1)
    (large,) = large_and_idle(world).workers
    world.handle(submitted(2, cores=4), submitted(3, cores=4), submitted(4))
    assert world.tasks_of(large) == [2]


def test_a_worker_of_another_queue_or_without_what_is_selected_takes_no_task() -> None:
    world = World()
    (large,) = large_and_idle(world).workers
    for number, shape in enumerate(
        (Shape("q", 1, queue="short"), Shape("s", 1, resource_select=("big",)), Shape("m", 1, 1024))
    ):
        event = events.TaskSubmitted(RUN, 10 + number, "t", b"", (0,), shape, 0)
        assert not any(isinstance(a, do.Assign) for a in world.handle(event)), shape
    assert world.worker(large).state is WorkerState.IDLE


def test_what_a_lender_lost_goes_back_to_its_own_queue() -> None:
    world = World()
    (large,) = large_and_idle(world).workers
    world.handle(submitted(2))
    world.handle(events.JobGone(large, "killed", ""))
    assert [task.number for task in world.pool(1).queue.tasks()] == [2]


def test_two_runs_share_workers_that_become_free_evenly() -> None:
    world = World(max_workers=4)
    world.run(*range(100))
    workers = world.bring(4)
    world.run(*range(10), run=OTHER)
    for name in workers[:2]:
        (attempt,) = (task.held for task in world.worker(name).tasks.values())
        (_, given) = world.handle(finished(name, attempt))
        assert isinstance(given, do.Assign)
        assert given.held.run == OTHER
