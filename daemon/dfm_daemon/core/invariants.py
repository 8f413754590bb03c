"""What must be true of the scheduler after every batch; tests and simulations call it."""

from collections import Counter

from dfm_daemon.core.ahead import AHEAD
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.state import SERVING, Pool, TaskState, Worker, WorkerState
from dfm_daemon.core.why import why


def check(scheduler: Scheduler) -> None:
    """Asserts every invariant: no task in two places, no slot sold twice, every count right."""
    for pool in scheduler.pools.values():
        _check_pool(pool, is_restarted=scheduler.recovery.is_restarted)
        for worker in pool.workers.values():
            assert scheduler.workers[worker.name] is worker
            _check_worker(worker)
    assert len(scheduler.workers) == sum(len(pool.workers) for pool in scheduler.pools.values())
    _check_shares(scheduler)
    _check_reasons(scheduler)
    queued = {id(task) for task in scheduler.recovery.held.values()}
    queued |= {id(task) for pool in scheduler.pools.values() for task in pool.queue.tasks()}
    for run in scheduler.runs.values():
        for task in run.tasks.values():
            is_waiting = task.state is TaskState.WAITING
            assert (id(task) in queued) == is_waiting, (run.id, task.number)
            is_held = task.state in (TaskState.ASSIGNED, TaskState.RUNNING)
            held = task.worker is not None and task.held[:2] in task.worker.tasks
            assert held == is_held, (run.id, task.number)


def _check_shares(scheduler: Scheduler) -> None:
    """What runs have of the pools, and of the limits, is what workers have of theirs."""
    held = [task for worker in scheduler.workers.values() for task in worker.tasks.values()]
    scheduler.limits.check((task.run.id, task.demand.limits) for task in held)
    running = Counter((task.pool.shape, task.run.id) for task in held)
    for shape, pool in scheduler.pools.items():
        for share in pool.queue.shares():
            assert share.running == running.pop((shape, share.run.id), 0), (shape, share.run.id)
    assert not running


def _check_reasons(scheduler: Scheduler) -> None:
    """Whatever waits has a reason to."""
    for pool in scheduler.pools.values():
        for share in pool.queue.shares():
            for lane in share.lanes.values():
                assert why(scheduler, lane[0][-1], 0.0)


def _check_pool(pool: Pool, *, is_restarted: bool) -> None:
    """`is_restarted`: the daemon before this one may have launched more than this one would."""
    pool.queue.check()
    pending = {name for name, w in pool.workers.items() if w.state is WorkerState.PENDING}
    assert pending == pool.pending.keys(), pool.name
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
