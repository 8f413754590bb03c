"""Which worker gets which task: jobs that end, larger workers that are idle."""

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.roster import END_S
from dfm_daemon.core.state import Demand, Shape, WorkerState
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, assign, finished, held, submitted

HOUR = Demand(walltime_s=3600)


def test_a_worker_gets_no_task_that_its_job_cannot_outlive_and_makes_room_for_another() -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring(deadline=4000.0)
    world.handle(finished(worker, held(1)), now=1000.0)
    actions = world.handle(submitted(2, demand=HOUR))
    assert do.Drain(worker, "its job ends too soon for what waits") in actions
    (launch,) = [action for action in actions if isinstance(action, do.Launch)]
    assert launch.workers == ("w2",)
    assert world.worker(worker).state is WorkerState.DRAINING


def test_a_fresh_worker_gets_the_task_anyhow() -> None:
    world = World()
    world.run()
    world.handle(submitted(1, demand=HOUR))
    (worker,) = world.bring(deadline=1800.0)
    assert world.tasks_of(worker) == [1]


def test_what_fits_into_the_rest_of_a_job_is_given() -> None:
    world = World(max_workers=1)
    world.run(1)
    (worker,) = world.bring(deadline=4000.0)
    world.handle(finished(worker, held(1)), now=100.0)
    assert world.handle(submitted(2, demand=HOUR)) == [assign(worker, 2)]


def test_a_worker_drains_before_its_job_ends() -> None:
    world = World(idle_timeout_s=0.0)
    world.run(1)
    (worker,) = world.bring(deadline=1000.0)
    world.handle(finished(worker, held(1)))
    assert world.core.next_deadline() is not None
    assert world.handle(events.WorkerHeard(worker), now=1000.0 - END_S - 1) == []
    actions = world.handle(events.WorkerHeard(worker), now=1000.0 - END_S)
    assert actions == [do.Drain(worker, "its job is about to end")]


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
