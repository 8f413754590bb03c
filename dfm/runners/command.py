"""Runs one command of a scheduler, with a timeout, and without stopping the loop meanwhile.

In a thread: uvloop's own subprocesses fork, which costs a daemon of some size dearly. There are few
of these, since a scheduler that is asked by many at once gets slower for everybody. What heavy
modules this needs it imports late: whoever only reads a configuration comes by here.
"""

import functools
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dfm.errors import RunnerError

if TYPE_CHECKING:
    import subprocess
    from concurrent.futures import ThreadPoolExecutor

TIMEOUT_S = 40.0  # twice this is less than what the daemon gives a verb
SUBMITS_FOR = "DFM_SUBMITS_FOR"  # in the environment of a command that submits: the daemon's mark
_AT_ONCE = 4
_SHOWN = 2000  # characters of an answer that is quoted
_SHOWN_COMMAND = 6000

# A user's own defaults and what a job inherits would silently become part of what we ask for.
_FOREIGN = ("SBATCH_", "SLURM_", "SQUEUE_", "SCANCEL_", "LSB_", "BSUB_")
_FOREIGN_NAMES = {"DFM_JOB", "MAKEFLAGS", "MFLAGS"}
# Where the scheduler is, and who asks; and defaults that a site's users rely on.
_KEPT = {
    "SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT", "LSB_DEFAULTQUEUE", "LSB_DEFAULTPROJECT",
    "LSB_DEFAULT_USERGROUP", "LSB_NTRIES", "LSB_API_CONNTIMEOUT", "LSB_API_RECVTIMEOUT",
}  # fmt: skip


class NoAnswer(RunnerError):
    """What was asked for may have been done, now or later, or not at all."""

    retryable = True


class Output(NamedTuple):
    """What a command said before it ended."""

    command: tuple[str, ...]
    status: int
    out: str
    err: str

    def words(self) -> str:
        """The scheduler's own; of an answer that is endless its end."""
        return _words(self.err, self.out) or f"exit status {self.status}, without a word"


def unusable(*commands: str) -> str | None:
    """Why these cannot be called; None if they can."""
    for command in commands:
        try:
            words = shlex.split(command)
        except ValueError as error:
            return f"`{command}`: {error}"
        if not words:
            return "a command is empty"
        if shutil.which(words[0]) is None:
            return f"{words[0]}: not found" + ("" if "/" in words[0] else " on PATH")
    return None


async def run(
    command: Sequence[str], timeout_s: float = TIMEOUT_S, *, submits_for: str = ""
) -> Output:
    """Its answer, whatever its status. Raises NoAnswer after `timeout_s`, RunnerError if it cannot start.
    `submits_for`: the daemon for which it submits; if that is killed, another can find this command."""
    import asyncio

    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), _run, tuple(command), timeout_s, submits_for)


def shown(command: Sequence[str]) -> str:
    """The hint that every error has: what was run, as one could paste it."""
    return f"command: {shlex.join(command)}"[:_SHOWN_COMMAND]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what would change the meaning of a command."""
    return {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not (name in _FOREIGN_NAMES or name.startswith(_FOREIGN))
    }


@functools.cache
def _threads() -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_AT_ONCE, "scheduler")


def _run(command: tuple[str, ...], timeout_s: float, submits_for: str) -> Output:
    import subprocess

    mark = {SUBMITS_FOR: submits_for} if submits_for else {}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(os.environ) | mark,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise RunnerError(
            f"cannot run {command[0]}: {error.strerror}", hint=shown(command)
        ) from None
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        said = _kill(process)
        what = f"{command[0]} did not answer in {timeout_s:g} s{said}"
        raise NoAnswer(what, hint=shown(command)) from None
    return Output(command, process.returncode, out, err)


def _kill(process: "subprocess.Popen[str]") -> str:
    """Ends a command that hangs, wrapper and all; returns what it had said."""
    import signal
    import subprocess

    os.killpg(process.pid, signal.SIGKILL)
    try:
        out, err = process.communicate(timeout=1.0)
    except subprocess.TimeoutExpired:  # something that left the group holds the pipes
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        process.wait()
        return ""
    text = _words(err, out)
    return f": {text}" if text else ""


def _words(err: str, out: str) -> str:
    """What a command said, each line once: one that waits says so again and again."""
    text = err.strip() or out.strip()
    return "\n".join(dict.fromkeys(text.splitlines()))[-_SHOWN:]
