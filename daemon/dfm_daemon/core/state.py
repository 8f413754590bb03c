"""What the scheduler knows: tasks, workers, pools, runs, and the machines of their states.

A state is changed by `move` alone, which asserts against the tables.
"""

import enum
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, NewType

from dfm.wire.worker import Held

if TYPE_CHECKING:
    from dfm_daemon.core.queue import Queue

RunId = NewType("RunId", str)
WorkerName = NewType("WorkerName", str)


class Shape(NamedTuple):
    """What tasks need of their worker; tasks of equal shapes share a pool."""

    name: str
    cores: int = 1
    memory_mib: int = 0  # 0: not said
    queue: str = ""
    resource_class: str = ""
    resource_select: tuple[str, ...] = ()
    runner: str = ""  # "": the daemon's own
    options: tuple[tuple[str, str], ...] = ()  # of that runner, in place of what its section says


class Demand(NamedTuple):
    """How a task is to be scheduled, beside the shape of its worker."""

    priority: int = 0  # among the tasks of its run, more comes first
    walltime_s: int = 0  # 0: no limit
    limits: tuple[tuple[str, int], ...] = ()  # tokens that it holds while a worker has it
    expected_s: float = 0.0  # how long it took the last time; 0: not known
    names_walltime: bool = True  # it, or its class; else the walltime is only a default


ONE_CORE = Shape("1c")
NO_DEMAND = Demand()


class TaskState(enum.Enum):
    """waiting → assigned → running → done; lost with its worker: waiting again."""

    WAITING = "waiting"  # for a worker
    ASSIGNED = "assigned"  # sent to a worker
    RUNNING = "running"  # its process has started
    DONE = "done"  # the client has been told, and has not acknowledged yet


class WorkerState(enum.Enum):
    """requested → pending → idle ⇄ busy → draining → gone; any → away, and back."""

    REQUESTED = "requested"  # its job is being submitted
    PENDING = "pending"  # its job is with the scheduler, and nothing was heard from it
    IDLE = "idle"
    BUSY = "busy"
    DRAINING = "draining"  # gets no more tasks, ends after those it has
    AWAY = "away"  # connection lost; its job may live, and it may come back
    GONE = "gone"


class PoolState(enum.Enum):
    """ok ⇄ backoff → failed → ok."""

    OK = "ok"
    BACKOFF = "backoff"  # the last launch failed; the next is not before `retry_at`
    FAILED = "failed"  # several in a row; its tasks were given up


LEGAL: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.WAITING: frozenset({TaskState.ASSIGNED, TaskState.DONE}),
    TaskState.ASSIGNED: frozenset({TaskState.RUNNING, TaskState.WAITING, TaskState.DONE}),
    TaskState.RUNNING: frozenset({TaskState.DONE, TaskState.WAITING}),
    TaskState.DONE: frozenset(),
}
LEGAL_OF_WORKERS: Mapping[WorkerState, frozenset[WorkerState]] = {
    WorkerState.REQUESTED: frozenset({WorkerState.PENDING, WorkerState.IDLE, WorkerState.GONE}),
    WorkerState.PENDING: frozenset({WorkerState.IDLE, WorkerState.GONE}),
    WorkerState.IDLE: frozenset(
        {WorkerState.BUSY, WorkerState.DRAINING, WorkerState.AWAY, WorkerState.GONE}
    ),
    WorkerState.BUSY: frozenset(
        {WorkerState.IDLE, WorkerState.DRAINING, WorkerState.AWAY, WorkerState.GONE}
    ),
    WorkerState.DRAINING: frozenset({WorkerState.AWAY, WorkerState.GONE}),
    WorkerState.AWAY: frozenset({WorkerState.IDLE, WorkerState.DRAINING, WorkerState.GONE}),
    WorkerState.GONE: frozenset(),
}
COMING = frozenset({WorkerState.REQUESTED, WorkerState.PENDING})
SERVING = frozenset({WorkerState.IDLE, WorkerState.BUSY})


@dataclass(slots=True, eq=False)
class Task:
    """One task of a run. `spec` and `blobs` are passed on and never looked into."""

    run: "Run"
    number: int
    name: str
    spec: bytes
    blobs: tuple[int, ...]
    pool: "Pool"
    attempt: int
    demand: Demand = NO_DEMAND
    state: TaskState = TaskState.WAITING
    worker: "Worker | None" = None  # that has it, or the result that is not acknowledged
    result: bytes = b""  # until it is acknowledged: a client that comes back may not have it
    losses: int = 0
    has_run_out: bool = False  # the time of its worker's job was up before it was over
    started_at: float = 0.0  # UTC epoch

    @property
    def held(self) -> Held:
        return Held(self.run.id, self.number, self.attempt)

    def move(self, state: TaskState) -> None:
        assert state in LEGAL[self.state], f"{self.run.id}/{self.number}: {self.state} to {state}"
        self.state = state


