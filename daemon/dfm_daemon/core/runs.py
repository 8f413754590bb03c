"""The runs that are connected or may come back, and what they want and do not want any more."""

from collections.abc import Iterable

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.deadlines import Deadlines
from dfm_daemon.core.limits import Limits
from dfm_daemon.core.recent import Recent
from dfm_daemon.core.recovery import Recovery
from dfm_daemon.core.roster import Roster
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import Pool, Run, RunId, Task, TaskState, WorkerState


class Runs:
    """Each method takes one kind of event."""

    def __init__(
        self,
        settings: Settings,
        roster: Roster,
        tokens: Limits,
        recent: Recent,
        totals: dict[str, int],
    ) -> None:
        self.by_id: dict[RunId, Run] = {}
        self.recovery = Recovery(settings, roster, tokens, recent, self.by_id, totals)
        self._grace_s = settings.grace_s
        self._roster = roster
        self._tokens = tokens
        self._recent = recent
        self._totals = totals
        self._away: Deadlines[RunId] = Deadlines()

    def joined(self, event: events.RunJoined) -> None:
        run = self.by_id.setdefault(event.run, Run(event.run, event.pid, event.user, event.host))
        self._away.clear(event.run)
        run.is_settled = not event.is_back
        run.said.clear()

    def submitted(self, event: events.TaskSubmitted, now: float) -> Iterable[Action]:
        run = self.by_id.get(event.run)
        if run is None:
            return  # it left in the same batch
        if not run.is_settled:
            run.said.add(event.task)
        if event.task in run.tasks:  # it only says that it still wants the task
            if not run.is_settled:
                yield from _say_again(run.tasks[event.task])
            return
        pool = self._roster.pool(event.shape)
        task = Task(
            run, event.task, event.name, event.spec, event.blobs, pool, event.attempt + 1,
            event.demand,
        )  # fmt: skip
        run.tasks[event.task] = task
        if (why := self._why_never(task)) is not None:
            yield self._fail(task, why)
        elif run.is_settled:
            pool.queue.add(task)
        else:
            yield from self.recovery.submitted(task, event.attempt, now)

    def _why_never(self, task: Task) -> str | None:
        """Why no worker could ever have a task; None if one can."""
        demand, longest_s = task.demand, task.pool.limits.walltime_s
        if longest_s and demand.walltime_s > longest_s:
            return (
                f"its walltime of {demand.walltime_s} s is longer than the {longest_s:.0f} s of the"
                f" workers of pool {task.pool.name}"
            )
        return self._tokens.unmeetable(demand.limits) if demand.limits else None

    def settled(self, run_id: RunId, now: float) -> Iterable[Action]:
        """What it has not asked for again, it has the results of."""
        run = self.by_id.get(run_id)
        if run is None or run.is_settled:
            return
        run.is_settled = True
        for task in [task for number, task in run.tasks.items() if number not in run.said]:
            if task.state is TaskState.DONE:
                yield from self.taken(run_id, task.number, task.attempt)
            elif task.worker is not None:
                yield do.Cancel(task.worker.name, task.held, 0.0)
        run.said.clear()
        yield from self.recovery.settled(run_id, now)

    def away(self, run_id: RunId, now: float) -> None:
        """Its tasks go on, and their results are kept for a while."""
        if run_id in self.by_id:
            self._away.set(run_id, now + self._grace_s)

    def expire(self, now: float) -> Iterable[Action]:
        for run_id in self._away.take_due(now):
            yield do.Note(f"run={run_id} has not come back", is_trouble=True)
            yield from self.left(run_id, now)
        yield from self.recovery.expire(now)

    def deadlines(self) -> list[float | None]:
        return [self._away.next(), self.recovery.deadline()]

    def withdrew(self, run_id: RunId) -> Iterable[Action]:
        run = self.by_id.get(run_id)
        if run is not None:
            run.has_withdrawn = True
            yield do.TellWithdrawn(run_id, tuple(self._take_back(run)))

    def cancelled(self, run_id: RunId, grace_s: float) -> Iterable[Action]:
        run = self.by_id.get(run_id)
        if run is not None:
            run.cancel_grace_s = grace_s
        for task in run.tasks.values() if run else ():
            if task.state in (TaskState.ASSIGNED, TaskState.RUNNING) and task.worker:
                yield do.Cancel(task.worker.name, task.held, grace_s)

    def left(self, run_id: RunId, now: float) -> Iterable[Action]:
        """Nobody wants its tasks any more: what waits is dropped, what runs is killed."""
        run = self.by_id.pop(run_id, None)
        if run is None:
            return
        self._away.clear(run_id)
        self._take_back(run)
        yield from self.recovery.left(run, now)
        for task in run.tasks.values():
            if task.worker is None or task.worker.state is WorkerState.GONE:
                continue
            if task.state is TaskState.DONE:
                yield do.Acknowledge(task.worker.name, task.held)
            else:
                yield do.Cancel(task.worker.name, task.held, 0.0)
        yield do.ForgetRun(run_id)

    def taken(self, run_id: RunId, number: int, attempt: int) -> Iterable[Action]:
        run = self.by_id.get(run_id)
        task = run.tasks.get(number) if run else None
        if task is None or task.state is not TaskState.DONE or task.attempt != attempt:
            return
        del task.run.tasks[number]
        if task.worker is not None and task.worker.state is not WorkerState.GONE:
            yield do.Acknowledge(task.worker.name, task.held)

    def give_up(self, pool: Pool, reason: str) -> Iterable[Action]:
        """Nobody will run what waits for this pool."""
        for run in pool.queue.runs():
            for task in pool.queue.take_all(run):
                yield self._fail(task, reason)

    def _fail(self, task: Task, reason: str) -> Action:
        """A task that waits will never be run."""
        task.move(TaskState.DONE)
        del task.run.tasks[task.number]
        self._totals["failed"] += 1
        self._recent.add(task, lost=reason)
        return do.TellLost(task.run.id, task.number, task.attempt, reason, final=True)

    def _take_back(self, run: Run) -> list[int]:
        """Takes all tasks of a run out of the queues."""
        numbers = []
        for pool in self._roster.pools.values():
            for task in pool.queue.take_all(run.id):
                task.move(TaskState.DONE)
                del run.tasks[task.number]
                numbers.append(task.number)
        self._totals["cancelled"] += len(numbers)
        return numbers


def _say_again(task: Task) -> Iterable[Action]:
    """To a run that may not have heard it."""
    if task.state is TaskState.DONE:
        yield do.TellFinished(task.run.id, task.number, task.attempt, task.result)
    elif task.state is TaskState.RUNNING and task.worker is not None:
        yield do.TellStarted(
            task.run.id, task.number, task.attempt, task.worker.name, task.worker.host,
            task.started_at,
        )  # fmt: skip
