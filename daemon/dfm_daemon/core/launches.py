"""Has workers launched as pools need them, and takes back what is not needed any more."""

from collections.abc import Iterable

from dfm_daemon.core import actions as do
from dfm_daemon.core import events, scaling
from dfm_daemon.core.actions import Action
from dfm_daemon.core.hosts import Hosts
from dfm_daemon.core.roster import Roster
from dfm_daemon.core.runs import Runs
from dfm_daemon.core.state import COMING, Pool, PoolState, Worker, WorkerName, WorkerState


class Launches:
    """From the wish for a worker until its job is with the scheduler."""

    def __init__(self, roster: Roster, runs: Runs, hosts: Hosts) -> None:
        self._roster = roster
        self._runs = runs
        self._hosts = hosts

    def succeeded(
        self, names: Iterable[WorkerName], jobs: Iterable[str], now: float
    ) -> Iterable[Action]:
        """The scheduler has taken these jobs."""
        for name, job in zip(names, jobs, strict=True):
            worker = self._roster.workers.get(name)
            if worker is None:
                yield do.EndJob(name)
                continue
            worker.job = worker.job or job
            if worker.state is WorkerState.REQUESTED:
                self._roster.begin_pending(worker, now)
            if worker.state in (WorkerState.PENDING, WorkerState.AWAY):
                yield do.WatchJob(name)

    def failed(self, event: events.LaunchFailed, now: float) -> Iterable[Action]:
        """The scheduler has not taken these, or it has and nobody heard of it."""
        pools = []
        for name in event.workers:
            worker = self._roster.workers.get(name)
            if worker is not None and worker.state in COMING:
                self._roster.remove(worker)
                pools.append(worker.pool)
                if event.is_in_doubt:
                    self._roster.leave_in_doubt(worker)
            elif worker is not None and worker.job:  # it has come all the same
                yield do.AdoptJob(worker.name, worker.job)
        for pool in dict.fromkeys(pools):
            yield from self._note_failure(pool, event.reason, now, is_transient=event.is_transient)

    def came_to_nothing(
        self, worker: Worker, reason: str, log: str, now: float
    ) -> Iterable[Action]:
        """A job is over before its worker was heard of."""
        self._roster.remove(worker)
        text = f"a worker ended before it was heard of: {reason}"
        text = "\n".join(filter(None, (text, log)))
        yield from self._note_failure(worker.pool, text, now)

    def expire(self, now: float) -> Iterable[Action]:
        """Cancels jobs that have been pending for too long."""
        for worker in self._roster.take_overdue(now):
            limit_s = worker.pool.limits.launch_timeout_s
            yield do.EndJob(worker.name)
            self._roster.remove(worker)
            reason = f"job {worker.job} was cancelled: it was pending for {limit_s:.0f} s"
            yield from self._note_failure(worker.pool, reason, now)

    def scale(self, now: float) -> Iterable[Action]:
        """Asks for the workers that pools need, and cancels pending ones that none can use."""
        for pool in self._roster.pools.values():
            scaling.recover(pool, now)
            count = scaling.to_launch(pool, now)
            if count:
                names = tuple(self._roster.add(pool, now).name for _ in range(count))
                avoid = tuple(self._hosts.excluded(now))
                yield do.Launch(pool.runner, names, pool.shape, pool.limits.slots, avoid)
            for _ in range(scaling.to_cancel(pool, now)):
                _, worker = pool.pending.popitem()
                pool.pending[worker.name] = worker  # `remove` takes it out
                yield do.EndJob(worker.name)
                self._roster.remove(worker)
                yield do.Note(f"worker={worker.name} job={worker.job} is not needed any more")

    def next_deadlines(self) -> Iterable[float | None]:
        """When to call `scale` again."""
        for pool in self._roster.pools.values():
            if pool.state is PoolState.BACKOFF:
                yield pool.retry_at
            yield scaling.surplus_due(pool)

    def _note_failure(
        self, pool: Pool, reason: str, now: float, *, is_transient: bool = False
    ) -> Iterable[Action]:
        scaling.note_failure(pool, reason, now, is_transient=is_transient)
        yield do.Note(f"pool={pool.name} {pool.state.value}: {reason}", is_trouble=True)
        if pool.state is PoolState.FAILED and not pool.serving:
            yield from self._runs.give_up(pool, reason)
