"""A scheduler in a world that a test tells about in a line each; every step checks the invariants."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import pytest

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.events import Event
from dfm_daemon.core.invariants import check
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings, Survivor
from dfm_daemon.core.state import (
    NO_DEMAND,
    Demand,
    Pool,
    PoolLimits,
    RunId,
    Shape,
    Task,
    Worker,
    WorkerName,
)

RUN, OTHER = RunId("run"), RunId("other")
RESULT = b"a result"


def held(task: int, attempt: int = 1, run: RunId = RUN) -> Held:
    return Held(run, task, attempt)


def shape(cores: int = 1) -> Shape:
    return Shape(f"{cores}c", cores)


def submitted(
    task: int,
    run: RunId = RUN,
    *,
    cores: int = 1,
    attempt: int = 0,
    demand: Demand = NO_DEMAND,
) -> events.TaskSubmitted:
    name, wanted = f"flow.t{task}", shape(cores)
    return events.TaskSubmitted(run, task, name, b"spec", (0,), wanted, attempt, demand)


def assign(worker: WorkerName, task: int, attempt: int = 1, run: RunId = RUN) -> do.Assign:
    """The action that has a worker run a task of `submitted`."""
    return do.Assign(worker, held(task, attempt, run), b"spec", (0,))


def joined(
    worker: WorkerName,
    *,
    slots: int = 1,
    job: str = "",
    host: str = "host",
    deadline: float | None = None,
) -> events.WorkerJoined:
    return events.WorkerJoined(worker, host, 77, job, slots, deadline, (), ())


def finished(
    worker: WorkerName, attempt: Held, *, status: int = 0, wall_s: float = 1.0
) -> events.TaskFinished:
    return events.TaskFinished(worker, attempt, status, wall_s, RESULT)


def told(attempt: Held) -> do.TellFinished:
    """The action that tells a client of `finished`."""
    return do.TellFinished(RunId(attempt.run), attempt.task, attempt.attempt, RESULT)


class World:
    """A scheduler, its clock, and what it said beside its decisions."""

    def __init__(
        self,
        *,
        min_workers: int = 0,
        max_workers: int = 16,
        idle_timeout_s: float = 300.0,
        batch: int = 16,
        slots: int = 1,
        lease_s: float = 30.0,
        retries: int = 2,
        launch_timeout_s: float = 0.0,
        walltime_s: float = 0.0,
        tokens: Mapping[str, int] | None = None,
    ) -> None:
        limits = PoolLimits(
            min_workers, max_workers, idle_timeout_s, batch, slots, launch_timeout_s, walltime_s
        )
        settings = Settings(
            "sim", lambda _: limits, tokens=tokens or {}, lease_s=lease_s, retries=retries
        )
        self.core = Scheduler(settings)
        self.now = 0.0
        self.slots = slots
        self.notes: list[str] = []
        self.news: list[do.TellWorkers] = []
        self.launches: deque[do.Launch] = deque()  # not answered yet
        self.coming: deque[WorkerName] = deque()  # their jobs wait
        self.has_ended = False

    def handle(self, *batch: Event, now: float | None = None) -> list[Action]:
        """What the scheduler decides; what it notes and tells about workers is kept aside."""
        self.now = self.now if now is None else now
        return self._sort(self.core.handle(batch, self.now))

    def begin(self, survivors: Sequence[Survivor] = ()) -> list[Action]:
        return self._sort(self.core.begin(self.now, survivors))

    def _sort(self, actions: Iterable[Action]) -> list[Action]:
        check(self.core)
        decided: list[Action] = []
        for action in actions:
            match action:
                case do.Note(text):
                    self.notes.append(text)
                case do.TellWorkers():
                    self.news.append(action)
                case _:
                    decided.append(action)
                    if isinstance(action, do.Launch):
                        self.launches.append(action)
                    self.has_ended = self.has_ended or isinstance(action, do.End)
        return decided

    def run(self, *tasks: int, run: RunId = RUN, cores: int = 1) -> list[Action]:
        """A run joins and submits."""
        return self.handle(
            events.RunJoined(run, 4711, "ann", "desk"),
            *(submitted(task, run, cores=cores) for task in tasks),
        )

    def accept(self) -> list[Action]:
        """The batch system takes the jobs of all workers that were asked for until now."""
        actions: list[Action] = []
        for _ in range(len(self.launches)):
            names = self.launches.popleft().workers
            self.coming += names
            jobs = tuple(f"job-{name}" for name in names)
            actions += self.handle(events.LaunchSucceeded(names, jobs))
        return actions

    def bring(
        self, count: int = 1, *, host: str = "host", deadline: float | None = None
    ) -> list[WorkerName]:
        """Jobs start, and their workers join at once."""
        while len(self.coming) < count:
            self.accept()
        names = [self.coming.popleft() for _ in range(count)]
        self.handle(
            *(joined(name, slots=self.slots, host=host, deadline=deadline) for name in names)
        )
        return names

    def worker(self, name: WorkerName) -> Worker:
        return self.core.workers[name]

    def task(self, number: int, run: RunId = RUN) -> Task:
        return self.core.runs[run].tasks[number]

    def pool(self, cores: int = 1) -> Pool:
        return self.core.pools[shape(cores)]

    def tasks_of(self, name: WorkerName) -> list[int]:
        return [number for _, number in self.worker(name).tasks]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def busy() -> tuple[World, WorkerName]:
    """A world with one worker, which has the first of two tasks; no other worker may come."""
    made = World(max_workers=1)
    made.run(1, 2)
    (worker,) = made.bring()
    return made, worker
