"""The check finds what it is for: each of these faults, in a world that is otherwise right."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dfm_daemon.core import events
from dfm_daemon.core.ahead import AHEAD
from dfm_daemon.core.invariants import check
from dfm_daemon.core.state import TaskState, Worker, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import RUN, World, finished, held

FAULTS: dict[str, Callable[[World, Worker, Worker], object]] = {}
Fault = Callable[[World, Worker, Worker], object]


def fault(spoil: Fault) -> Fault:
    FAULTS[spoil.__name__] = spoil
    return spoil


@fault
def a_task_is_queued_and_held(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().queue.add(next(iter(busy.tasks.values())))


@fault
def a_waiting_task_is_in_no_queue(world: World, busy: Worker, idle: Worker) -> None:
    queue = world.pool().queue
    choice = queue.choose(world.core.limits)
    assert choice is not None
    queue.take(choice)
    queue.given_back(choice.task.run, 0.0)


@fault
def a_task_is_held_by_nobody(world: World, busy: Worker, idle: Worker) -> None:
    busy.tasks.clear()
    world.pool().running_count = 0


@fault
def a_task_is_held_by_two(world: World, busy: Worker, idle: Worker) -> None:
    idle.tasks.update(busy.tasks)
    world.pool().running_count += len(busy.tasks)


@fault
def a_finished_task_is_still_held(world: World, busy: Worker, idle: Worker) -> None:
    for task in busy.tasks.values():
        task.state = TaskState.DONE


@fault
def a_queued_task_has_a_worker(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().queue.tasks()[0].worker = busy


@fault
def the_running_tasks_are_miscounted(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().running_count += 1


@fault
def the_long_tasks_are_miscounted(world: World, busy: Worker, idle: Worker) -> None:
    busy.long_count += 1


@fault
def the_workers_are_miscounted(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().counts[WorkerState.PENDING] += 1


@fault
def more_tasks_run_than_there_are_slots(world: World, busy: Worker, idle: Worker) -> None:
    for task in busy.tasks.values():
        task.state = TaskState.RUNNING
    busy.long_count = len(busy.tasks)


@fault
def more_tasks_are_ahead_than_allowed(world: World, busy: Worker, idle: Worker) -> None:
    busy.slots = len(busy.tasks) - AHEAD - 1


@fault
def there_are_more_workers_than_the_ceiling(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().limits = replace(world.pool().limits, max_workers=1)


@fault
def a_free_worker_is_forgotten(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().free.clear()


@fault
def a_full_worker_is_offered(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().free[busy.name] = busy


@fault
def an_idle_worker_is_offered_twice(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().roomy[idle.name] = idle


@fault
def a_busy_worker_has_nothing_to_do(world: World, busy: Worker, idle: Worker) -> None:
    idle.move(WorkerState.BUSY)


@fault
def a_worker_of_the_pool_is_unknown(world: World, busy: Worker, idle: Worker) -> None:
    del world.core.workers[idle.name]


@fault
def a_worker_is_in_no_pool(world: World, busy: Worker, idle: Worker) -> None:
    world.core.workers[WorkerName("w99")] = Worker(WorkerName("w99"), world.pool(), 0.0)


@fault
def the_queue_is_miscounted(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().queue._length += 1


@fault
def a_run_that_waits_has_no_turn(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().queue._turns.clear()


@fault
def a_run_has_more_of_the_workers_than_is_said(world: World, busy: Worker, idle: Worker) -> None:
    share = world.pool().queue.share(RUN)
    assert share is not None
    share.running -= 1


@fault
def a_token_is_lost(world: World, busy: Worker, idle: Worker) -> None:
    world.core.limits.take(RUN, (("lic", 1),))


@fault
def a_pending_worker_is_not_listed(world: World, busy: Worker, idle: Worker) -> None:
    world.pool().pending[idle.name] = idle


@pytest.fixture
def spoiled() -> tuple[World, Worker, Worker]:
    """A worker with tasks ahead, an idle one, and tasks that wait, since the daemon drains."""
    world = World(max_workers=2, tokens={"lic": 3})
    world.run(*range(40))
    busy, idle = world.bring(2)
    world.handle(finished(busy, held(world.tasks_of(busy)[0]), wall_s=0.001))
    world.handle(events.StopAsked(drain=True))
    world.handle(finished(idle, held(world.tasks_of(idle)[0])))
    return world, world.worker(busy), world.worker(idle)


@pytest.mark.parametrize("name", FAULTS)
def test_the_check_finds_that(name: str, spoiled: tuple[World, Worker, Worker]) -> None:
    world, busy, idle = spoiled
    check(world.core)
    FAULTS[name](world, busy, idle)
    with pytest.raises((AssertionError, KeyError)):
        check(world.core)
