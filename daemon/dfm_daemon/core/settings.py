"""What the scheduler is told once."""

from collections.abc import Callable
from dataclasses import dataclass

from dfm_daemon.core.state import PoolLimits


@dataclass(frozen=True, slots=True)
class Settings:
    """`limits` gives those of a pool by the cores of its tasks."""

    runner: str
    limits: Callable[[int], PoolLimits]
    lease_s: float = 30.0
    retries: int = 2  # of a task whose worker was lost
