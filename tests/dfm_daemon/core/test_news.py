"""What runs are told about the workers that their tasks can get."""

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.state import WorkerName
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, finished, held, submitted


def test_a_run_hears_of_workers_when_it_joins(world: World) -> None:
    world.run()
    assert world.news == [do.TellWorkers(RUN, 0, 0, "")]


def test_a_run_hears_of_every_change_once(world: World) -> None:
    world.run(1, 2)
    world.accept()
    world.bring(1)
    world.bring(1)
    assert world.news == [
        do.TellWorkers(RUN, 0, 2, ""),
        do.TellWorkers(RUN, 1, 1, ""),
        do.TellWorkers(RUN, 2, 0, ""),
    ]
    world.handle(finished(WorkerName("w1"), held(1)), submitted(3))
    world.handle(now=1)
    assert len(world.news) == 3


def test_a_run_that_joins_later_hears_at_once_and_the_others_nothing_new(world: World) -> None:
    world.run(1)
    world.bring()
    world.news.clear()
    world.run(run=OTHER)
    assert world.news == [do.TellWorkers(OTHER, 1, 0, "")]


def test_a_change_is_told_to_all_runs(world: World) -> None:
    world.run(1)
    world.run(run=OTHER)
    world.news.clear()
    world.bring()
    assert world.news == [do.TellWorkers(RUN, 1, 0, ""), do.TellWorkers(OTHER, 1, 0, "")]


def test_workers_of_all_pools_are_told_as_one_number(world: World) -> None:
    world.run(1)
    world.handle(submitted(2, cores=4), submitted(3, cores=8))
    world.bring(2)
    assert world.news[-1] == do.TellWorkers(RUN, 2, 1, "")


def test_trouble_is_told_until_it_is_over(world: World) -> None:
    world.run(1)
    world.handle(events.LaunchFailed(world.launches.pop().workers, "no such queue"), now=0)
    assert world.news[-1] == do.TellWorkers(RUN, 0, 0, "no such queue")
    world.handle(now=1)
    assert world.news[-1] == do.TellWorkers(RUN, 0, 1, "no such queue")
    world.bring()
    assert world.news[-1] == do.TellWorkers(RUN, 1, 0, "")


def test_a_run_that_has_left_hears_nothing(world: World) -> None:
    world.run(1)
    world.handle(events.RunLeft(RUN))
    world.news.clear()
    world.bring()
    assert world.news == []


def test_changes_while_no_run_was_there_are_told_to_the_next_one() -> None:
    world = World(min_workers=1)
    world.begin()
    world.bring()
    assert world.news == []
    world.run()
    assert world.news == [do.TellWorkers(RUN, 1, 0, "")]
