"""The tasks that ended last are numbered, and as many are kept as a screen can show."""

from dfm.wire.worker import Held
from dfm_daemon.core import events
from dfm_daemon.core.recent import KEPT
from dfm_daemon.core.state import WorkerName
from tests.dfm_daemon.core.conftest import RUN, World, finished, held


def test_the_newest_end_comes_first(world: World) -> None:
    world.run(1, 2)
    two, one = world.bring(2)
    world.handle(finished(one, held(1), wall_s=0.5))
    world.handle(finished(two, held(2), status=3))
    recent = world.core.recent
    newest, oldest = recent.since(0)
    assert newest == (2, "flow.t2", two, "host", 3, 1.0, "")
    assert oldest == (1, "flow.t1", one, "host", 0, 0.5, "")
    assert list(recent.since(1)) == [newest]
    assert list(recent.since(2)) == []


def test_old_ends_are_forgotten_and_still_counted(world: World) -> None:
    world.run(*range(1, KEPT + 11))
    (worker,) = world.bring()
    for number in range(1, KEPT + 11):
        world.handle(finished(worker, held(number)))
    recent = world.core.recent
    assert recent.count == KEPT + 10
    assert [ended.number for ended in recent.since(0)] == list(range(KEPT + 10, 10, -1))


def test_a_task_that_is_lost_for_good_has_ended_and_one_that_is_tried_again_has_not() -> None:
    world = World(max_workers=1, retries=1)
    world.run(1)
    for loss in (1, 2):
        (worker,) = world.bring()
        world.handle(events.JobGone(worker, "killed", ""))
        assert world.core.recent.count == loss - 1
    (ended,) = world.core.recent.since(0)
    assert ended.task == "flow.t1"
    assert "killed" in ended.lost


def test_tasks_that_are_given_up_with_their_pool_have_ended(world: World) -> None:
    world.run(1, 2)
    for _ in range(3):
        names = world.launches.popleft().workers
        world.handle(events.LaunchFailed(names, "no such queue"))
        world.handle(now=world.now + 1000)
    lost = [(ended.task, ended.worker, ended.lost) for ended in world.core.recent.since(0)]
    assert sorted(lost) == [("flow.t1", "", "no such queue"), ("flow.t2", "", "no such queue")]


def test_what_nobody_wants_any_more_is_no_end(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(events.RunLeft(RUN))
    world.handle(finished(WorkerName(worker), Held(RUN, 1, 1)))
    assert world.core.recent.count == 0
