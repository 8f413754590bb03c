"""The contract between the daemon and a runner: the adapter to one scheduler.

A runner turns requests for workers into jobs, looks at jobs and ends jobs, each verb for many at
once. Pools, retries, rates and the protocol with the workers are the daemon's.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, NewType, Protocol

from dfm.config.fields import Section, Value

JobId = NewType("JobId", str)


class JobState(enum.Enum):
    """What a scheduler says of a job. A word of its that we do not know is UNKNOWN, never GONE."""

    PENDING = "pending"
    RUNNING = "running"
    GONE = "gone"  # ended, in whatever way
    UNKNOWN = "unknown"


class JobStatus(NamedTuple):
    """One job as its scheduler sees it; `reason` in the scheduler's own words."""

    state: JobState
    reason: str = ""


class WorkerRequest(NamedTuple):
    """One worker that the daemon wants."""

    worker: str  # its name; unique in the life of the daemon
    command: Sequence[str]  # what the job runs
    log_folder: str  # absolute; its output goes to `JOB.log` in it
    cores: int


class Runner(Protocol):
    """One scheduler. The constructor stores; it runs no command and touches no file."""

    section: ClassVar[Section]  # its own fields below `runner.<name>` in the configuration

    def __init__(self, settings: Mapping[str, Value]) -> None:
        """`settings` has a value for every field of its section."""

    def unusable(self) -> str | None:
        """Why it cannot work on this host; None if it can."""

    async def submit(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        """The jobs, in the order of the requests. Raises RunnerError in the scheduler's words."""

    async def poll(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        """What the scheduler says of these jobs now. Raises RunnerError."""

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        """Ends these jobs; those that are over already are no error. Raises RunnerError."""
