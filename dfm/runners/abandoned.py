"""Submissions that a daemon had begun when it was killed: its sbatch or bsub outlives it.

One that is slow, or waits until its scheduler is back, would submit jobs that nobody wants any more,
after whoever comes next has looked for them. So it is ended first, with the wrapper that called it.
"""

import os
import select
import signal

from dfm.runners.command import SUBMITS_FOR

_DEATH_S = 5.0  # for a process that was killed
# What is submitted inherits the mark; but it is in a job, and what submits never is.
_OF_JOBS = (b"SLURM_JOB_ID=", b"LSB_JOBID=")


def end_submissions(daemon: str) -> int:
    """Ends the submissions of the daemon of this mark on this host; returns how many processes."""
    ended: set[int] = set()
    while found := [pid for pid in _submitting(daemon) if pid not in ended]:
        ended.update(found)  # and what they have started meanwhile, next
        for pid in found:
            _end(pid)
    return len(ended)


def _end(pid: int) -> None:
    """Returns when it is gone, or hangs in the kernel."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], _DEATH_S)
    except ProcessLookupError:
        pass
    finally:
        os.close(process)


def _submitting(daemon: str) -> list[int]:
    mark = f"{SUBMITS_FOR}={daemon}".encode()
    return [
        int(name)
        for name in os.listdir("/proc")
        if name.isdigit() and mark in (words := _environment(name)) and not _is_in_job(words)
    ]


def _is_in_job(words: list[bytes]) -> bool:
    return any(word.startswith(_OF_JOBS) for word in words)


def _environment(pid: str) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []  # it is gone, or of somebody else
