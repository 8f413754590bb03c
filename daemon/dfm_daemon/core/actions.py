"""What the scheduler wants done: a closed union, matched to the end by the shell."""

from dataclasses import dataclass
from typing import TypeAlias

from dfm.wire.worker import Held
from dfm_daemon.core.state import RunId, Shape, WorkerName


@dataclass(frozen=True, slots=True)
class Admit:
    """Welcome a worker."""

    worker: WorkerName


@dataclass(frozen=True, slots=True)
class AdoptJob:
    """A worker has come whose job nobody knew: the daemon that submitted it was killed."""

    worker: WorkerName
    job: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Send a worker away that nobody launched, or that is there already."""

    worker: WorkerName
    reason: str


@dataclass(frozen=True, slots=True)
class Assign:
    """Have a worker run an attempt; the shell sends the blobs that it does not have yet."""

    worker: WorkerName
    held: Held
    spec: bytes
    blobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    worker: WorkerName
    held: Held
    grace_s: float


@dataclass(frozen=True, slots=True)
class Recall:
    """Have a worker give an attempt back that has not started."""

    worker: WorkerName
    held: Held


@dataclass(frozen=True, slots=True)
class Drop:
    """Have a worker forget an attempt that is not wanted any more, and kill it."""

    worker: WorkerName
    held: Held


@dataclass(frozen=True, slots=True)
class Acknowledge:
    worker: WorkerName
    held: Held


@dataclass(frozen=True, slots=True)
class ForgetRun:
    """The blobs of a run may go, here and on the workers."""

    run: RunId


@dataclass(frozen=True, slots=True)
class Launch:
    """Submit jobs for these workers of a pool."""

    runner: str
    workers: tuple[WorkerName, ...]
    shape: Shape  # of one slot; a worker's job is so many times as large
    slots: int
    avoid: tuple[str, ...] = ()  # hosts that are excluded


@dataclass(frozen=True, slots=True)
class WatchJob:
    """Ask the scheduler about a worker's job until it is gone."""

    worker: WorkerName


@dataclass(frozen=True, slots=True)
class TrustJob:
    """The worker itself is heard: no need to ask the scheduler about its job."""

    worker: WorkerName


@dataclass(frozen=True, slots=True)
class AskEnd:
    """Ask the scheduler when a worker's job ends: the worker does not know."""

    worker: WorkerName


@dataclass(frozen=True, slots=True)
class EndJob:
    """End a worker's job, whatever state it is in."""

    worker: WorkerName


@dataclass(frozen=True, slots=True)
class Drain:
    """Have a worker take no more, and leave when it is idle."""

    worker: WorkerName
    reason: str


@dataclass(frozen=True, slots=True)
class TellStarted:
    run: RunId
    task: int
    attempt: int
    worker: WorkerName
    host: str
    started_at: float


@dataclass(frozen=True, slots=True)
class TellFinished:
    run: RunId
    task: int
    attempt: int
    result: bytes


@dataclass(frozen=True, slots=True)
class TellLost:
    """An attempt was lost with its worker; `final`: the task is not tried again."""

    run: RunId
    task: int
    attempt: int
    reason: str
    final: bool


@dataclass(frozen=True, slots=True)
class TellWithdrawn:
    run: RunId
    tasks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TellWorkers:
    """The workers that a run's tasks can get have changed."""

    run: RunId
    serving: int
    pending: int
    problem: str
    waits: str = ""  # why those that are pending are, in the scheduler's words, while none serves


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the daemon's log."""

    text: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to wait for: the daemon may go."""


Action: TypeAlias = (
    Admit | AdoptJob | Refuse | Assign | Cancel | Recall | Drop | Acknowledge | ForgetRun | Launch | WatchJob | TrustJob
    | AskEnd | EndJob | Drain | TellStarted | TellFinished | TellLost | TellWithdrawn | TellWorkers | Note
    | End
)  # fmt: skip
