"""The contract between the daemon and a runner: the adapter to one scheduler.

A runner turns requests for workers into jobs, looks at jobs and ends jobs, each verb for many at
once. Pools, retries, rates and the protocol with the workers are the daemon's.
"""

import enum
import sys
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, NewType, Protocol, runtime_checkable

from dfm.config.fields import Section, Value

JobId = NewType("JobId", str)

# How the worker of this very dfm is started; a request's command begins with it.
THIS_WORKER = (sys.executable, "-m", "dfm_worker")


class JobState(enum.Enum):
    """What a scheduler says of a job. A word of its that we do not know is UNKNOWN, never GONE."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"  # its processes are stopped, and may go on hours later
    GONE = "gone"  # ended, in whatever way
    UNKNOWN = "unknown"


class JobEnd(enum.Enum):
    """Why a job is GONE, as far as its scheduler tells."""

    UNCLEAR = "unclear"
    WALLTIME = "walltime"  # as WALLTIME and MEMORY, it would end so again on the same shape
    MEMORY = "memory"
    HOST = "host"  # the host failed, or the scheduler lost it
    CANCELLED = "cancelled"  # by a person
    PREEMPTED = "preempted"


class JobStatus(NamedTuple):
    """One job as its scheduler sees it; `reason` in the scheduler's own words."""

    state: JobState
    reason: str = ""
    end: JobEnd = JobEnd.UNCLEAR
    left_s: float | None = (
        None  # until its time is up; None: the scheduler does not say, or no limit
    )


class WorkerRequest(NamedTuple):
    """One worker that the daemon wants."""

    worker: str  # its name; unique in the life of the daemon
    command: Sequence[str]  # what the job runs; its name is a word of it, which others are not
    log_folder: str  # absolute; its output goes to `JOB.log` in it
    cores: int
    memory_mib: int = 0  # of the whole job; 0: as the queue has it
    walltime_s: int = 0  # 0: as the queue has it
    queue: str = ""  # in place of the runner's own
    project: str = ""  # in place of the runner's own
    resource_select: tuple[str, ...] = ()  # beside the runner's own
    avoid: tuple[str, ...] = ()  # hosts that are not wanted now
    slots: int = 1  # tasks that it runs at once; cores and memory are for all of them
    daemon: str = ""  # who asks, in letters and digits; names of jobs carry it
    about: str = ""  # for whoever looks at the job: which project it is for


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


@runtime_checkable
class BatchRunner(Runner, Protocol):
    """What a runner has besides whose scheduler is shared with others, and outlives the daemon."""

    look_s: ClassVar[float]  # least time between two looks at jobs, however many are in doubt

    async def find(self, daemon: str, workers: Sequence[str]) -> Mapping[str, JobId]:
        """The jobs that there are of these workers, of which nobody was told: the daemon that had them
        submitted was killed meanwhile. `daemon` and the order as in their requests. Raises RunnerError."""
