"""What happens to the scheduler: a closed union, matched to the end."""

from dataclasses import dataclass
from typing import TypeAlias

from dfm.wire.worker import Held
from dfm_daemon.core.state import NO_DEMAND, Demand, RunId, Shape, WorkerName


@dataclass(frozen=True, slots=True)
class RunJoined:
    """A `dfm run` has connected."""

    run: RunId
    pid: int
    user: str
    host: str
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class RunSettled:
    """A run that is back has submitted all that it still waits for."""

    run: RunId


@dataclass(frozen=True, slots=True)
class RunAway:
    """Its connection is gone, and it may come back."""

    run: RunId


@dataclass(frozen=True, slots=True)
class RunLeft:
    """It is over, or whoever wanted its tasks is gone."""

    run: RunId


@dataclass(frozen=True, slots=True)
class TaskSubmitted:
    run: RunId
    task: int
    name: str
    spec: bytes
    blobs: tuple[int, ...]
    shape: Shape
    attempt: int  # the newest that the client knows of
    demand: Demand = NO_DEMAND


@dataclass(frozen=True, slots=True)
class RunWithdrew:
    """What waits of this run is not wanted any more."""

    run: RunId


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """What runs of this run is to be ended."""

    run: RunId
    grace_s: float


@dataclass(frozen=True, slots=True)
class ResultTaken:
    """The client has the result of an attempt."""

    run: RunId
    task: int
    attempt: int


@dataclass(frozen=True, slots=True)
class WorkerJoined:
    """A worker has said hello, with the project's credentials."""

    worker: WorkerName
    host: str
    pid: int
    job: str
    slots: int
    deadline: float | None  # of its job, on the scheduler's clock; None: it does not know
    running: tuple[Held, ...]
    finished: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class WorkerHeard:
    """It is still there."""

    worker: WorkerName


@dataclass(frozen=True, slots=True)
class TaskStarted:
    worker: WorkerName
    held: Held
    started_at: float


@dataclass(frozen=True, slots=True)
class TaskFinished:
    worker: WorkerName
    held: Held
    status: int
    wall_s: float
    result: bytes


@dataclass(frozen=True, slots=True)
class TaskReturned:
    """A worker gives an attempt back that has not started."""

    worker: WorkerName
    held: Held


@dataclass(frozen=True, slots=True)
class WorkerLeft:
    """Its connection is gone. `is_expected`: it has said that it leaves."""

    worker: WorkerName
    reason: str
    is_expected: bool


@dataclass(frozen=True, slots=True)
class WorkerDrains:
    """It takes no more by itself, and leaves after what it has: its job has reached its run limit."""

    worker: WorkerName
    reason: str


@dataclass(frozen=True, slots=True)
class LaunchSucceeded:
    """The scheduler has taken the jobs of these workers, in their order."""

    workers: tuple[WorkerName, ...]
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaunchFailed:
    workers: tuple[WorkerName, ...]
    reason: str
    is_transient: bool = False  # the scheduler was not reached: it has refused nothing
    is_in_doubt: bool = False  # it may have taken them, or may take them yet


@dataclass(frozen=True, slots=True)
class JobPends:
    """The job of a worker waits, says its scheduler, and why; said again when the reason changes."""

    worker: WorkerName
    reason: str


@dataclass(frozen=True, slots=True)
class JobEnds:
    """When the job of a worker will be over, says its scheduler."""

    worker: WorkerName
    at: float


@dataclass(frozen=True, slots=True)
class JobGone:
    """The job of a worker is over, says its scheduler; `log` is the end of what it printed."""

    worker: WorkerName
    reason: str
    log: str
    is_hopeless: bool = False  # what ran in it would end in the same way on the same shape
    is_time_up: bool = False  # so would what had all of its time to itself


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The daemon is to end: at once, or after the tasks that run."""

    drain: bool


Event: TypeAlias = (
    RunJoined | RunSettled | RunAway | RunLeft | TaskSubmitted | RunWithdrew | RunCancelled | ResultTaken
    | WorkerJoined | WorkerHeard | TaskStarted | TaskFinished | TaskReturned | WorkerLeft | WorkerDrains
    | LaunchSucceeded | LaunchFailed | JobPends | JobEnds | JobGone | StopAsked
)  # fmt: skip
