"""All pools and workers: who is there, who may be given a task, and whose time is over."""

from collections.abc import Iterator

from dfm_daemon.core import actions as do
from dfm_daemon.core import ahead, scaling
from dfm_daemon.core.actions import Action
from dfm_daemon.core.deadlines import Deadlines
from dfm_daemon.core.queue import Queue
from dfm_daemon.core.settings import Settings, Survivor
from dfm_daemon.core.state import SERVING, Pool, Shape, Worker, WorkerName, WorkerState

# Before the end of its job a worker takes no more: a tenth of its time, but no more than this. So long
# whoever takes its place has to come.
END_S = 300.0
_END_PART = 0.1


class Roster:
    """Keeps the indexes of workers; what becomes of their tasks is the scheduler's."""

    def __init__(self, settings: Settings) -> None:
        self.pools: dict[Shape, Pool] = {}
        self.workers: dict[WorkerName, Worker] = {}
        self._settings = settings
        self._leases: Deadlines[WorkerName] = Deadlines()
        self._idle: Deadlines[WorkerName] = Deadlines()
        self._ends: Deadlines[WorkerName] = Deadlines()  # of their jobs
        self._pending: Deadlines[WorkerName] = Deadlines()  # that wait for too long
        self._launched = settings.launched
        # That were being submitted when a daemon was killed, or when the scheduler did not answer: as
        # long as this one lives, one of them may come.
        self._in_doubt: dict[WorkerName, tuple[Shape, int]] = {}  # shape and slots

    def pool(self, shape: Shape) -> Pool:
        if shape not in self.pools:
            limits = self._settings.limits(shape)
            self.pools[shape] = Pool(shape, shape.runner or self._settings.runner, limits, Queue())
        return self.pools[shape]

    def add(self, pool: Pool, now: float) -> Worker:
        """One more is wanted."""
        self._launched += 1
        return self._take_in(Worker(WorkerName(f"w{self._launched}"), pool, now))

    def adopt(self, survivor: Survivor, now: float) -> Worker:
        """One that a daemon before this one launched. If nobody can say whether its job lives, it
        has to be heard of in time, as one whose connection was lost."""
        is_away = survivor.has_joined or not survivor.job
        state = WorkerState.AWAY if is_away else WorkerState.PENDING
        pool = self.pool(survivor.shape)
        worker = Worker(
            survivor.name, pool, now, state, job=survivor.job, slots=survivor.slots,
            is_old=survivor.has_joined,
        )  # fmt: skip
        if is_away:
            worker.heard_at = now
            self._leases.set(worker.name, now + self._settings.lease_s)
        if not survivor.job:
            self.leave_in_doubt(worker)
        return self._take_in(worker)

    def leave_in_doubt(self, worker: Worker) -> None:
        """Nobody can say whether it was submitted, or will be."""
        self._in_doubt[worker.name] = (worker.pool.shape, worker.slots)

    def find(self, name: WorkerName, now: float) -> Worker | None:
        """The worker of this name that has come; one in doubt that was given up is taken up again."""
        doubt = self._in_doubt.pop(name, None)
        if doubt is not None and name not in self.workers:
            shape, slots = doubt
            self._take_in(Worker(name, self.pool(shape), now, WorkerState.PENDING, slots=slots))
        return self.workers.get(name)

    def _take_in(self, worker: Worker) -> Worker:
        pool = worker.pool
        pool.counts[worker.state] += 1
        pool.workers[worker.name] = worker
        if worker.state is WorkerState.PENDING:
            pool.pending[worker.name] = worker
        self.workers[worker.name] = worker
        return worker

    def begin_lease(self, worker: Worker, now: float) -> None:
        worker.heard_at = now
        self._leases.set(worker.name, now + self._settings.lease_s)

    def offer(self, worker: Worker, now: float) -> None:
        """It has come, or has given a task back."""
        if worker.free_slots > 0:
            worker.pool.roomy.pop(worker.name, None)
            worker.pool.free[worker.name] = worker
        elif ahead.room(worker) > 0:
            worker.pool.roomy[worker.name] = worker
        if worker.is_idle:
            worker.idle_since = now
            if worker.pool.limits.idle_timeout_s and worker.name not in self._idle:
                self._idle.set(worker.name, now + worker.pool.limits.idle_timeout_s)

    def withhold(self, worker: Worker) -> None:
        """It gets no more tasks."""
        worker.pool.free.pop(worker.name, None)
        worker.pool.roomy.pop(worker.name, None)

    def remove(self, worker: Worker) -> None:
        worker.move(WorkerState.GONE)
        self.withhold(worker)
        del worker.pool.workers[worker.name]
        del self.workers[worker.name]
        self._leases.clear(worker.name)
        self._idle.clear(worker.name)
        self._ends.clear(worker.name)
        self._pending.clear(worker.name)

    def drain(self, worker: Worker, reason: str) -> Action:
        """It takes no more, and ends after what it has."""
        self.withhold(worker)
        worker.move(WorkerState.DRAINING)
        return do.Drain(worker.name, reason)

    def begin_pending(self, worker: Worker, now: float) -> None:
        """Its job waits in the queue of the batch system."""
        worker.move(WorkerState.PENDING)
        if worker.pool.limits.launch_timeout_s:
            self._pending.set(worker.name, now + worker.pool.limits.launch_timeout_s)

    def set_end(self, worker: Worker, deadline: float | None, now: float) -> None:
        """When its job ends, if that is known. What lives has not ended: then a clock is wrong."""
        if deadline is None or deadline <= now:
            return
        worker.deadline = deadline
        early_s = min(_END_PART * (deadline - worker.since), END_S)
        self._ends.set(worker.name, deadline - early_s)

    def take_silent(self, now: float) -> Iterator[Worker]:
        """Those whose lease is over."""
        for name in self._leases.take_due(now):
            worker = self.workers[name]
            due = worker.heard_at + self._settings.lease_s
            if now < due:
                self._leases.set(name, due)
            else:
                yield worker

    def take_idle(self, now: float) -> Iterator[Worker]:
        """Those that have been idle for too long."""
        for name in self._idle.take_due(now):
            worker = self.workers[name]
            if scaling.may_go(worker.pool, worker, now):
                yield worker
            elif worker.state in SERVING:
                self._idle.set(name, scaling.look_again(worker, now))

    def take_overdue(self, now: float) -> Iterator[Worker]:
        """Those whose jobs have been pending for too long."""
        for name in self._pending.take_due(now):
            worker = self.workers[name]
            if worker.state is WorkerState.PENDING:
                yield worker

    def take_ending(self, now: float) -> Iterator[Worker]:
        """Those whose jobs are about to end."""
        for name in self._ends.take_due(now):
            worker = self.workers[name]
            if worker.state in SERVING:
                yield worker

    def deadlines(self) -> list[float | None]:
        """When to look for those."""
        return [due.next() for due in (self._leases, self._idle, self._ends, self._pending)]
