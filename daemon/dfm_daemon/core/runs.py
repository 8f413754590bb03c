"""The runs that are connected, and what they want and do not want any more."""

from collections.abc import Iterable

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.limits import Limits
from dfm_daemon.core.recent import Recent
from dfm_daemon.core.roster import Roster
from dfm_daemon.core.state import Pool, Run, RunId, Task, TaskState, WorkerState


class Runs:
    """Each method takes one kind of event."""

    def __init__(
        self, roster: Roster, tokens: Limits, recent: Recent, totals: dict[str, int]
    ) -> None:
        self.by_id: dict[RunId, Run] = {}
        self._roster = roster
        self._tokens = tokens
        self._recent = recent
        self._totals = totals

    def joined(self, event: events.RunJoined) -> None:
        self.by_id.setdefault(event.run, Run(event.run, event.pid, event.user, event.host))

    def submitted(self, event: events.TaskSubmitted) -> Iterable[Action]:
        run = self.by_id.get(event.run)
        if run is None or event.task in run.tasks:
            return  # it left in the same batch; or it only says that it still wants the task
        pool = self._roster.pool(event.shape)
        task = Task(
            run, event.task, event.name, event.spec, event.blobs, pool, event.attempt + 1,
            event.demand,
        )  # fmt: skip
        run.tasks[event.task] = task
        if (why := self._why_never(task)) is not None:
            yield self._fail(task, why)
        else:
            pool.queue.add(task)

    def _why_never(self, task: Task) -> str | None:
        """Why no worker could ever have a task; None if one can."""
        demand, longest_s = task.demand, task.pool.limits.walltime_s
        if longest_s and demand.walltime_s > longest_s:
            return (
                f"its walltime of {demand.walltime_s} s is longer than the {longest_s:.0f} s of the"
                f" workers of pool {task.pool.name}"
            )
        return self._tokens.unmeetable(demand.limits) if demand.limits else None

    def withdrew(self, run_id: RunId) -> Iterable[Action]:
        run = self.by_id.get(run_id)
        if run is not None:
            run.has_withdrawn = True
            yield do.TellWithdrawn(run_id, tuple(self._take_back(run)))

    def cancelled(self, run_id: RunId, grace_s: float) -> Iterable[Action]:
        run = self.by_id.get(run_id)
        for task in run.tasks.values() if run else ():
            if task.state in (TaskState.ASSIGNED, TaskState.RUNNING) and task.worker:
                yield do.Cancel(task.worker.name, task.held, grace_s)

    def left(self, run_id: RunId) -> Iterable[Action]:
        """Nobody wants its tasks any more: what waits is dropped, what runs is killed."""
        run = self.by_id.pop(run_id, None)
        if run is None:
            return
        self._take_back(run)
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
