"""What a monitor is shown is bounded, and looks at all workers only now and then."""

import time

import pytest

from dfm.wire.client import CLIENT_LINK, AskSnapshot, EndedTask, PoolCounts, Snapshot
from dfm_daemon.core import events
from dfm_daemon.shell import monitor
from dfm_daemon.shell.monitor import Monitor
from tests.dfm_daemon.core.conftest import World, finished, held

ALL = AskSnapshot(0, 100)


@pytest.fixture
def world() -> World:
    return World(max_workers=3)


@pytest.fixture
def shown(world: World, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    """A monitor of the world that looks anew each time."""
    monkeypatch.setattr(monitor, "FRESH_S", 0.0)
    monkeypatch.setattr(monitor, "SHARE", 0)
    return Monitor(world.core, lambda: world.now)


def test_a_daemon_that_has_done_nothing_has_every_number(world: World, shown: Monitor) -> None:
    world.begin()
    assert shown.snapshot(ALL) == Snapshot(
        uptime_s=0.0,
        running=[],
        ended=[],
        ended_count=0,
        workers=dict.fromkeys(("total", "busy", "idle", "pending", "draining", "lost"), 0),
        tasks=dict.fromkeys(
            ("queued", "running", "completed", "failed", "cancelled", "retried"), 0
        ),
        pools=[PoolCounts("1c", "sim", "ok", 0, 3, "")],
    )


def test_tasks_that_run_for_longest_come_first(world: World, shown: Monitor) -> None:
    world.run(1, 2, 3)
    workers = world.bring(3)
    of = {number: name for name in workers for number in world.tasks_of(name)}
    began = time.time()
    world.handle(events.TaskStarted(of[2], held(2), began - 60))
    world.handle(events.TaskStarted(of[1], held(1), began - 600))
    running = shown.snapshot(ALL).running
    assert [task.task for task in running] == ["flow.t1", "flow.t2", "flow.t3"]
    assert running[0].elapsed_s >= 600 > running[1].elapsed_s >= 60 > running[2].elapsed_s
    assert (running[0].worker, running[0].host) == (of[1], "host")


def test_tasks_ahead_count_as_queued() -> None:
    world = World(max_workers=1)
    shown = Monitor(world.core, lambda: world.now)
    world.run(*range(1, 31))
    (worker,) = world.bring()
    world.handle(finished(worker, held(1), wall_s=0.001))
    assert len(world.tasks_of(worker)) > 1
    tasks = shown.snapshot(ALL).tasks
    assert (tasks["running"], tasks["queued"], tasks["completed"]) == (1, 28, 1)


def test_an_answer_is_never_longer_than_was_asked_for(world: World, shown: Monitor) -> None:
    world.run(*range(1, 10))
    workers = world.bring(3)
    for name in workers:
        (number,) = world.tasks_of(name)
        world.handle(finished(name, held(number), status=number))
    answer = shown.snapshot(AskSnapshot(0, 2))
    assert len(answer.running) == 2
    assert [ended.number for ended in answer.ended] == [3, 2]
    assert answer.ended_count == 3
    assert answer.tasks["running"] == 3
    none = shown.snapshot(AskSnapshot(0, -1))
    assert not none.running
    assert not none.ended


def test_only_what_is_new_is_told(world: World, shown: Monitor) -> None:
    world.run(1, 2)
    two, one = world.bring(2)
    world.handle(finished(one, held(1)))
    world.handle(finished(two, held(2), status=-9))
    (ended,) = shown.snapshot(AskSnapshot(1, 100)).ended
    assert ended == EndedTask(2, "flow.t2", two, "host", -9, 1.0, "")


def test_workers_are_counted_by_their_states(world: World, shown: Monitor) -> None:
    world.run(1, 2, 3)
    world.accept()
    assert shown.snapshot(ALL).workers["pending"] == 3
    _, lost = world.bring(2)
    world.handle(events.WorkerLeft(lost, "reset", is_expected=False))
    workers = shown.snapshot(ALL).workers
    assert workers == {"total": 3, "busy": 1, "idle": 0, "pending": 1, "draining": 0, "lost": 1}


def test_trouble_is_told_with_its_age_and_not_at_any_length(world: World, shown: Monitor) -> None:
    shown.note("worker=w1 lost" + "!" * 10_000)
    world.now = 30.0
    answer = shown.snapshot(ALL)
    assert answer.trouble.startswith("worker=w1 lost!!")
    assert len(answer.trouble) < 1000
    assert answer.trouble_age_s == 30.0


def test_a_look_serves_all_who_ask_until_it_is_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "FRESH_S", 1000.0)
    shown = Monitor(world.core, lambda: world.now)
    assert not shown.snapshot(ALL).running
    world.run(1)
    world.bring()
    assert not shown.snapshot(ALL).running
    later = time.monotonic() + 1001
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert shown.snapshot(ALL).running


def test_an_answer_travels(world: World, shown: Monitor) -> None:
    world.run(1, 2)
    worker, _ = world.bring(2)
    (number,) = world.tasks_of(worker)
    world.handle(finished(worker, held(number), status=1))
    answer = shown.snapshot(ALL)
    assert CLIENT_LINK.decode(CLIENT_LINK.encode(answer)[4:]) == answer
