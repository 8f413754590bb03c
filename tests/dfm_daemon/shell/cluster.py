"""A cluster in a test: a runner whose jobs are what the test says, between it and the daemon's jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from dfm.config.fields import Section
from dfm.runners.base import JobId, JobState, JobStatus, Runner, WorkerRequest
from dfm_daemon.core.events import Event
from dfm_daemon.shell.jobs import Jobs
from dfm_daemon.shell.journal import Journal
from tests.dfm_daemon.shell.conftest import play, until

PENDING = JobStatus(JobState.PENDING)


class Cluster:
    """A runner whose jobs are what a test says; a verb may be replaced by what goes wrong."""

    def __init__(self) -> None:
        self.states: dict[JobId, JobStatus] = {}
        self.asked: list[list[JobId]] = []
        self.cancelled: list[JobId] = []
        self.submit: Callable[[Sequence[WorkerRequest]], Awaitable[Any]] = self.take
        self.poll: Callable[[Sequence[JobId]], Awaitable[Any]] = self.look
        self.cancel: Callable[[Sequence[JobId]], Awaitable[Any]] = self.forget

    async def take(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        made = [JobId(f"job-{request.worker}") for request in requests]
        self.states |= dict.fromkeys(made, PENDING)
        return made

    async def look(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        self.asked.append(list(jobs))
        return {job: self.states[job] for job in jobs if job in self.states}

    async def forget(self, jobs: Sequence[JobId]) -> None:
        self.cancelled += jobs

    async def was_asked(self, times: int = 3) -> None:
        """From now on, so often."""
        asked = len(self.asked)
        await until(lambda: len(self.asked) >= asked + times)


class BatchCluster(Cluster):
    """One whose scheduler outlives the daemon: it knows jobs of which nobody was told."""

    section = Section(())
    look_s = 0.01

    def __init__(self) -> None:
        super().__init__()
        self.nameless: dict[str, JobId] = {}  # by worker
        self.looked_for: list[list[str]] = []

    def unusable(self) -> str | None:
        return None

    async def find(self, daemon: str, workers: Sequence[str]) -> Mapping[str, JobId]:
        self.looked_for.append(list(workers))
        return {worker: self.nameless[worker] for worker in workers if worker in self.nameless}


class World:
    """Jobs, the runner behind and what the scheduler is told."""

    def __init__(self, log_folder: Path, cluster: Cluster | None = None) -> None:
        self.cluster = cluster or Cluster()
        self.told: list[Event] = []
        self.log_folder = log_folder
        self.jobs: Jobs
        self.journal: Journal

    def request(self, name: str) -> WorkerRequest:
        return WorkerRequest(name, ["worker"], str(self.log_folder), 1)

    async def launch(self, *names: str) -> Event:
        """The answer."""
        known = len(self.told)
        self.jobs.launch([self.request(name) for name in names])
        await until(lambda: len(self.told) > known)
        return self.told[-1]

    async def is_told(self, event: Event) -> None:
        await until(lambda: event in self.told)

    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        async def within() -> None:
            async with asyncio.TaskGroup() as group:
                self.journal = Journal(str(self.log_folder / "jobs.journal"))
                runner = cast(Runner, self.cluster)
                self.jobs = Jobs(runner, group, self.told.append, self.journal)
                await scene()
                await self.jobs.end_all()

        play(within)
