"""Processes that a daemon before this one has started: they are no children of ours."""

import os
import select
import signal
from collections.abc import Collection, Iterator

from dfm_worker import processes

MARK = "DFM_JOB_PROCESS"  # the job's id, in the environment of its own process and of no other


class Adopted:
    """A process by its descriptor (pidfd_open(2)), which no other process can come to be."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.pidfd = pidfd

    def has_ended(self) -> bool:
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0)) or not _job_of(self.pid)

    def send(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            pass

    def close(self) -> None:
        os.close(self.pidfd)


def find(jobs: Collection[str]) -> Iterator[tuple[str, Adopted]]:
    """The processes of those of these jobs that live, by one look at all processes of this host.

    What such a process starts shows the same environment until its exec: it is told by its parent,
    and where that has just died, by the mark that it does not show any more at the next look.
    """
    for name in os.listdir("/proc"):
        job = _job_of(int(name)) if name.isdigit() else ""
        if job not in jobs:
            continue
        try:
            pidfd = os.pidfd_open(int(name))
        except OSError:
            continue
        process = processes.look(int(name))
        is_first = process is not None and _job_of(process.parent) != job
        if is_first and _job_of(int(name)) == job:  # it is the process that was looked at
            yield job, Adopted(int(name), pidfd)
        else:
            os.close(pidfd)


def _job_of(pid: int) -> str:
    return (processes.variable(pid, MARK.encode()) or b"").decode(errors="replace")
