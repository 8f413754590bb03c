"""What the scheduler is told once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dfm_daemon.core.state import ONE_CORE, PoolLimits, Shape, WorkerName


@dataclass(frozen=True, slots=True)
class Survivor:
    """A worker that the daemon before this one launched, and that may live."""

    name: WorkerName
    shape: Shape
    slots: int
    job: str  # empty: nobody knows whether it was submitted
    has_joined: bool  # and so may have tasks


@dataclass(frozen=True, slots=True)
class Settings:
    """`limits` gives those of the pool of a shape."""

    runner: str
    limits: Callable[[Shape], PoolLimits]
    default_shape: Shape = ONE_CORE
    tokens: Mapping[str, int] = field(default_factory=dict)  # of each limit
    lease_s: float = 30.0
    retries: int = 2  # of a task whose worker was lost
    grace_s: float = 30.0  # that runs and the workers of a daemon that was killed have to come back
    launched: int = 0  # workers, by the daemons before this one
