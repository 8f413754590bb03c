"""The pool runner `local`: a job is a process of this host, which stands for a worker's batch job.

As a batch system does, it ends what is left of a job when the job is over: every process that a job
started has DFM_JOB in its environment, sessions and double forks or not.
"""

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import ClassVar

from dfm.config.fields import Section, Value
from dfm.errors import RunnerError
from dfm.runners.base import JobId, JobState, JobStatus, WorkerRequest
from dfm_worker import processes

_GRACE_S = 7.0  # a worker gives its tasks 5 s of it
_AGAIN_S = 0.02  # until the next look for what SIGKILL has not ended yet


class ProcessRunner:
    """The jobs of one daemon."""

    section: ClassVar[Section] = Section()

    def __init__(self, settings: Mapping[str, Value]) -> None:
        self._jobs: dict[JobId, subprocess.Popen[bytes]] = {}
        self._children: processes.Children | None = None

    def unusable(self) -> str | None:
        return None

    async def submit(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        jobs: list[JobId] = []
        try:
            for request in requests:
                jobs.append(self._start(request))
        except RunnerError:
            await self.cancel(jobs)  # nobody will hear of them
            for job in jobs:
                self._jobs.pop(job, None)
            raise
        return jobs

    async def poll(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        return {job: await self._look(job) for job in jobs}

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        running = [(job, self._jobs[job]) for job in jobs if job in self._jobs]
        await asyncio.gather(*(self._end(job, process) for job, process in running))

    def _start(self, request: WorkerRequest) -> JobId:
        if self._children is None:
            processes.become_subreaper()  # of what a worker that is killed leaves behind
            self._children = processes.Children()
        job = JobId(f"local-{secrets.token_hex(6)}")
        try:
            with open(f"{request.log_folder}/{job}.log", "ab") as log:
                self._jobs[job] = subprocess.Popen(
                    request.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "DFM_JOB": job},
                )
        except OSError as error:
            command = " ".join(request.command)
            raise RunnerError(
                f"cannot start a worker: {error}", hint=f"command: {command}"
            ) from None
        return job

    async def _look(self, job: JobId) -> JobStatus:
        process = self._jobs.get(job)
        if process is None:
            return JobStatus(JobState.UNKNOWN)
        if process.poll() is None:
            return JobStatus(JobState.RUNNING)
        await self._sweep(job)
        self._jobs.pop(job, None)
        code = process.returncode
        return JobStatus(
            JobState.GONE, f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        )

    async def _end(self, job: JobId, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            async with asyncio.timeout(_GRACE_S):
                await _exit_of(process)
        except TimeoutError:
            process.kill()
            await _exit_of(process)
        await self._sweep(job)

    async def _sweep(self, job: JobId) -> None:
        mark = f"DFM_JOB={job}".encode()
        while left := processes.marked(mark):
            processes.send(left, signal.SIGKILL)
            await asyncio.sleep(_AGAIN_S)
        ours = {process.pid for process in self._jobs.values()}
        for pid in self._children.pids() if self._children else ():
            if pid not in ours:
                processes.reap(pid)


async def _exit_of(process: subprocess.Popen[bytes]) -> None:
    """Until this child of ours has ended."""
    if process.poll() is not None:
        return
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    pidfd = os.pidfd_open(process.pid)

    def note() -> None:
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(pidfd, note)
    try:
        await ended
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
    process.poll()
