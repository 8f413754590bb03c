"""The pool runner `local`: a job is a process of this host, which stands for a worker's batch job.

As a batch system does, it ends what is left of a job when the job is over: every process that a job
started has DFM_JOB in its environment, sessions and double forks or not. By that a daemon that follows
one that was killed finds the jobs of it, too.
"""

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar

from dfm.config.fields import Section, Value
from dfm.errors import RunnerError
from dfm.runners.adopted import MARK, Adopted, find
from dfm.runners.base import JobId, JobState, JobStatus, WorkerRequest
from dfm_worker import processes

_PREFIX = "local-"  # of job ids
_GRACE_S = 7.0  # a worker gives its tasks 5 s of it
_AGAIN_S = 0.02  # until the next look for what SIGKILL has not ended yet


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class ProcessRunner:
    """The jobs of one daemon."""

    section: ClassVar[Section] = Section()

    def __init__(self, settings: Mapping[str, Value]) -> None:
        self._jobs: dict[JobId, subprocess.Popen[bytes]] = {}
        self._adopted: dict[JobId, Adopted] = {}
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
        self._adopt(jobs)
        return {job: await self._look(job) for job in jobs}

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        self._adopt(jobs)
        await asyncio.gather(*map(self._end, jobs))

    def _adopt(self, jobs: Sequence[JobId]) -> None:
        unknown = {job for job in jobs if job not in self._jobs and job not in self._adopted}
        if unknown:
            self._adopted |= {JobId(job): process for job, process in find(unknown)}

    def _start(self, request: WorkerRequest) -> JobId:
        if self._children is None:
            processes.become_subreaper()  # of what a worker that is killed leaves behind
            self._children = processes.Children()
        job = JobId(f"{_PREFIX}{secrets.token_hex(6)}")
        try:
            with open(f"{request.log_folder}/{job}.log", "ab", opener=_private) as log:
                self._jobs[job] = subprocess.Popen(
                    request.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "DFM_JOB": job, MARK: job},
                )
        except OSError as error:
            command = " ".join(request.command)
            raise RunnerError(
                f"cannot start a worker: {error}", hint=f"command: {command}"
            ) from None
        return job

    async def _look(self, job: JobId) -> JobStatus:
        process = self._jobs.get(job)
        stranger = self._adopted.get(job)
        if process is not None:
            if process.poll() is None:
                return JobStatus(JobState.RUNNING)
            code = process.returncode
            reason = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        elif stranger is not None and not stranger.has_ended():
            return JobStatus(JobState.RUNNING)
        else:
            if not job.startswith(_PREFIX):
                return JobStatus(JobState.UNKNOWN)
            reason = "it ended, and was not this daemon's child"
        await self._sweep(job)
        self._forget(job)
        return JobStatus(JobState.GONE, reason)

    async def _end(self, job: JobId) -> None:
        process = self._jobs.get(job)
        stranger = self._adopted.get(job)
        if process is not None and process.poll() is None:
            pidfd = os.pidfd_open(process.pid)
            try:
                await _end(pidfd, process.send_signal)
            finally:
                os.close(pidfd)
            process.poll()
        elif stranger is not None:
            await _end(stranger.pidfd, stranger.send)
        await self._sweep(job)
        if stranger is not None:
            self._forget(job)

    def _forget(self, job: JobId) -> None:
        self._jobs.pop(job, None)
        stranger = self._adopted.pop(job, None)
        if stranger is not None:
            stranger.close()

    async def _sweep(self, job: JobId) -> None:
        mark = f"DFM_JOB={job}".encode()
        killed: set[int] = set()
        while (left := processes.marked(mark)) or any(_dies(pid, killed) for pid in killed):
            killed |= processes.send(left, signal.SIGKILL)
            await asyncio.sleep(_AGAIN_S)
        ours = {process.pid for process in self._jobs.values()}
        for pid in self._children.pids() if self._children else ():
            if pid not in ours:
                processes.reap(pid)


def _dies(pid: int, killed: Collection[int]) -> bool:
    """Whether it is on its way to be a zombie: it shows no environment then.

    One that is no child of ours, nor will be when its parent has died, is somebody else's to wait for.
    """
    process = processes.look(pid)
    return process is not None and process.state != "Z" and process.parent in {os.getpid(), *killed}


async def _end(pidfd: int, send: Callable[[signal.Signals], None]) -> None:
    send(signal.SIGTERM)
    try:
        async with asyncio.timeout(_GRACE_S):
            await _exit_of(pidfd)
    except TimeoutError:
        send(signal.SIGKILL)
        await _exit_of(pidfd)


async def _exit_of(pidfd: int) -> None:
    """Until this process, a child of ours or not, has ended."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def note() -> None:
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(pidfd, note)
    try:
        await ended
    finally:
        loop.remove_reader(pidfd)
