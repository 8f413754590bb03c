"""Whose turn it is among the runs that wait for one pool, and among the tasks of a run."""

from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dfm_daemon.core.limits import Limits
from dfm_daemon.core.queue import Queue
from dfm_daemon.core.state import NO_DEMAND, ONE_CORE, Demand, Pool, PoolLimits, Run, RunId, Task

A, B, C = (Run(RunId(name), 1, "ann", "desk") for name in "abc")
NONE = Limits({})


def task_of(run: Run, number: int, demand: Demand = NO_DEMAND) -> Task:
    pool = Pool(ONE_CORE, "sim", PoolLimits(0, 1, 0.0, 1, 1), Queue())
    return Task(run, number, "t", b"", (), pool, 1, demand)


def queue_of(*tasks: tuple[Run, int] | tuple[Run, int, Demand]) -> Queue:
    queue = Queue()
    for task in tasks:
        queue.add(task_of(*task))
    queue.check()
    return queue


def take(queue: Queue, limits: Limits = NONE) -> Task:
    choice = queue.choose(limits)
    assert choice is not None
    task = queue.take(choice)
    limits.take(task.run.id, task.demand.limits)
    queue.check()
    return task


def give_back(queue: Queue, task: Task, seconds: float = 0.0, limits: Limits = NONE) -> None:
    queue.given_back(task.run, seconds)
    limits.give_back(task.run.id, task.demand.limits)
    queue.check()


def all_of(queue: Queue, limits: Limits = NONE) -> Iterable[tuple[str, int]]:
    while queue:
        task = take(queue, limits)
        yield (task.run.id, task.number)


# Between runs


