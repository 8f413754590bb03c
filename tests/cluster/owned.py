"""Processes that belong to a cluster's folder, whoever started them and wherever they went.

Daemons have the folder in their command lines, jobs and slurmstepds in their environments.
"""

import os
import signal
import time
from pathlib import Path

import psutil

_PATIENCE_S = 20.0


def owned(folder: Path, node: str = "") -> list[int]:
    """Pids of all processes of a cluster that live, or of one of its nodes."""
    mark = f"{folder}/".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        words, environ = _read(name, "cmdline"), _read(name, "environ")
        if not words or not _is_ours(mark, words, environ):
            continue  # no words: a zombie
        if not node or _is_of(folder, node, name, environ):
            found.append(int(name))
    return found


def kill(pids: list[int], number: int = signal.SIGKILL) -> None:
    """Sends the signal; who is gone already is no error."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def end_all(folder: Path, node: str = "") -> None:
    """Kills until nothing is left: what is killed may have started something in the meantime."""
    deadline = time.monotonic() + _PATIENCE_S
    while left := [pid for pid in owned(folder, node) if _lives(pid)]:
        assert time.monotonic() < deadline, f"cannot kill {left} of {folder}"
        kill(left)
        time.sleep(0.01)


def _is_ours(mark: bytes, words: bytes, environ: bytes) -> bool:
    """A daemon by its words, a job by the configuration that slurmd gave it."""
    daemon = words.startswith((b"slurm", b"munged", b"/usr/sbin/")) and mark in words
    whole = b"\0" + environ
    job = b"\0SLURM_CONF=" + mark in whole and b"\0SLURM_JOB_ID=" in whole
    lsf = b"\0LSB_JOBFILENAME=" + mark in whole
    step = words.startswith(b"slurmstepd") and b"SLURM_CONF=" + mark in environ
    return daemon or step or job or lsf


def _is_of(folder: Path, node: str, pid: str, environ: bytes) -> bool:
    """A job by its environment; slurmd and its slurmstepds by the log of the node, which they have open."""
    name, whole = node.encode(), b"\0" + environ
    marks = (
        b"SLURMD_NODENAME=%s\0",
        b"SLURM_JOB_NODELIST=%s\0",
        b"LSB_HOSTS=%s\0",
        b"LSB_HOSTS=%s ",
    )
    if any(b"\0" + mark % name in whole for mark in marks):
        return True
    log = f"{folder}/slurmd-{node}.log"
    try:
        return any(os.readlink(file) == log for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _read(pid: str, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
