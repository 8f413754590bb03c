"""The scheduler: matches tasks with workers. Events and the time come in, actions go out; it awaits
nothing, calls nobody and has no clock.

A batch of events is taken in first; then deadlines, assignments and launches are decided once. Each
event costs O(log n) at most, whatever is queued.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import ahead, events, scaling
from dfm_daemon.core.actions import Action
from dfm_daemon.core.dealing import deal
from dfm_daemon.core.events import Event
from dfm_daemon.core.hosts import EXCLUDED_S, LOSSES_IN_A_ROW, Hosts
from dfm_daemon.core.launches import Launches
from dfm_daemon.core.limits import Limits
from dfm_daemon.core.news import News
from dfm_daemon.core.recent import Recent
from dfm_daemon.core.roster import Roster
from dfm_daemon.core.runs import Runs
from dfm_daemon.core.settings import Settings, Survivor
from dfm_daemon.core.state import (
    COMING,
    SERVING,
    RunId,
    Task,
    TaskState,
    Worker,
    WorkerName,
    WorkerState,
)

_EXCLUDED = f"lost {LOSSES_IN_A_ROW} workers in a row under their tasks"
_LONG_S = 0.05  # a worker says that a task has started when it has run for so long


class Scheduler:
    """All of the daemon's state that counts, and every decision about it."""

    def __init__(self, settings: Settings) -> None:
        self.totals = dict.fromkeys(("completed", "failed", "cancelled", "retried"), 0)
        self._settings = settings
        self._roster = Roster(settings)
        self.workers = self._roster.workers
        self.pools = self._roster.pools
        self.limits = Limits(settings.tokens)
        self.hosts = Hosts()
        self.recent = Recent()
        self._runs = Runs(settings, self._roster, self.limits, self.recent, self.totals)
        self.runs = self._runs.by_id
        self.recovery = self._runs.recovery
        self._launches = Launches(self._roster, self._runs, self.hosts)
        self._news = News()
        self._drains = False
        self._ended = False

    def begin(self, now: float, survivors: Sequence[Survivor] = ()) -> list[Action]:
        """The workers that there are, and those that are kept warm from the start."""
        self._roster.pool(self._settings.default_shape)
        return [*self.recovery.begin(survivors, now), *self._launches.scale(now)]

    def handle(self, batch: Iterable[Event], now: float) -> list[Action]:
        """What is to be done about these events; with none, about the time that has passed."""
        actions: list[Action] = []
        for event in batch:
            actions += self._take(event, now)
        actions += self._expire(now)
        if not self._drains:
            actions += deal(self.pools, self._roster, self.limits, now)
            actions += self._launches.scale(now)
        actions += self._news.tell(self.runs, self.pools.values())
        if self._drains and not self._ended and not self._is_running():
            self._ended = True
            actions.append(do.End())
        return actions

    def next_deadline(self) -> float | None:
        """When to call `handle` again, even if nothing happens."""
        due = self._roster.deadlines() + self._runs.deadlines()
        if not self._drains:
            due += self._launches.next_deadlines()
        return min((time for time in due if time is not None), default=None)

    @property
    def is_draining(self) -> bool:
        """Whether nothing is started any more."""
        return self._drains

    def _is_running(self) -> bool:
        """Whether a worker has a task, or may have."""
        is_busy = any(pool.running_count for pool in self.pools.values())
        return is_busy or self.recovery.is_waiting()

    # Events

    def _take(self, event: Event, now: float) -> Iterable[Action]:
        match event:
            case events.TaskFinished():
                return self._finished(event, now)
            case events.TaskReturned(name, held):
                return self._returned(name, held, now)
            case events.TaskStarted(name, held, started_at):
                return self._started(name, held, started_at, now)
            case events.ResultTaken(run, task, attempt):
                return self._runs.taken(run, task, attempt)
            case events.TaskSubmitted():
                return self._runs.submitted(event, now)
            case events.WorkerHeard(name):
                if name in self.workers:
                    self.workers[name].heard_at = now
                return ()
            case events.RunJoined(run):
                self._runs.joined(event)
                self._news.welcome(run)
                return ()
            case events.RunSettled(run):
                return self._runs.settled(run, now)
            case events.RunAway(run):
                self._runs.away(run, now)
                return ()
            case events.RunLeft(run):
                return self._runs.left(run, now)
            case events.RunWithdrew(run):
                return self._runs.withdrew(run)
            case events.RunCancelled(run, grace_s):
                return self._runs.cancelled(run, grace_s)
            case events.WorkerJoined():
                return self._joined(event, now)
            case events.WorkerLeft(name, reason, is_expected):
                return self._left(name, reason, now, is_expected=is_expected)
            case events.WorkerDrains(name, reason):
                return self._drains_itself(name, reason)
            case events.LaunchSucceeded(names, jobs):
                return self._launches.succeeded(names, jobs, now)
            case events.LaunchFailed():
                return self._launches.failed(event, now)
            case events.JobPends(name, reason):
                worker = self.workers.get(name)
                if worker is not None and worker.state is WorkerState.PENDING:
                    worker.pool.pend_reason = reason
                return ()
            case events.JobEnds(name, at):
                if name in self.workers:
                    self._roster.set_end(self.workers[name], at, now)
                return ()
            case events.JobGone():
                return self._job_gone(event, now)
            case events.StopAsked(drain):
                return self._stop(drain=drain)
            case _:
                assert_never(event)

    # Workers and what they say

    def _joined(self, event: events.WorkerJoined, now: float) -> Iterable[Action]:
        worker = self._roster.find(event.worker, now)
        if worker is None or not _is_awaited(worker, event):
            reason = "there is one of this name" if worker else "nobody launched it"
            yield do.Refuse(event.worker, reason)
            return
        if worker.state not in COMING and worker.state is not WorkerState.AWAY:
            self._set_away(worker)  # it knows before we do that its connection was lost
        is_new = worker.state in COMING
        is_drained = not is_new and worker.left_as is WorkerState.DRAINING
        is_in_doubt = not worker.job and worker.state is not WorkerState.REQUESTED
        if event.job and is_in_doubt:
            yield do.AdoptJob(worker.name, event.job)
        worker.host, worker.pid = event.host, event.pid
        worker.job = event.job or worker.job
        worker.slots = event.slots
        worker.since = now if is_new else worker.since
        worker.move(WorkerState.DRAINING if is_drained else WorkerState.IDLE)
        self._roster.begin_lease(worker, now)
        scaling.note_success(worker.pool)
        yield do.Admit(worker.name)
        yield do.TrustJob(worker.name)
        verb = "joined from" if is_new else "is back at"
        yield do.Note(f"worker={worker.name} {verb} host={worker.host} pid={worker.pid}")
        self._roster.set_end(worker, event.deadline, now)
        if worker.deadline is None:
            yield do.AskEnd(worker.name)
        missing, actions = self.recovery.reconcile(worker, event, now)
        for task in reversed(missing):
            yield from self._take_back(worker, task, now)
        yield from actions
        if is_drained:
            yield do.Drain(worker.name, "it was to leave before it lost its connection")
            return
        if not worker.is_idle:
            worker.move(WorkerState.BUSY)
        if self.hosts.is_excluded(worker.host, now):
            yield self._roster.drain(worker, _EXCLUDED)
            scaling.note_excluded(worker.pool, worker.host, now)
        else:
            self._roster.offer(worker, now)

    def _drains_itself(self, name: WorkerName, reason: str) -> Iterable[Action]:
        worker = self.workers.get(name)
        if worker is not None and worker.state in SERVING:
            yield self._roster.drain(worker, reason)
            yield do.Note(f"worker={name} takes no more: {reason}")

    def _set_away(self, worker: Worker) -> None:
        worker.left_as = worker.state
        self._roster.withhold(worker)
        worker.move(WorkerState.AWAY)

    def _started(
        self, name: WorkerName, held: Held, started_at: float, now: float
    ) -> Iterable[Action]:
        task = self._task_of(name, held, now)
        if task is None:
            yield from self.recovery.started(name, held)
        elif task.state is TaskState.ASSIGNED:
            task.move(TaskState.RUNNING)
            task.started_at = started_at
            worker = self.workers[name]
            worker.long_count += 1
            yield do.TellStarted(
                task.run.id, task.number, task.attempt, name, worker.host, started_at
            )
            yield from self._recall(worker)

    def _recall(self, worker: Worker) -> Iterable[Action]:
        """A task takes longer than those behind it should wait, and than its pool's did lately."""
        ahead.note_duration(worker.pool, _LONG_S)
        if worker.free_slots < 0:
            for task in reversed(worker.tasks.values()):  # each goes back before all others
                if task.state is TaskState.ASSIGNED:
                    yield do.Recall(worker.name, task.held)

    def _returned(self, name: WorkerName, held: Held, now: float) -> Iterable[Action]:
        task = self._task_of(name, held, now)
        if task is None:
            self.recovery.returned(name, held, now)
            return
        yield from self._take_back(self.workers[name], task, now)

    def _take_back(self, worker: Worker, task: Task, now: float) -> Iterable[Action]:
        """An attempt that has not started, and will not."""
        self._give_back(worker, task, now)
        task.worker = None
        run = task.run
        if run.id not in self.runs:
            task.move(TaskState.DONE)
            self.totals["cancelled"] += 1
        elif run.has_withdrawn:
            task.move(TaskState.DONE)
            del run.tasks[task.number]
            self.totals["cancelled"] += 1
            yield do.TellWithdrawn(run.id, (task.number,))
        else:
            task.attempt += 1
            task.move(TaskState.WAITING)
            task.pool.queue.put_back(task)

    def _finished(self, event: events.TaskFinished, now: float) -> Iterable[Action]:
        task = self._task_of(event.worker, event.held, now)
        if task is None:
            yield from self.recovery.finished(event, now)
            return
        worker = self.workers[event.worker]
        ahead.note_duration(task.pool, event.wall_s)
        self._give_back(worker, task, now, event.wall_s)
        worker.tasks_done += 1
        self.hosts.succeeded(worker.host, now)
        task.move(TaskState.DONE)
        if task.run.id in self.runs:
            task.run.completed += 1
            task.result = event.result
            self.totals["failed" if event.status else "completed"] += 1
            self.recent.add(task, event.status, event.wall_s)
            yield do.TellFinished(task.run.id, task.number, task.attempt, event.result)
        else:
            self.totals["cancelled"] += 1
            yield do.Acknowledge(worker.name, event.held)

    def _task_of(self, name: WorkerName, held: Held, now: float) -> Task | None:
        """The task that a worker speaks of; None if it is not the attempt that counts."""
        worker = self.workers.get(name)
        if worker is None:
            return None
        worker.heard_at = now
        task = worker.tasks.get((RunId(held.run), held.task))
        return task if task is not None and task.attempt == held.attempt else None

    def _give_back(self, worker: Worker, task: Task, now: float, seconds: float = 0.0) -> None:
        """A task does not take its slot any more, which it had for so long."""
        del worker.tasks[(task.run.id, task.number)]
        self._release(task, seconds)
        if task.state is TaskState.RUNNING:
            worker.long_count -= 1
        worker.pool.running_count -= 1
        if worker.state is WorkerState.BUSY:
            if worker.is_idle:
                worker.move(WorkerState.IDLE)
            self._roster.offer(worker, now)

    def _release(self, task: Task, seconds: float = 0.0) -> None:
        task.pool.queue.given_back(task.run, seconds)
        if task.demand.limits:
            self.limits.give_back(task.run.id, task.demand.limits)

    def _left(
        self, name: WorkerName, reason: str, now: float, *, is_expected: bool
    ) -> Iterable[Action]:
        worker = self.workers.get(name)
        if worker is None or worker.state is WorkerState.AWAY:
            return
        yield do.WatchJob(name)
        if is_expected and not worker.tasks:
            self._roster.remove(worker)
            yield do.Note(f"worker={name} left: {reason}")
            return
        self._set_away(worker)
        self._roster.begin_lease(worker, now)
        yield do.Note(f"worker={name} connection lost: {reason}", is_trouble=True)

    def _lose(
        self,
        worker: Worker,
        reason: str,
        now: float,
        *,
        is_hopeless: bool = False,
        is_time_up: bool = False,
    ) -> Iterable[Action]:
        """A worker is no more. Its tasks go back to where they were, or are given up. `is_hopeless`:
        what ran would end so again. `is_time_up`: what ran needs more time than it had."""
        self.recovery.worker_gone(worker)
        tasks = list(worker.tasks.values())
        worker.tasks.clear()
        worker.long_count = 0
        worker.pool.running_count -= len(tasks)
        worker.pool.task_s = None  # those ahead share its fate: none ahead until more is known
        where = f"worker {worker.name} on {worker.host or 'its host'}: {reason}"
        for task in reversed(tasks):
            self._release(task)
            task.has_run_out = task.has_run_out or is_time_up
            yield from self._lost(
                task, where, is_hopeless=is_hopeless and task.state is TaskState.RUNNING
            )
        self._roster.remove(worker)
        yield do.Note(
            f"worker={worker.name} lost with {len(tasks)} tasks: {reason}", is_trouble=True
        )
        if tasks and self.hosts.lost(worker.host, now):
            yield from self._exclude(worker.host)

    def _exclude(self, host: str) -> Iterable[Action]:
        """It has lost worker after worker: those that it still has end after what they run."""
        yield do.Note(f"host={host} excluded for {EXCLUDED_S / 60:.0f} min: it {_EXCLUDED}", True)
        for worker in [w for w in self.workers.values() if w.host == host and w.state in SERVING]:
            yield self._roster.drain(worker, _EXCLUDED)

    def _lost(self, task: Task, reason: str, *, is_hopeless: bool) -> Iterable[Action]:
        lost = task.attempt
        task.worker = None
        task.losses += 1
        if task.run.id not in self.runs:
            task.move(TaskState.DONE)
            self.totals["cancelled"] += 1
            return
        final = is_hopeless or task.run.has_withdrawn or task.losses > self._settings.retries
        if final:
            task.move(TaskState.DONE)
            del task.run.tasks[task.number]
            self.totals["failed"] += 1
            self.recent.add(task, lost=reason)
        else:
            task.attempt += 1
            task.move(TaskState.WAITING)
            task.pool.queue.put_back(task)
            self.totals["retried"] += 1
        yield do.TellLost(task.run.id, task.number, lost, reason, final)

    # Jobs

    def _job_gone(self, event: events.JobGone, now: float) -> Iterable[Action]:
        worker = self.workers.get(event.worker)
        if worker is None:
            return
        if worker.state in COMING:
            yield from self._launches.came_to_nothing(worker, event.reason, event.log, now)
        elif worker.state is WorkerState.DRAINING and not worker.tasks:
            self._roster.remove(worker)
        else:
            had_it_all = event.is_time_up and not worker.tasks_done  # its task had all of its time
            is_hopeless = event.is_hopeless or had_it_all
            yield from self._lose(
                worker, event.reason, now, is_hopeless=is_hopeless, is_time_up=event.is_time_up
            )

    def _stop(self, *, drain: bool) -> Iterable[Action]:
        self._drains = True
        if not drain and not self._ended:
            self._ended = True
            yield do.End()

    # Decisions, once per batch

    def _expire(self, now: float) -> Iterable[Action]:
        for worker in self._roster.take_silent(now):
            yield do.EndJob(worker.name)
            yield from self._lose(worker, f"nothing heard for {self._settings.lease_s:.0f} s", now)
        yield from self._runs.expire(now)
        for worker in self._roster.take_idle(now):
            yield self._roster.drain(worker, "idle for too long")
        for worker in self._roster.take_ending(now):
            yield self._roster.drain(worker, "its job is about to end")
        yield from self._launches.expire(now)


def _is_awaited(worker: Worker, event: events.WorkerJoined) -> bool:
    """It has never come, or it is the same process that comes back."""
    return worker.state in COMING or (
        worker.pid in (0, event.pid) and worker.host in ("", event.host)
    )
