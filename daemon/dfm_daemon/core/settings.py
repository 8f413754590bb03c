"""What the scheduler is told once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dfm_daemon.core.state import ONE_CORE, PoolLimits, Shape


@dataclass(frozen=True, slots=True)
class Settings:
    """`limits` gives those of the pool of a shape."""

    runner: str
    limits: Callable[[Shape], PoolLimits]
    default_shape: Shape = ONE_CORE
    tokens: Mapping[str, int] = field(default_factory=dict)  # of each limit
    lease_s: float = 30.0
    retries: int = 2  # of a task whose worker was lost
