"""Tokens of limits in the hands of tasks, across runs, and back on every way out."""

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.state import Demand, RunId, WorkerName
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, finished, held, submitted

LIC = Demand(limits=(("lic", 1),))


def world_of(tokens: int, *, workers: int = 8, slots: int = 1) -> World:
    return World(max_workers=workers, slots=slots, tokens={"lic": tokens})


def wants(world: World, *tasks: int, run: RunId = RUN, demand: Demand = LIC) -> list[Action]:
    return world.handle(
        events.RunJoined(run, 1, "ann", "desk"),
        *(submitted(task, run, demand=demand) for task in tasks),
    )


def starts(actions: list[Action]) -> list[int]:
    return [action.held.task for action in actions if isinstance(action, do.Assign)]


def running(world: World) -> int:
    return sum(pool.running_count for pool in world.core.pools.values())


def test_no_more_tasks_run_than_there_are_tokens_whichever_runs_want_them() -> None:
    world = world_of(3)
    wants(world, 1, 2, 3, 4)
    wants(world, 1, 2, 3, 4, run=OTHER)
    world.bring(8)
    assert running(world) == 3
    assert world.core.limits.used == {"lic": 3}
    assert sum(world.core.limits.holders("lic").values()) == 3


def test_a_token_goes_to_the_next_when_its_task_ends() -> None:
    world = world_of(1)
    wants(world, 1, 2)
    first, _ = world.bring(2)
    (worker,) = [name for name, w in world.core.workers.items() if w.tasks]
    assert starts(world.handle(finished(worker, held(1)))) == [2]
    assert first


def test_tokens_come_back_when_a_worker_is_lost() -> None:
    world = world_of(1, workers=1)
    wants(world, 1)
    (worker,) = world.bring()
    world.handle(events.JobGone(worker, "killed", ""))
    assert world.core.limits.used == {"lic": 0}
    world.bring()
    assert world.core.limits.used == {"lic": 1}


def test_tokens_come_back_when_a_task_is_given_back() -> None:
    world = world_of(1, workers=1)
    wants(world, 1)
    (worker,) = world.bring()
    world.handle(events.StopAsked(drain=True), events.TaskReturned(worker, held(1)))
    assert world.core.limits.used == {"lic": 0}


def test_tokens_stay_with_what_runs_when_its_run_leaves_until_it_has_ended() -> None:
    world = world_of(1, workers=1)
    wants(world, 1)
    (worker,) = world.bring()
    world.handle(events.RunLeft(RUN))
    wants(world, 1, run=OTHER)
    assert world.core.limits.used == {"lic": 1}
    assert starts(world.handle(finished(worker, held(1), status=-9))) == [1]


def test_what_can_never_have_its_tokens_is_given_up_at_once() -> None:
    world = world_of(3)
    actions = wants(world, 1, demand=Demand(limits=(("lic", 4),)))
    reason = "it wants 4 of `lic`, of which there are 3"
    assert actions == [do.TellLost(RUN, 1, 1, reason, final=True)]
    assert not world.core.runs[RUN].tasks


def test_a_task_with_tokens_is_not_given_ahead_of_its_turn() -> None:
    world = world_of(100, workers=1)
    world.run(0)
    (worker,) = world.bring()
    world.handle(finished(worker, held(0), wall_s=0.001))
    wants(world, *range(1, 20), run=OTHER)
    assert world.tasks_of(worker) == [1]


def test_a_task_whose_walltime_no_worker_has_is_given_up_at_once() -> None:
    world = World(walltime_s=3600.0)
    (lost,) = wants(world, 1, demand=Demand(walltime_s=7200))
    assert isinstance(lost, do.TellLost)
    assert lost.final
    assert lost.reason.startswith("its walltime of 7200 s is longer than the 3600 s of the workers")
    assert world.coming == world.coming.__class__()
    assert WorkerName("w1") not in world.core.workers