@dataclass(slots=True, eq=False)
class Worker:
    """One worker, from the wish for it to its end."""

    name: WorkerName
    pool: "Pool"
    since: float
    state: WorkerState = WorkerState.REQUESTED
    host: str = ""
    pid: int = 0
    job: str = ""
    slots: int = 1
    tasks: dict[tuple[RunId, int], Task] = field(default_factory=dict)
    claims: set[tuple[RunId, int]] = field(
        default_factory=set
    )  # it runs, of runs that are not here
    left_as: WorkerState = WorkerState.IDLE  # what it was when its connection was lost
    long_count: int = 0  # of these, those that run for long enough to be said to have started
    tasks_done: int = 0
    heard_at: float = 0.0
    idle_since: float = 0.0
    deadline: float | None = None  # of its job, on the scheduler's clock
    is_old: bool = False  # it came to the daemon before this one, and may have run much already

    @property
    def free_slots(self) -> int:
        return self.slots - len(self.tasks) - len(self.claims)

    @property
    def is_idle(self) -> bool:
        return not self.tasks and not self.claims

    def move(self, state: WorkerState) -> None:
        legal = LEGAL_OF_WORKERS[self.state]
        assert state in legal, f"{self.name}: {self.state} to {state}"
        counts = self.pool.counts
        counts[self.state] -= 1
        counts[state] += 1
        if state is WorkerState.PENDING:
            self.pool.pending[self.name] = self
        elif self.state is WorkerState.PENDING:
            del self.pool.pending[self.name]
        self.state = state


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How many workers a pool has (spec section 2, `runner.pool`)."""

    min_workers: int
    max_workers: int
    idle_timeout_s: float
    batch: int  # most workers asked for in one step, or in the first
    slots: int  # of each worker
    launch_timeout_s: float = 0.0  # that a job may pend; 0: for ever
    walltime_s: float = 0.0  # of a worker's job; 0: the default of its queue
    grows: bool = False  # a step that did not suffice is followed by one of twice its size


@dataclass(slots=True, eq=False)
class Pool:
    """Workers of one shape, and the tasks that wait for them. The counts are kept by `Worker.move`
    and by the scheduler, so that nobody has to count."""

    shape: Shape
    runner: str
    limits: PoolLimits
    queue: "Queue"  # of the tasks that wait
    state: PoolState = PoolState.OK
    running_count: int = 0  # tasks that a worker has
    free: dict[WorkerName, Worker] = field(default_factory=dict)  # with a free slot, newest last
    # That may be given tasks ahead, in turn. Of a dict the first is slow to find when others went.
    roomy: OrderedDict[WorkerName, Worker] = field(default_factory=OrderedDict)
    task_s: float | None = None  # how long its tasks take, lately; None: not known
    workers: dict[WorkerName, Worker] = field(default_factory=dict)  # all that are not gone
    pending: dict[WorkerName, Worker] = field(default_factory=dict)  # of these, newest last
    steps: int = 0  # that did not suffice, one after the other
    surplus_since: float | None = None  # when more workers were pending than could be of use
    counts: dict[WorkerState, int] = field(default_factory=lambda: dict.fromkeys(WorkerState, 0))
    failures: int = 0  # launches that were refused, in a row
    troubles: int = 0  # those that did not reach the scheduler
    retry_at: float = 0.0
    last_error: str = ""
    pend_reason: str = ""  # of its jobs that wait, in the scheduler's words

    @property
    def name(self) -> str:
        return self.shape.name

    @property
    def requested(self) -> int:
        return self.counts[WorkerState.REQUESTED]

    @property
    def coming(self) -> int:
        return self.counts[WorkerState.REQUESTED] + self.counts[WorkerState.PENDING]

    @property
    def serving(self) -> int:
        return self.counts[WorkerState.IDLE] + self.counts[WorkerState.BUSY]


@dataclass(slots=True, eq=False)
class Run:
    """One `dfm run` that is connected, or may come back."""

    id: RunId
    pid: int
    user: str
    host: str
    tasks: dict[int, Task] = field(default_factory=dict)
    completed: int = 0
    has_withdrawn: bool = False  # what has not started is not wanted any more
    cancel_grace_s: float | None = None  # what runs is not wanted either
    is_settled: bool = True  # it has said all that it wants since it came back
    said: set[int] = field(default_factory=set)  # the tasks of which it has, until then
