"""Whose turn it is among the runs that wait for one pool."""

from dfm_daemon.core.queue import Queue
from dfm_daemon.core.state import ONE_CORE, Pool, PoolLimits, Run, RunId, Task

LIMITS = PoolLimits(0, 1, 0.0, 1, 1)
A, B, C = (Run(RunId(name), 1, "ann", "desk") for name in "abc")


def queue_of(*tasks: tuple[Run, int]) -> Queue:
    queue = Queue()
    for run, number in tasks:
        queue.add(task_of(run, number))
    queue.check()
    return queue


def task_of(run: Run, number: int) -> Task:
    return Task(run, number, "t", b"", (), Pool(ONE_CORE, "sim", LIMITS, Queue()), 1)


def taken(queue: Queue) -> list[tuple[str, int]]:
    """All that is left, in the order in which it is taken."""
    order = []
    while queue:
        task = queue.take()
        queue.check()
        order.append((str(task.run.id), task.number))
    return order


def test_a_run_alone_is_served_in_the_order_of_submission() -> None:
    assert taken(queue_of((A, 3), (A, 1), (A, 2))) == [("a", 3), ("a", 1), ("a", 2)]


def test_runs_take_turns_however_much_they_have_queued() -> None:
    queue = queue_of((A, 1), (A, 2), (A, 3), (B, 1), (B, 2), (C, 1))
    assert taken(queue) == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("a", 3)]


def test_a_run_that_comes_later_waits_for_one_turn_of_the_others_only() -> None:
    queue = queue_of((A, 1), (A, 2), (B, 1), (B, 2))
    assert queue.take().run is A
    queue.add(task_of(C, 1))
    assert taken(queue) == [("b", 1), ("a", 2), ("c", 1), ("b", 2)]


def test_a_task_that_is_put_back_comes_before_all_others_of_its_run() -> None:
    queue = queue_of((A, 1), (A, 2), (B, 1))
    task = queue.take()
    queue.put_back(task)
    queue.check()
    assert taken(queue) == [("b", 1), ("a", 1), ("a", 2)]


def test_the_only_task_of_a_run_can_be_put_back() -> None:
    queue = queue_of((A, 1))
    queue.put_back(queue.take())
    assert len(queue) == 1
    assert queue.runs() == [A.id]


def test_all_tasks_of_a_run_are_taken_at_once_and_in_order() -> None:
    queue = queue_of((A, 1), (B, 1), (A, 2))
    assert [task.number for task in queue.take_all(A.id)] == [1, 2]
    queue.check()
    assert len(queue) == 1
    assert queue.runs() == [B.id]
    assert taken(queue) == [("b", 1)]


def test_a_run_that_has_nothing_here_gives_nothing() -> None:
    queue = queue_of((A, 1))
    assert queue.take_all(B.id) == []
    assert len(queue) == 1


def test_those_who_look_see_all_tasks() -> None:
    queue = queue_of((A, 1), (B, 1), (A, 2))
    assert [(task.run.id, task.number) for task in queue.tasks()] == [("a", 1), ("a", 2), ("b", 1)]
