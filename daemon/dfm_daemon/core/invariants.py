"""What must be true of the scheduler after every batch; tests and simulations call it."""

from dfm_daemon.core.ahead import AHEAD
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.state import SERVING, Pool, TaskState, Worker, WorkerState


def check(scheduler: Scheduler) -> None:
    """Asserts every invariant: no task in two places, no slot sold twice, every count right."""
    for pool in scheduler.pools.values():
        _check_pool(pool, is_restarted=scheduler.recovery.is_restarted)
        for worker in pool.workers.values():
            assert scheduler.workers[worker.name] is worker
            _check_worker(worker)
    assert len(scheduler.workers) == sum(len(pool.workers) for pool in scheduler.pools.values())
    queued = {id(task) for task in scheduler.recovery.held.values()}
    queued |= {id(task) for pool in scheduler.pools.values() for task in pool.queue.tasks()}
    for run in scheduler.runs.values():
        for task in run.tasks.values():
            is_waiting = task.state is TaskState.WAITING
            assert (id(task) in queued) == is_waiting, (run.id, task.number)
            is_held = task.state in (TaskState.ASSIGNED, TaskState.RUNNING)
            held = task.worker is not None and task.held[:2] in task.worker.tasks
            assert held == is_held, (run.id, task.number)


def _check_pool(pool: Pool, *, is_restarted: bool) -> None:
    """`is_restarted`: the daemon before this one may have launched more than this one would."""
    pool.queue.check()
    assert all(task.state is TaskState.WAITING and not task.worker for task in pool.queue.tasks())
    assert pool.running_count == sum(len(worker.tasks) for worker in pool.workers.values())
    for state in WorkerState:
        count = sum(worker.state is state for worker in pool.workers.values())
        assert count == pool.counts[state] or state is WorkerState.GONE, (pool.name, state)
    most = max(pool.limits.max_workers, pool.limits.min_workers)
    assert is_restarted or pool.serving + pool.coming <= most, pool.name


def _check_worker(worker: Worker) -> None:
    assert len(worker.tasks) <= worker.slots + AHEAD, worker.name
    running = [task for task in worker.tasks.values() if task.state is TaskState.RUNNING]
    assert len(running) == worker.long_count <= worker.slots, worker.name
    if worker.name in worker.pool.roomy:
        assert worker.state is WorkerState.BUSY, worker.name
        assert worker.name not in worker.pool.free, worker.name
    is_free = worker.state in SERVING and worker.free_slots > 0
    assert (worker.name in worker.pool.free) == is_free, worker.name
    if worker.state is WorkerState.BUSY:
        assert not worker.is_idle, worker.name
    if worker.state is WorkerState.IDLE:
        assert worker.is_idle, worker.name
    for task in worker.tasks.values():
        assert task.worker is worker
        assert task.state in (TaskState.ASSIGNED, TaskState.RUNNING), task.state
