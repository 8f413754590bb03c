"""What workers hold that no connected run has asked for: brings both together after a restart.

The daemon's state died with it, and lives on at the edges: a worker says which attempts it has, a run
which tasks it still wants. Until every worker that may have tasks has come or is known to be gone,
tasks of runs that are back are held: one of those workers may be running them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.limits import Limits
from dfm_daemon.core.recent import Recent
from dfm_daemon.core.roster import Roster
from dfm_daemon.core.settings import Settings, Survivor
from dfm_daemon.core.state import Run, RunId, Task, TaskState, Worker, WorkerName, WorkerState

Key = tuple[RunId, int]


@dataclass(slots=True)
class Claim:
    """An attempt that a worker has, and no task is known for."""

    worker: Worker
    attempt: int
    is_over: bool  # its result is here, or will be in a moment
    finished: events.TaskFinished | None = None

    def held(self, key: Key) -> Held:
        return Held(*key, self.attempt)


class Recovery:
    """Claims of workers, and tasks that wait for them."""

    def __init__(
        self,
        settings: Settings,
        roster: Roster,
        tokens: Limits,
        recent: Recent,
        runs: dict[RunId, Run],
        totals: dict[str, int],
    ) -> None:
        self.is_restarted = False
        self.held: dict[Key, Task] = {}  # that wait, and are in no queue
        self._settings = settings
        self._roster = roster
        self._tokens = tokens
        self._recent = recent
        self._runs = runs
        self._totals = totals
        self._expected: set[WorkerName] = set()  # that may have tasks, and have not come
        self._is_open = False  # they and the runs are waited for
        self._until = 0.0  # so long
        self._claims: dict[RunId, dict[int, Claim]] = {}
        self._of_workers: dict[WorkerName, dict[Key, None]] = {}  # the same, by worker
        self._newest: dict[RunId, dict[int, int]] = {}  # attempts that were claimed

    def begin(self, survivors: Sequence[Survivor], now: float) -> Iterable[Action]:
        """Takes up the workers of the daemon before this one."""
        self._is_open = self.is_restarted = bool(survivors)
        self._until = now + max(self._settings.grace_s, self._settings.lease_s)
        for survivor in survivors:
            self._roster.adopt(survivor, now)
            if survivor.has_joined:
                self._expected.add(survivor.name)
            if survivor.job:
                yield do.WatchJob(survivor.name)

    def is_waiting(self) -> bool:
        """Whether workers have, or may have, tasks that no run has asked for yet."""
        return bool(self._expected or self._claims)

    def deadline(self) -> float | None:
        return self._until if self._is_open else None

    # Workers

    def reconcile(
        self, worker: Worker, joined: events.WorkerJoined, now: float
    ) -> tuple[list[Task], list[Action]]:
        """The tasks that the worker was given and does not have, since they never arrived; and what
        is to be done about those that it has."""
        self._forget_claims(worker)
        self._expected.discard(worker.name)
        actions: list[Action] = []
        said = {(RunId(held.run), held.task): (held, False) for held in joined.running}
        said |= {(RunId(held.run), held.task): (held, True) for held in joined.finished}
        missing = []
        for key, task in worker.tasks.items():
            if key in said and said[key][0].attempt == task.attempt:
                del said[key]
                actions += self._say_cancel(task)
            else:
                missing.append(task)
        for key, (held, is_over) in said.items():
            actions += self._hold_against(worker, key, held, now, is_over=is_over)
        return missing, actions

    def finished(self, event: events.TaskFinished, now: float) -> Iterable[Action]:
        """A result of an attempt that no worker is known to have."""
        worker = self._roster.workers.get(event.worker)
        key = (RunId(event.held.run), event.held.task)
        if self._is_done(worker, key, event.held.attempt):
            return  # and will be acknowledged
        claim = self._claim(key)
        if claim is None or claim.worker is not worker or claim.attempt != event.held.attempt:
            yield do.Drop(event.worker, event.held)
            return
        claim.is_over = True
        claim.finished = event
        self._free(claim.worker, key, now)
        if key in self.held:
            self._remove(key)
            yield from self._deliver(self.held.pop(key), event)

    def started(self, name: WorkerName, held: Held) -> Iterable[Action]:
        claim = self._claim((RunId(held.run), held.task))
        if claim is None or claim.worker.name != name or claim.attempt != held.attempt:
            yield do.Drop(name, held)

    def returned(self, name: WorkerName, held: Held, now: float) -> None:
        key = (RunId(held.run), held.task)
        claim = self._claim(key)
        if claim is not None and claim.worker.name == name and claim.attempt == held.attempt:
            self._remove(key)
            self._free(claim.worker, key, now)

    def worker_gone(self, worker: Worker) -> None:
        self._expected.discard(worker.name)
        self._forget_claims(worker)

    # Runs

    def submitted(self, task: Task, newest: int, now: float) -> Iterable[Action]:
        """A run that is back wants a task. `newest`: the attempt that its client has heard of."""
        key = (task.run.id, task.number)
        task.attempt = max(newest, self._newest.get(key[0], {}).get(key[1], 0)) + 1
        claim = self._claim(key)
        if claim is not None and claim.attempt < newest:
            self._remove(key)
            yield do.Drop(claim.worker.name, claim.held(key))
            self._free(claim.worker, key, now)
            claim = None
        if claim is None and not self._expected:
            yield from self._release(task)
        elif claim is None:
            self.held[key] = task
        elif claim.finished is not None:
            self._remove(key)
            yield from self._deliver(task, claim.finished)
        elif claim.is_over:
            self.held[key] = task  # its result is on the way
        else:
            self._remove(key)
            yield from self._attach(task, claim.worker, claim.attempt)

    def settled(self, run: RunId, now: float) -> Iterable[Action]:
        """It has said all that it wants."""
        for number in list(self._claims.get(run, ())):
            if (run, number) not in self.held:
                yield from self._drop((run, number), now)

    def left(self, run: Run, now: float) -> Iterable[Action]:
        """Nobody wants its tasks any more."""
        for number, task in run.tasks.items():
            if self.held.pop((run.id, number), None) is not None:
                task.move(TaskState.DONE)
                self._totals["cancelled"] += 1
        for number in list(self._claims.get(run.id, ())):
            yield from self._drop((run.id, number), now)
        self._newest.pop(run.id, None)

    def expire(self, now: float) -> Iterable[Action]:
        """When nobody is expected any more, held tasks go to the queues; what was claimed of runs
        that did not come back is not wanted."""
        if self._is_open and now >= self._until:
            self._is_open = False
            self._expected.clear()
            for run in [run for run in self._claims if run not in self._runs]:
                for number in list(self._claims[run]):
                    yield from self._drop((run, number), now)
            self._newest = {
                run: newest for run, newest in self._newest.items() if run in self._claims
            }
        if self.held and not self._expected:
            for key in [key for key in self.held if self._claim(key) is None]:
                yield from self._release(self.held.pop(key))

    # One attempt

    def _hold_against(
        self, worker: Worker, key: Key, held: Held, now: float, *, is_over: bool
    ) -> Iterable[Action]:
        """What a worker has, against what runs want."""
        run = self._runs.get(key[0])
        if self._is_done(worker, key, held.attempt):
            return
        task = self.held.get(key)
        known = self._claim(key)
        if known is not None and known.worker is worker and known.attempt == held.attempt:
            return  # its result is here
        is_newest = known is None or known.attempt < held.attempt
        is_coming = not run.is_settled and key[1] not in run.tasks if run else self._is_open
        if task is not None and is_newest and held.attempt >= task.attempt - 1:
            if known is not None:
                yield from self._drop(key, now)
            if is_over:
                self._add(key, Claim(worker, held.attempt, is_over=True))
            else:
                del self.held[key]
                yield from self._attach(task, worker, held.attempt)
        elif is_coming and is_newest:
            if known is not None:
                yield from self._drop(key, now)
            self._add(key, Claim(worker, held.attempt, is_over))
        else:
            yield do.Drop(worker.name, held)

    def _is_done(self, worker: Worker | None, key: Key, attempt: int) -> bool:
        run = self._runs.get(key[0])
        task = run.tasks.get(key[1]) if run else None
        return (
            task is not None
            and worker is not None
            and task.state is TaskState.DONE
            and task.worker is worker
            and task.attempt == attempt
        )

    def _say_cancel(self, task: Task) -> Iterable[Action]:
        """To a worker that may not have heard it."""
        assert task.worker is not None
        grace_s = task.run.cancel_grace_s if task.run.id in self._runs else 0.0
        if grace_s is not None:
            yield do.Cancel(task.worker.name, task.held, grace_s)

    def _attach(self, task: Task, worker: Worker, attempt: int) -> Iterable[Action]:
        """The worker has this task already."""
        task.attempt = attempt
        task.move(TaskState.ASSIGNED)
        task.worker = worker
        worker.tasks[(task.run.id, task.number)] = task
        worker.claims.discard((task.run.id, task.number))
        worker.pool.running_count += 1
        task.pool.queue.adopt(task)
        self._tokens.take(task.run.id, task.demand.limits)
        yield from self._say_cancel(task)

    def _deliver(self, task: Task, event: events.TaskFinished) -> Iterable[Action]:
        """The result was here before its run was."""
        task.attempt = event.held.attempt
        task.move(TaskState.DONE)
        task.worker = self._roster.workers.get(event.worker)
        task.result = event.result
        task.run.completed += 1
        self._totals["failed" if event.status else "completed"] += 1
        self._recent.add(task, event.status, event.wall_s)
        yield do.TellFinished(task.run.id, task.number, task.attempt, event.result)

    def _release(self, task: Task) -> Iterable[Action]:
        """No worker has it."""
        newest = self._newest.get(task.run.id, {}).get(task.number, 0)
        task.attempt = max(task.attempt, newest + 1)
        if not task.run.has_withdrawn:
            task.pool.queue.add(task)
            return
        task.move(TaskState.DONE)
        del task.run.tasks[task.number]
        self._totals["cancelled"] += 1
        yield do.TellWithdrawn(task.run.id, (task.number,))

    # Claims

    def _claim(self, key: Key) -> Claim | None:
        return self._claims.get(key[0], {}).get(key[1])

    def _add(self, key: Key, claim: Claim) -> None:
        self._claims.setdefault(key[0], {})[key[1]] = claim
        self._of_workers.setdefault(claim.worker.name, {})[key] = None
        newest = self._newest.setdefault(key[0], {})
        newest[key[1]] = max(claim.attempt, newest.get(key[1], 0))
        if not claim.is_over:
            claim.worker.claims.add(key)

    def _remove(self, key: Key) -> None:
        claim = self._claims[key[0]].pop(key[1])
        if not self._claims[key[0]]:
            del self._claims[key[0]]
        mine = self._of_workers[claim.worker.name]
        del mine[key]
        if not mine:
            del self._of_workers[claim.worker.name]

    def _drop(self, key: Key, now: float) -> Iterable[Action]:
        claim = self._claims[key[0]][key[1]]
        self._remove(key)
        yield do.Drop(claim.worker.name, claim.held(key))
        self._free(claim.worker, key, now)

    def _forget_claims(self, worker: Worker) -> None:
        """But for those whose results are here."""
        for key in list(self._of_workers.get(worker.name, ())):
            if self._claims[key[0]][key[1]].finished is None:
                self._remove(key)
        worker.claims.clear()

    def _free(self, worker: Worker, key: Key, now: float) -> None:
        """A claimed attempt does not take its slot any more."""
        if key not in worker.claims:
            return
        worker.claims.discard(key)
        if worker.state is WorkerState.BUSY:
            if worker.is_idle:
                worker.move(WorkerState.IDLE)
            self._roster.offer(worker, now)
