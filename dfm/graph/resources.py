"""What a task asks of whoever runs it, as its `std.ResourceTag` says it. What that comes to in a
configuration is said in dfm/config/resources.py."""

from dataclasses import dataclass
from typing import TypeAlias

Tokens: TypeAlias = tuple[tuple[str, int], ...]  # how many of each limit, by name


@dataclass(frozen=True, slots=True)
class Request:
    """The fields of one use of the tag; None: it does not say."""

    cores: int | None = None
    memory_mib: int | None = None
    queue: str | None = None
    walltime_s: int | None = None
    resource_class: str | None = None
    limits: Tokens = ()
    priority: int = 0  # in a run, tasks with more come first
