"""The end of the daemon: at once, or after the tasks that run."""

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.state import PoolState, WorkerName
from tests.dfm_daemon.core.conftest import (
    OTHER,
    RUN,
    World,
    finished,
    held,
    joined,
    submitted,
    told,
)

Busy = tuple[World, WorkerName]
DRAIN, STOP = events.StopAsked(drain=True), events.StopAsked(drain=False)


def test_a_stop_is_the_end_whatever_runs(busy: Busy) -> None:
    world, _ = busy
    assert world.handle(STOP) == [do.End()]


def test_a_drain_without_tasks_is_the_end(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    assert world.handle(DRAIN) == [do.End()]


def test_a_drain_waits_for_what_runs_and_starts_nothing_else(busy: Busy) -> None:
    world, worker = busy
    assert world.handle(DRAIN) == []
    assert world.handle(submitted(3)) == []
    assert world.handle(finished(worker, held(1))) == [told(held(1)), do.End()]


def test_a_drain_waits_for_the_tasks_of_all_workers(world: World) -> None:
    world.run(1, 2)
    one, two = world.bring(2)
    world.handle(DRAIN)
    assert do.End() not in world.handle(finished(one, held(world.tasks_of(one)[0])))
    assert do.End() in world.handle(finished(two, held(world.tasks_of(two)[0])))


def test_nothing_is_launched_while_the_daemon_drains(busy: Busy) -> None:
    world, _ = busy
    world.handle(DRAIN)
    assert world.run(1, cores=8, run=OTHER) == []


def test_the_end_is_said_once(busy: Busy) -> None:
    world, worker = busy
    world.handle(DRAIN)
    assert world.handle(STOP) == [do.End()]
    assert world.handle(STOP) == []
    assert world.handle(DRAIN) == []
    assert world.handle(finished(worker, held(1))) == [told(held(1))]


def test_tasks_that_a_draining_daemon_loses_are_not_given_out_again(world: World) -> None:
    world.run(1, 2)
    one, two = world.bring(2)
    lost = world.tasks_of(one)[0]
    world.handle(DRAIN)
    actions = world.handle(events.JobGone(one, "gone", ""))
    assert [type(action) for action in actions] == [do.TellLost]
    actions = world.handle(finished(two, held(world.tasks_of(two)[0])))
    assert actions[-1] == do.End()
    assert world.task(lost).worker is None


def test_a_worker_that_comes_while_the_daemon_drains_gets_nothing(world: World) -> None:
    world.run(1, 2)
    world.bring(1)
    world.handle(DRAIN)
    name = world.coming[0]
    assert world.handle(joined(name)) == [do.Admit(name), do.TrustJob(name), do.AskEnd(name)]


def test_a_drain_does_not_wait_for_a_silent_worker_longer_than_its_lease(busy: Busy) -> None:
    world, worker = busy
    world.handle(DRAIN, events.WorkerLeft(worker, "reset", is_expected=False), now=5)
    assert world.core.next_deadline() == 35
    actions = world.handle(now=35)
    assert actions[0] == do.EndJob(worker)
    assert actions[-1] == do.End()


def test_a_pool_that_waits_to_launch_does_not_hide_what_a_drain_waits_for(busy: Busy) -> None:
    world, worker = busy
    world.run(1, cores=4, run=OTHER)
    world.handle(events.LaunchFailed(world.launches.pop().workers, "refused"), now=1)
    assert world.core.next_deadline() == 2
    world.handle(DRAIN)
    world.handle(now=2)
    assert world.pool(4).state is PoolState.BACKOFF
    assert world.core.next_deadline() == 30  # the lease of the worker that has a task
    assert worker in world.core.workers


def test_a_drain_goes_on_when_its_last_client_leaves(busy: Busy) -> None:
    world, worker = busy
    world.handle(DRAIN, events.RunLeft(RUN))
    assert not world.has_ended
    world.handle(finished(worker, held(1), status=-9))
    assert world.has_ended
