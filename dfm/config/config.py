"""The configuration as the rest of dfm sees it: typed, merged, in the units the code counts in."""

from collections.abc import Mapping
from dataclasses import dataclass

from dfm.config.fields import Section, Value
from dfm.config.merge import Origin
from dfm.config.quantities import PortRange

WITHOUT_TLS = (
    "runner.daemon.tls is false: what the daemon, its workers and its clients on other"
    " hosts say to each other can be read and changed on the network"
)


@dataclass(frozen=True, slots=True)
class Pool:
    """How many workers of one shape there are, and for how long. 0 as a timeout or walltime: none."""

    min_workers: int
    max_workers: int
    idle_timeout_s: int
    launch_batch_size: int
    launch_timeout_s: int
    walltime_s: int
    slots_per_worker: int


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task gets that does not say."""

    cores: int
    memory_mib: int
    walltime_s: int


@dataclass(frozen=True, slots=True)
class ResourceClass:
    """What a task of this class gets; None is left to the task, or to the defaults."""

    cores: int | None
    memory_mib: int | None
    walltime_s: int | None
    queue: str | None
    resource_select: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """Where the daemon listens, and to whom."""

    bind: str
    advertise: tuple[str, ...]
    worker_port: PortRange
    tls: bool
    allow_users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """All layers merged.

    `runners` has the own settings of every installed runner, by its name; `sections` their tables.
    `values` has the same settings once more, by dotted key, and `origins` where each was set: a Place,
    or "default" or "--runner-opt". The elements of a list have origins of their own, at `key[0]`...
    """

    runner: str
    pool: Pool
    defaults: Resources
    resource_classes: Mapping[str, ResourceClass]
    limits: Mapping[str, int]
    task_log_limit_bytes: int
    retry_infra: int
    daemon: DaemonConfig
    runners: Mapping[str, Mapping[str, Value]]
    keep_going: bool
    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    sections: Mapping[str, Section]
