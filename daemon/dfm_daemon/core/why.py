"""Why a task waits: the first thing that would have to change before a worker gets it.

Every task that waits after a batch has a reason; one without is a fault of ours.
"""

from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.state import Pool, PoolState, Task, WorkerState


def why(scheduler: Scheduler, task: Task, now: float) -> str:
    """In words that follow "waits: ". For a task in the state WAITING."""
    pool = task.pool
    return (
        _stopping(scheduler)
        or _returning(scheduler, task)
        or _tokens(scheduler, task)
        or _no_workers(pool, now)
        or _turn(pool, task)
    ) + _excluded(scheduler, now)


def _stopping(scheduler: Scheduler) -> str:
    return "the daemon is about to stop and starts nothing more" if scheduler.is_draining else ""


def _returning(scheduler: Scheduler, task: Task) -> str:
    if (task.run.id, task.number) not in scheduler.recovery.held:
        return ""
    return "the daemon was restarted, and a worker that may be running it has not come back yet"


def _tokens(scheduler: Scheduler, task: Task) -> str:
    limits = scheduler.limits
    for name in limits.short(task.demand.limits):
        holders = [f"run {run} has {count}" for run, count in limits.holders(name).items()]
        wants = dict(task.demand.limits)[name]
        used = f"{limits.used[name]} of {limits.totals[name]} are in use"
        return f"it wants {wants} of the limit `{name}`: {used} ({', '.join(holders)})"
    if task.demand.limits and task.pool.free:
        names = ", ".join(f"`{name}`" for name, _ in task.demand.limits)
        return f"what is left of the limit {names} is kept for a task that came first"
    return ""


def _no_workers(pool: Pool, now: float) -> str:
    match pool.state:
        case PoolState.BACKOFF if not pool.serving:
            return (
                f"no worker could be launched for pool {pool.name}, the next try is in"
                f" {max(0.0, pool.retry_at - now):.0f} s: {pool.last_error}"
            )
        case PoolState.FAILED if not pool.serving:
            return f"pool {pool.name} has no workers and gave up: {pool.last_error}"
    if pool.serving:
        return ""
    if pool.pending:
        reason = f" ({pool.pend_reason})" if pool.pend_reason else ""
        jobs = f"{len(pool.pending)} jobs are pending{reason}"
        return f"no worker of pool {pool.name} has come yet: {jobs}"
    if pool.coming:
        return f"workers of pool {pool.name} are being asked for"
    ending = pool.counts[WorkerState.DRAINING] + pool.counts[WorkerState.AWAY]
    return f"pool {pool.name} has no workers but {ending} that end or are out of reach"


def _turn(pool: Pool, task: Task) -> str:
    """There are workers, and others have them."""
    assert not pool.free, f"{task.run.id}/{task.number} waits although a worker is free"
    others = [share for share in pool.queue.shares() if share.run is not task.run and share.running]
    share = pool.queue.share(task.run.id)
    mine = share.running if share else 0
    busy = f"all {pool.serving} workers of pool {pool.name} are busy"
    if pool.coming:
        busy += f", {pool.coming} more are coming"
    elif pool.serving >= pool.limits.max_workers:
        busy += ", it may have no more"
    if not others:
        return busy
    theirs = ", ".join(f"run {share.run.id} has {share.running}" for share in others)
    return f"{busy}: its run has {mine} of the slots, {theirs}"


def _excluded(scheduler: Scheduler, now: float) -> str:
    hosts = scheduler.hosts.excluded(now)
    words = [f"{host} for {(until - now) / 60:.0f} min more" for host, until in hosts.items()]
    return f"; excluded hosts: {', '.join(words)}" if words else ""
