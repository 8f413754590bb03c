"""How many workers a pool should have: decided from its counts alone."""

import math

from dfm_daemon.core.state import Pool, PoolState, Worker, WorkerState

FAILURES_IN_A_ROW = 3
_FIRST_BACKOFF_S = 1.0


def wanted(pool: Pool) -> int:
    """The workers that its tasks can use, within its limits."""
    demand = math.ceil((len(pool.queue) + pool.running_count) / pool.limits.slots)
    return min(max(demand, pool.limits.min_workers), pool.limits.max_workers)


def to_launch(pool: Pool, now: float) -> int:
    """How many to ask for now: a step at a time, and none while the last step is on its way."""
    if pool.state is PoolState.FAILED or now < pool.retry_at or pool.requested:
        return 0
    there = _lasting(pool) + pool.counts[WorkerState.AWAY]  # which may come back
    return max(0, min(wanted(pool) - there, pool.limits.batch))


def may_go(pool: Pool, worker: Worker, now: float) -> bool:
    """Whether an idle worker has been so for long enough, and is not one to be kept warm."""
    return (
        worker.state is WorkerState.IDLE
        and bool(pool.limits.idle_timeout_s)
        and now >= worker.idle_since + pool.limits.idle_timeout_s
        and _lasting(pool) > pool.limits.min_workers
    )


def look_again(worker: Worker, now: float) -> float:
    """When an idle time that is not over could be over."""
    since = worker.idle_since if worker.state is WorkerState.IDLE else now
    due = since + worker.pool.limits.idle_timeout_s
    return due if due > now else now + worker.pool.limits.idle_timeout_s


def note_failure(pool: Pool, reason: str, now: float) -> None:
    """A launch failed: the pool backs off, twice as long each time, and gives up in the end."""
    pool.failures += 1
    pool.last_error = reason
    if pool.failures >= FAILURES_IN_A_ROW:
        pool.state = PoolState.FAILED
    else:
        pool.state = PoolState.BACKOFF
        pool.retry_at = now + _FIRST_BACKOFF_S * 2 ** (pool.failures - 1)


def note_success(pool: Pool) -> None:
    """A worker of the pool has come: whatever was wrong is over."""
    pool.failures = 0
    pool.retry_at = 0.0
    pool.last_error = ""
    pool.state = PoolState.OK


def recover(pool: Pool, now: float) -> None:
    """Tries again: after the back-off, or when somebody wants workers of a pool that had given up."""
    if pool.state is PoolState.BACKOFF and now >= pool.retry_at:
        pool.state = PoolState.OK
    elif pool.state is PoolState.FAILED and pool.queue and not pool.serving:
        pool.state = PoolState.OK
        pool.failures = 0
        pool.retry_at = 0.0  # a back-off before the last failure: nothing would end it now


def _lasting(pool: Pool) -> int:
    """Workers that serve or come; the others end anyhow."""
    return pool.serving + pool.coming