def test_runs_take_turns_whatever_they_have_queued() -> None:
    queue = queue_of(*((A, n) for n in range(5)), (B, 0), (C, 0), (C, 1))
    first = [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("c", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert list(all_of(queue)) == first


def test_a_newcomer_gets_all_that_becomes_free_until_it_has_its_half() -> None:
    queue = queue_of(*((A, n) for n in range(100)))
    running = [take(queue) for _ in range(8)]
    for n in range(20):
        queue.add(task_of(B, n))
    owners = []
    for task in running:
        give_back(queue, task, 10.0)
        owners.append(take(queue).run.id)
    assert owners == ["b", "b", "b", "b", "a", "a", "a", "a"]


def test_of_one_worker_each_gets_half_of_the_time() -> None:
    queue = queue_of(*((A, n) for n in range(100)), *((B, n) for n in range(100)))
    seconds = {"a": 0.0, "b": 0.0}
    for _ in range(44):
        task = take(queue)
        length_s = 10.0 if task.run is A else 1.0
        seconds[task.run.id] += length_s
        give_back(queue, task, length_s)
    assert abs(seconds["a"] - seconds["b"]) <= 10.0


def test_a_newcomer_has_no_claim_on_the_time_before_it() -> None:
    queue = queue_of(*((A, n) for n in range(100)))
    for _ in range(50):
        give_back(queue, take(queue), 10.0)
    for n in range(50):
        queue.add(task_of(B, n))
    owners: list[str] = []
    for _ in range(10):
        task = take(queue)
        owners.append(task.run.id)
        give_back(queue, task, 10.0)
    assert 4 <= owners.count("a") <= 6


def test_a_run_that_left_nothing_behind_is_forgotten() -> None:
    queue = queue_of((A, 0))
    task = take(queue)
    assert queue.share(A.id) is not None
    give_back(queue, task)
    assert queue.share(A.id) is None
    assert queue.choose(NONE) is None


def test_a_run_that_was_alone_does_not_keep_the_turn_that_it_had_then() -> None:
    queue = queue_of(*((A, n) for n in range(10)))
    for _ in range(3):
        take(queue)
    queue.add(task_of(B, 0))
    queue.add(task_of(B, 1))
    assert [take(queue).run.id for _ in range(2)] == ["b", "b"]


def test_turns_that_are_over_do_not_pile_up() -> None:
    queue = queue_of((A, 0), *((B, n) for n in range(1000)))
    for _ in range(1000):
        give_back(queue, take(queue), 1.0)
    assert len(queue._turns) < 100


# Within a run


def test_more_priority_comes_first_and_equals_stay_in_order() -> None:
    queue = queue_of(
        (A, 0), (A, 1, Demand(priority=5)), (A, 2, Demand(priority=-1)), (A, 3, Demand(priority=5))
    )
    assert list(all_of(queue)) == [("a", 1), ("a", 3), ("a", 0), ("a", 2)]


def test_the_longest_comes_first_and_before_it_what_nobody_knows() -> None:
    queue = queue_of(
        (A, 0, Demand(expected_s=1.0)), (A, 1, Demand(expected_s=60.0)), (A, 2), (A, 3),
        (A, 4, Demand(expected_s=5.0)), (A, 5, Demand(priority=1, expected_s=0.1)),
    )  # fmt: skip
    assert [n for _, n in all_of(queue)] == [5, 2, 3, 1, 4, 0]


def test_what_comes_back_is_the_first_of_its_run_and_priority() -> None:
    queue = queue_of((A, 0), (A, 1), (A, 2), (A, 3, Demand(priority=1)))
    first, second, third = (take(queue) for _ in range(3))
    assert [task.number for task in (first, second, third)] == [3, 0, 1]
    for task in (third, second):  # each goes before all others
        give_back(queue, task)
        queue.put_back(task)
    assert [n for _, n in all_of(queue)] == [0, 1, 2]


def test_all_of_a_run_can_be_taken_back_in_their_order() -> None:
    queue = queue_of((A, 0), (B, 0), (A, 1, Demand(limits=(("lic", 1),))), (A, 2))
    assert [task.number for task in queue.take_all(A.id)] == [0, 1, 2]
    assert queue.take_all(A.id) == []
    assert queue.runs() == ["b"]
    assert list(all_of(queue)) == [("b", 0)]


# Limits

LIC = Demand(limits=(("lic", 1),))
THREE = Demand(limits=(("lic", 3),))


def test_what_wants_tokens_waits_for_them_and_others_do_not() -> None:
    limits = Limits({"lic": 1})
    queue = queue_of((A, 0, LIC), (A, 1, LIC), (A, 2))
    first = take(queue, limits)
    assert take(queue, limits).number == 2
    assert queue.choose(limits) is None
    give_back(queue, first, limits=limits)
    assert take(queue, limits).number == 1


def test_a_task_that_wants_many_is_not_passed_by_those_that_want_few() -> None:
    limits = Limits({"lic": 3})
    queue = queue_of((A, 0, LIC), (A, 1, THREE), (A, 2, LIC), (B, 0, LIC))
    one, other = take(queue, limits), take(queue, limits)
    assert [(one.run, one.number), (other.run, other.number)] == [(A, 0), (B, 0)]
    assert queue.choose(limits) is None, "the third token is kept for the task that wants three"
    give_back(queue, one, limits=limits)
    assert queue.choose(limits) is None
    give_back(queue, other, limits=limits)
    assert take(queue, limits).number == 1


def test_a_run_without_tokens_is_passed_by_a_run_that_needs_none() -> None:
    limits = Limits({"lic": 1})
    queue = queue_of((A, 0, LIC), (A, 1, LIC), (B, 0))
    assert [take(queue, limits).run.id for _ in range(2)] == ["a", "b"]


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        ((("vcs", 1),), "the daemon knows no limit `vcs` (known: lic)"),
        ((("lic", 4),), "it wants 4 of `lic`, of which there are 3"),
        ((("lic", 3),), None),
    ],
)
def test_what_can_never_be_met_is_known_at_once(
    tokens: tuple[tuple[str, int], ...], why: str | None
) -> None:
    assert Limits({"lic": 3}).unmeetable(tokens) == why


# Any history

DEMANDS = some.builds(
    Demand,
    priority=some.integers(-1, 1),
    limits=some.sampled_from([(), (("x", 1),), (("x", 2),), (("y", 1), ("x", 1))]),
    expected_s=some.sampled_from([0.0, 1.0, 2.0]),
)


@given(some.lists(some.tuples(some.sampled_from([A, B, C]), DEMANDS, some.integers(0, 3))))
def test_every_task_is_taken_once_and_no_limit_is_exceeded(
    steps: list[tuple[Run, Demand, int]],
) -> None:
    queue, limits, numbers = Queue(), Limits({"x": 2, "y": 1}), count()
    running: list[Task] = []
    taken: list[int] = []
    added = 0
    for run, demand, ends in steps:
        queue.add(task_of(run, next(numbers), demand))
        added += 1
        for _ in range(min(ends, len(running))):
            task = running.pop(0)
            give_back(queue, task, 1.0, limits)
        if (choice := queue.choose(limits)) is not None:
            running.append(take(queue, limits))
            assert running[-1] is choice.task
            taken.append(choice.task.number)
        assert all(limits.used[name] <= total for name, total in limits.totals.items())
        limits.check((task.run.id, task.demand.limits) for task in running)
    while queue or running:
        while queue.choose(limits) is not None:
            running.append(take(queue, limits))
            taken.append(running[-1].number)
        give_back(queue, running.pop(0), 1.0, limits)
    assert sorted(taken) == list(range(added))
