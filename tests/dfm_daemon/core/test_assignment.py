"""Which worker gets which task, and when that is decided."""

from collections import Counter

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.state import RunId, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import (
    OTHER,
    RUN,
    World,
    assign,
    finished,
    held,
    joined,
    shape,
    submitted,
)


def order_of(actions: list[Action]) -> list[tuple[str, int]]:
    """The tasks that these actions assign, by run and number."""
    return [(a.held.run, a.held.task) for a in actions if isinstance(a, do.Assign)]


def test_a_worker_gets_the_tasks_of_a_run_in_the_order_of_submission() -> None:
    world = World(max_workers=1)
    world.run(5, 3, 4)
    (worker,) = world.bring()
    assert world.tasks_of(worker) == [5]
    assert order_of(world.handle(finished(worker, held(5)))) == [(RUN, 3)]
    assert order_of(world.handle(finished(worker, held(3)))) == [(RUN, 4)]


def test_a_worker_has_as_many_tasks_as_slots() -> None:
    world = World(max_workers=1, slots=3)
    world.run(1, 2, 3, 4)
    (worker,) = world.bring()
    assert world.tasks_of(worker) == [1, 2, 3]
    assert world.handle(finished(worker, held(2)))[1:] == [assign(worker, 4)]
    assert world.tasks_of(worker) == [1, 3, 4]


def test_a_worker_says_itself_how_many_slots_it_has(world: World) -> None:
    world.run(1, 2, 3)
    world.accept()
    world.handle(joined(world.coming[0], slots=2))
    assert world.tasks_of(world.coming[0]) == [1, 2]


def test_the_worker_that_became_free_last_is_taken_first(world: World) -> None:
    world.run(1, 2, 3)
    one, two, three = world.bring(3)
    tasks = {name: world.tasks_of(name)[0] for name in (one, two, three)}
    world.handle(finished(two, held(tasks[two])), finished(one, held(tasks[one])))
    assert world.handle(submitted(9)) == [assign(one, 9)]
    assert world.handle(submitted(10)) == [assign(two, 10)]


def test_tasks_go_to_workers_of_their_own_shape_only(world: World) -> None:
    world.run(1)
    (small,) = world.bring()
    world.handle(finished(small, held(1)))
    assert world.handle(submitted(2, cores=4)) == [
        do.Launch("sim", (WorkerName("w2"),), shape(4), 1)
    ]
    world.handle(submitted(3))
    assert world.tasks_of(small) == [3]
    (large,) = world.bring()
    assert world.tasks_of(large) == [2]


def test_a_batch_is_taken_in_whole_before_anything_is_assigned(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    batch = (submitted(2), finished(worker, held(1)), events.RunWithdrew(RUN))
    assert order_of(world.handle(*batch)) == []


def test_what_is_submitted_in_a_batch_can_be_assigned_at_its_end(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    assert order_of(world.handle(submitted(2), finished(worker, held(1)))) == [(RUN, 2)]


def test_an_empty_batch_decides_nothing_new(world: World) -> None:
    assert world.handle() == []
    world.run(1)
    world.bring()
    assert world.handle(now=1) == []


def test_one_batch_may_hold_what_many_workers_say(world: World) -> None:
    world.run(*range(8))
    workers = world.bring(8)
    tasks = {name: world.tasks_of(name)[0] for name in workers}
    batch = [finished(name, held(task)) for name, task in tasks.items()]
    actions = world.handle(*batch, *(submitted(number) for number in range(8, 16)))
    assert [type(a) for a in actions] == [do.TellFinished] * 8 + [do.Assign] * 8
    assert all(world.worker(name).state is WorkerState.BUSY for name in workers)


def test_fifty_late_tasks_are_not_behind_five_thousand_queued_ones() -> None:
    world = World(max_workers=10, batch=10)
    world.run(*range(5000))
    workers = world.bring(10)
    world.run(*range(50), run=OTHER)
    running: dict[WorkerName, Held] = {
        name: task.held for name in workers for task in world.worker(name).tasks.values()
    }
    assigned: list[str] = []
    while assigned.count(OTHER) != 50:
        batch = [finished(name, task) for name, task in running.items()]
        for action in world.handle(*batch):
            if isinstance(action, do.Assign):
                running[action.worker] = action.held
                assigned.append(action.held.run)
    assert Counter(assigned[:100]) == {RUN: 50, OTHER: 50}
    assert assigned[:6] in ([RUN, OTHER] * 3, [OTHER, RUN] * 3)


def test_every_run_gets_its_turn_whatever_the_others_submit_meanwhile() -> None:
    world = World(max_workers=1)
    runs = [RunId(name) for name in "abcd"]
    world.run(0, run=RunId("first"))
    (worker,) = world.bring()
    for number, run in enumerate(runs):
        world.run(*range(number + 1), run=run)
    running = held(0, run=RunId("first"))
    assigned: list[str] = []
    while True:
        actions = world.handle(finished(worker, running), submitted(100 + len(assigned), runs[3]))
        given = [action.held for action in actions if isinstance(action, do.Assign)]
        running = given[0]
        assigned.append(running.run)
        if len(assigned) == 10:
            break
    assert assigned == [*"abcd", *"bcd", *"cd", "d"]
