"""Which worker gets which task: decided once per batch of events.

A worker is given a task only if it will be there for as long as the task may take. One that is too
near to the end of its job for what waits takes no more, so that another comes in its place.

No worker may have the time, where the scheduler gives jobs less of it than tasks may take. Then a
fresh worker gets a task that names its walltime: none would have more. A walltime that nobody has
named is a bound and no promise: such a task goes wherever half of a job's time is left, or each
worker would run a single one. If the time was not enough after all, it is next given to a fresh one.
"""

from collections.abc import Iterable, Mapping

from dfm_daemon.core import actions as do
from dfm_daemon.core import ahead
from dfm_daemon.core.actions import Action
from dfm_daemon.core.limits import Limits
from dfm_daemon.core.roster import Roster
from dfm_daemon.core.state import Pool, Shape, Task, TaskState, Worker, WorkerState

_FRESH = 0.1  # of its job's time that an unused worker has spent: another would have hardly more


def deal(
    pools: Mapping[Shape, Pool], roster: Roster, limits: Limits, now: float
) -> Iterable[Action]:
    """Gives tasks that wait to workers with room for them."""
    for pool in pools.values():
        if pool.queue and (pool.free or pool.roomy):
            yield from _deal_own(pool, roster, limits, now)
    for pool in pools.values():
        if pool.queue and not pool.free:
            yield from _borrow(pool, pools, limits, now)


def fits(worker: Worker, task: Task, now: float) -> bool:
    """Whether a worker's job lasts for as long as a task may take, or as it can be had to last."""
    if worker.deadline is None or now + task.demand.walltime_s <= worker.deadline:
        return True
    life_s, left_s = worker.deadline - worker.since, worker.deadline - now
    is_unused = not worker.tasks_done and not worker.is_old
    if is_unused and left_s >= (1 - _FRESH) * life_s:
        return True
    is_promise = task.demand.names_walltime or task.has_run_out
    return not is_promise and left_s >= life_s / 2


def give(worker: Worker, task: Task, limits: Limits) -> Action:
    """A worker has a task from now on."""
    task.move(TaskState.ASSIGNED)
    task.worker = worker
    worker.tasks[(task.run.id, task.number)] = task
    worker.pool.running_count += 1
    if task.demand.limits:
        limits.take(task.run.id, task.demand.limits)
    if worker.state is WorkerState.IDLE:
        worker.move(WorkerState.BUSY)
    return do.Assign(worker.name, task.held, task.spec, task.blobs)


def _deal_own(pool: Pool, roster: Roster, limits: Limits, now: float) -> Iterable[Action]:
    while pool.queue:
        choice = pool.queue.choose(limits)
        if choice is None:
            return
        worker = _pick(pool, alone=bool(choice.task.demand.limits))
        if worker is None:
            return
        if not fits(worker, choice.task, now):
            yield roster.drain(worker, "its job ends too soon for what waits")
            continue
        yield give(worker, pool.queue.take(choice), limits)
        _keep_room(worker)


def _pick(pool: Pool, *, alone: bool) -> Worker | None:
    """The worker for the next task of a pool; it is taken out of those that wait for one. `alone`: in a
    slot, not ahead of its turn."""
    if pool.free:
        return pool.free.popitem()[1]  # the newest: others may become idle for good
    while pool.roomy and not alone:
        worker = pool.roomy.popitem(last=False)[1]
        if ahead.room(worker) > 0:
            return worker
    return None


def _keep_room(worker: Worker) -> None:
    """Who can take more waits for more."""
    if worker.free_slots > 0:
        worker.pool.free[worker.name] = worker
    elif ahead.room(worker) > 0:
        worker.pool.roomy[worker.name] = worker


def _borrow(
    pool: Pool, pools: Mapping[Shape, Pool], limits: Limits, now: float
) -> Iterable[Action]:
    """From pools of larger shapes, their idle workers for which nothing of their own waits."""
    for lender in pools.values():
        if lender is pool or lender.queue or not _serves(lender, pool):
            continue
        idle = (w for w in reversed(lender.free.values()) if w.state is WorkerState.IDLE)
        while pool.queue and (choice := pool.queue.choose(limits)) is not None:
            worker = next((w for w in idle if fits(w, choice.task, now)), None)
            if worker is None:
                break
            del lender.free[worker.name]
            yield give(worker, pool.queue.take(choice), limits)
            _keep_room(worker)
            idle = (w for w in reversed(lender.free.values()) if w.state is WorkerState.IDLE)


def _serves(lender: Pool, pool: Pool) -> bool:
    """Whether workers of one pool have all that tasks of another need."""
    has, needs = lender.shape, pool.shape
    return (
        lender.runner == pool.runner
        and has.cores >= needs.cores
        and has.memory_mib >= needs.memory_mib
        and needs.queue in ("", has.queue)
        and set(needs.resource_select) <= set(has.resource_select)
    )
