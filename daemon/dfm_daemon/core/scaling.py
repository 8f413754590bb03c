"""How many workers a pool should have: decided from its counts alone."""

import math

from dfm_daemon.core.state import Pool, PoolState, Worker, WorkerState

FAILURES_IN_A_ROW = 3
SURPLUS_S = 10.0  # that pending workers may be of no use: tasks often come in bursts
_FIRST_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 60.0


def wanted(pool: Pool) -> int:
    """The workers that its tasks can use, within its limits."""
    demand = math.ceil((len(pool.queue) + pool.running_count) / pool.limits.slots)
    return min(max(demand, pool.limits.min_workers), pool.limits.max_workers)


def to_launch(pool: Pool, now: float) -> int:
    """How many to ask for now: a step at a time, and none while the last step is on its way."""
    if pool.state is PoolState.FAILED or now < pool.retry_at or pool.requested:
        return 0
    there = _lasting(pool) + pool.counts[WorkerState.AWAY]  # which may come back
    missing = max(0, wanted(pool) - there)
    step = pool.limits.batch << pool.steps
    pool.steps = pool.steps + 1 if pool.limits.grows and missing > step else 0
    return min(missing, step)


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


def to_cancel(pool: Pool, now: float) -> int:
    """How many pending workers have been of no use for long enough."""
    surplus = min(_lasting(pool) - wanted(pool), len(pool.pending))
    if surplus <= 0:
        pool.surplus_since = None
        return 0
    if pool.surplus_since is None:
        pool.surplus_since = now
    if now < pool.surplus_since + SURPLUS_S:
        return 0
    pool.surplus_since = None
    return surplus


def surplus_due(pool: Pool) -> float | None:
    """When `to_cancel` may have something to say."""
    return None if pool.surplus_since is None else pool.surplus_since + SURPLUS_S


def note_failure(pool: Pool, reason: str, now: float, *, is_transient: bool = False) -> None:
    """A launch failed: the pool backs off, twice as long each time, and gives up in the end, unless
    what failed was the way to the scheduler."""
    if is_transient:
        pool.troubles += 1
    else:
        pool.failures += 1
    pool.last_error = reason
    if pool.failures >= FAILURES_IN_A_ROW:
        pool.state = PoolState.FAILED
    else:
        pool.state = PoolState.BACKOFF
        doublings = min(pool.failures + pool.troubles - 1, 10)
        pool.retry_at = now + min(_FIRST_BACKOFF_S * 2**doublings, _LONGEST_BACKOFF_S)


def note_excluded(pool: Pool, host: str, now: float) -> None:
    """A worker has come to a host that gets no tasks: the next may do so, too, so not at once."""
    pool.last_error = f"host {host} is excluded, and the scheduler sent a worker there"
    pool.state = PoolState.BACKOFF
    pool.retry_at = now + _LONGEST_BACKOFF_S


def note_success(pool: Pool) -> None:
    """A worker of the pool has come: whatever was wrong is over."""
    pool.failures = pool.troubles = 0
    pool.retry_at = 0.0
    pool.last_error = pool.pend_reason = ""
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
