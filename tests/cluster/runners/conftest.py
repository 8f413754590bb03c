"""A runner on a real cluster, and jobs that only sleep."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from dfm.runners.base import JobId, JobState, JobStatus, Runner, WorkerRequest

PATIENCE_S = 60.0
SLEEP = "sleep 300"


class Jobs:
    """A runner, called as the daemon does, but waited for."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self.runner = runner
        self.folder = folder

    def request(self, worker: str, script: str = SLEEP, **more: Any) -> WorkerRequest:
        command = ["/bin/sh", "-c", f'echo "$1"; {script}', "sh", worker]
        values = {"memory_mib": 100, "daemon": "test", "cores": 1, **more}
        return WorkerRequest(worker, command, str(self.folder), **values)

    def submit(self, *requests: WorkerRequest) -> list[JobId]:
        return list(asyncio.run(_list(self.runner.submit(requests))))

    def poll(self, jobs: Sequence[JobId]) -> dict[JobId, JobStatus]:
        return dict(asyncio.run(_dict(self.runner.poll(jobs))))

    def cancel(self, jobs: Sequence[JobId]) -> None:
        asyncio.run(_none(self.runner.cancel(jobs)))

    def until(
        self, jobs: Sequence[JobId], holds: Callable[[Iterable[JobStatus]], bool]
    ) -> dict[JobId, JobStatus]:
        """The statuses once they are as wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds((found := self.poll(jobs)).values()):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def all_are(self, jobs: Sequence[JobId], state: JobState) -> dict[JobId, JobStatus]:
        return self.until(jobs, lambda found: all(status.state is state for status in found))

    def log(self, job: JobId) -> str:
        """What is there of it."""
        path = self.folder / f"{job}.log"
        return path.read_text() if path.exists() else ""


async def _list(asked: Any) -> Sequence[JobId]:
    answer: Sequence[JobId] = await asked
    return answer


async def _dict(asked: Any) -> dict[JobId, JobStatus]:
    return dict(await asked)


async def _none(asked: Any) -> None:
    await asked
