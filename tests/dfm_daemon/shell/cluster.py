"""A cluster in a test: a runner whose jobs are what the test says, between it and the daemon's jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

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


class World:
    """Jobs, the runner behind and what the scheduler is told."""

    def __init__(self, log_folder: Path) -> None:
        self.cluster = Cluster()
        self.told: list[Event] = []
        self.log_folder = log_folder
        self.jobs: Jobs

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
                journal = Journal(str(self.log_folder / "jobs.journal"))
                self.jobs = Jobs(cast(Runner, self.cluster), group, self.told.append, journal)
                await scene()
                await self.jobs.end_all()

        play(within)
