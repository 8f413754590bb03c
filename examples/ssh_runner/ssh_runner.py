"""The runner `ssh`: workers on a list of hosts that share the project's folder.

A job is named HOST+PID, so it is found again by whoever knows its name: there is no state to keep.
"""

import asyncio
import itertools
import shlex
import shutil
from collections.abc import Mapping, Sequence
from typing import ClassVar

from dfm.config.fields import Field, Kind, Section, Value
from dfm.errors import RunnerError
from dfm.runners.base import JobId, JobState, JobStatus, WorkerRequest

# A session of its own, which says its number and writes the rest into JOB.log.
START = 'echo $$; exec >"$0+$$.log" 2>&1 </dev/null; exec "$@"'
# A worker gives its tasks 5 s of the 10.
END = """kill -TERM {pids}; for i in $(seq 100); do ps -o pid= -p {listed} || exit 0; sleep 0.1; done
kill -KILL {pids}"""


class SshRunner:
    """One daemon's jobs on these hosts."""

    section: ClassVar[Section] = Section(
        (
            Field("hosts", Kind.TEXTS, (), "hosts that workers are started on, in turn"),
            Field("ssh_cmd", Kind.TEXT, "ssh -o BatchMode=yes", "how to reach them", 1),
        )
    )

    def __init__(self, settings: Mapping[str, Value]) -> None:
        hosts = settings["hosts"]
        assert isinstance(hosts, tuple)
        self._ssh = shlex.split(str(settings["ssh_cmd"]))
        self._hosts = [str(host) for host in hosts]
        self._turn = itertools.cycle(self._hosts)

    def unusable(self) -> str | None:
        if not self._hosts:
            return "runner.ssh.hosts names no host"
        return None if shutil.which(self._ssh[0]) else f"{self._ssh[0]}: not found on PATH"

    async def submit(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        starts = [self._start(next(self._turn), request) for request in requests]
        jobs = await asyncio.gather(*starts, return_exceptions=True)
        failed = [job for job in jobs if isinstance(job, BaseException)]
        if failed:  # all or none: nobody would hear of the others
            await self.cancel([job for job in jobs if not isinstance(job, BaseException)])
            raise failed[0]
        return [job for job in jobs if not isinstance(job, BaseException)]

    async def poll(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        found = dict.fromkeys(jobs, JobStatus(JobState.UNKNOWN))  # of a host that does not answer
        for host, pids in _by_host(jobs).items():
            status, out, _ = await self._run(host, f"ps -o sid= -p {','.join(pids)}")
            if status in (0, 1):  # 1: none of them lives
                gone = JobStatus(JobState.GONE, f"it does not run on {host} any more")
                alive = JobStatus(JobState.RUNNING)
                found |= {_job(host, pid): alive if pid in out.split() else gone for pid in pids}
        return found

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        await asyncio.gather(*(self._end(host, pids) for host, pids in _by_host(jobs).items()))

    async def _start(self, host: str, request: WorkerRequest) -> JobId:
        words = ["setsid", "sh", "-c", START, f"{request.log_folder}/{host}", *request.command]
        status, out, err = await self._run(host, f"{shlex.join(words)} &")
        if status or not out.strip().isdecimal():
            raise RunnerError(f"cannot start a worker on {host}: {err.strip() or out.strip()}")
        return _job(host, out.strip())

    async def _end(self, host: str, pids: Sequence[str]) -> None:
        script = END.format(pids=" ".join(pids), listed=",".join(pids))
        status, _, err = await self._run(host, shlex.join(["sh", "-c", script]))
        if status == 255:
            raise RunnerError(f"cannot end workers on {host}: {err.strip()}")

    async def _run(self, host: str, command: str) -> tuple[int, str, str]:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        ssh = await asyncio.create_subprocess_exec(
            *self._ssh, host, command, stdin=null, stdout=pipe, stderr=pipe
        )
        out, err = await ssh.communicate()
        return ssh.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def _job(host: str, pid: str) -> JobId:
    return JobId(f"{host}+{pid}")


def _by_host(jobs: Sequence[JobId]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for job in jobs:
        host, _, pid = job.rpartition("+")
        found.setdefault(host, []).append(pid)
    return found
