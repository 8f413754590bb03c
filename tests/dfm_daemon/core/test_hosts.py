"""Hosts that lose worker after worker, and when they are to blame."""

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.hosts import EXCLUDED_S, Hosts
from dfm_daemon.core.state import PoolState, WorkerName
from tests.dfm_daemon.core.conftest import World, finished, held, joined, submitted


def lose(hosts: Hosts, host: str, times: int, at: float = 10.0) -> list[bool]:
    return [hosts.lost(host, at) for _ in range(times)]


def test_the_third_loss_in_a_row_excludes_a_host_if_others_are_well() -> None:
    hosts = Hosts()
    assert hosts.lost("bad", 10.0) is False
    hosts.succeeded("good", 11.0)
    assert lose(hosts, "bad", 2, 12.0) == [False, True]
    assert hosts.excluded(12.0) == {"bad": 12.0 + EXCLUDED_S}
    assert not hosts.is_excluded("good", 12.0)


def test_it_is_let_in_again_when_its_time_is_over() -> None:
    hosts = Hosts()
    hosts.succeeded("good", 10.0)
    lose(hosts, "bad", 3)
    assert hosts.is_excluded("bad", 10.0 + EXCLUDED_S - 1)
    assert not hosts.is_excluded("bad", 10.0 + EXCLUDED_S)
    assert lose(hosts, "bad", 2, 1000.0) == [False, False], "it begins anew"


def test_no_host_is_excluded_when_all_fail_alike() -> None:
    hosts = Hosts()
    hosts.succeeded("one", 5.0)
    hosts.succeeded("two", 5.0)
    assert not any(lose(hosts, "one", 9) + lose(hosts, "two", 9))


def test_the_only_host_is_never_excluded() -> None:
    hosts = Hosts()
    hosts.succeeded("one", 5.0)
    assert not any(lose(hosts, "one", 9))


def test_a_task_that_ends_well_makes_good_what_was_lost() -> None:
    hosts = Hosts()
    hosts.succeeded("good", 10.0)
    lose(hosts, "bad", 2)
    hosts.succeeded("bad", 11.0)
    assert lose(hosts, "bad", 2, 12.0) == [False, False]


def excluded() -> tuple[World, WorkerName]:
    """A world in which a host was just excluded, with a worker that is left there."""
    world = World(retries=99)
    world.run(*range(1, 6))
    (good,) = world.bring(1, host="good")
    *bad, left = world.bring(4, host="bad")
    world.handle(events.JobGone(bad[0], "killed", ""))
    (task,) = world.worker(good).tasks.values()
    world.handle(finished(good, task.held))
    world.handle(*(events.JobGone(name, "killed", "") for name in bad[1:]))
    return world, left


def test_the_workers_that_an_excluded_host_still_has_take_no_more() -> None:
    world, left = excluded()
    assert world.core.hosts.excluded(world.now) == {"bad": EXCLUDED_S}
    assert (
        world.notes.count(
            "host=bad excluded for 10 min: it lost 3 workers in a row under their tasks"
        )
        == 1
    )
    task = next(iter(world.worker(left).tasks.values()))
    actions = world.handle(finished(left, task.held))
    assert not any(isinstance(action, do.Assign) and action.worker == left for action in actions)


def test_a_worker_that_comes_from_an_excluded_host_is_sent_away_and_the_next_comes_later() -> None:
    world, _ = excluded()
    world.accept()
    name = world.coming.popleft()
    actions = world.handle(joined(name, host="bad"))
    assert do.Drain(name, "lost 3 workers in a row under their tasks") in actions
    assert world.pool().state is PoolState.BACKOFF
    assert "host bad is excluded" in world.pool().last_error


def test_launches_say_which_hosts_to_avoid() -> None:
    world, _ = excluded()
    world.accept()
    world.accept()
    launches = [a for a in world.handle(*map(submitted, range(50, 60))) if isinstance(a, do.Launch)]
    assert [launch.avoid for launch in launches] == [("bad",)]


def test_a_worker_that_was_idle_is_no_loss_of_its_host() -> None:
    world = World()
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    world.handle(events.JobGone(worker, "killed", ""))
    assert world.core.hosts._hosts["host"].losses == 0
