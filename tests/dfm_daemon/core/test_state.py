"""The machines of states: every move that is not in the tables is refused with who and what."""

from itertools import product

import pytest

from dfm_daemon.core.queue import Queue
from dfm_daemon.core.state import (
    COMING,
    LEGAL,
    LEGAL_OF_WORKERS,
    ONE_CORE,
    SERVING,
    Pool,
    PoolLimits,
    Run,
    RunId,
    Task,
    TaskState,
    Worker,
    WorkerName,
    WorkerState,
)


def a_pool() -> Pool:
    return Pool(ONE_CORE, "sim", PoolLimits(0, 1, 0.0, 1, 1), Queue())


def a_task(state: TaskState) -> Task:
    run = Run(RunId("run"), 1, "ann", "desk")
    return Task(run, 9, "t", b"", (), a_pool(), 1, state=state)


def test_the_tables_speak_of_every_state() -> None:
    assert set(LEGAL) == set(TaskState)
    assert set(LEGAL_OF_WORKERS) == set(WorkerState)
    assert not COMING & SERVING


@pytest.mark.parametrize(("old", "new"), list(product(TaskState, TaskState)))
def test_a_task_moves_by_the_table_only(old: TaskState, new: TaskState) -> None:
    task = a_task(old)
    if new in LEGAL[old]:
        task.move(new)
        assert task.state is new
    else:
        with pytest.raises(AssertionError, match=f"run/9: {old} to {new}"):
            task.move(new)
        assert task.state is old


@pytest.mark.parametrize(("old", "new"), list(product(WorkerState, WorkerState)))
def test_a_worker_moves_by_the_table_only_and_is_counted(
    old: WorkerState, new: WorkerState
) -> None:
    pool = a_pool()
    worker = Worker(WorkerName("w7"), pool, 0.0, old)
    pool.counts[old] = 1
    if old is WorkerState.PENDING:
        pool.pending[worker.name] = worker
    if new in LEGAL_OF_WORKERS[old]:
        worker.move(new)
        assert (worker.name in pool.pending) == (new is WorkerState.PENDING)
        assert pool.counts == {state: int(state is new) for state in WorkerState}
    else:
        with pytest.raises(AssertionError, match=f"w7: {old} to {new}"):
            worker.move(new)
        assert pool.counts[old] == 1


def test_what_is_done_stays_done() -> None:
    assert not LEGAL[TaskState.DONE]


def test_who_is_gone_stays_gone() -> None:
    assert not LEGAL_OF_WORKERS[WorkerState.GONE]
    assert all(
        WorkerState.GONE in LEGAL_OF_WORKERS[state]
        for state in WorkerState
        if state is not WorkerState.GONE
    )


def test_a_task_is_held_under_its_newest_attempt() -> None:
    task = a_task(TaskState.WAITING)
    task.attempt = 4
    assert task.held == ("run", 9, 4)
