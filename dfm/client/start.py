"""Starts a daemon as a process of its own, and waits until it serves."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError

_START_S = 60.0
_LOG_LINES = 10


class Request(NamedTuple):
    """What a daemon is started with."""

    runner: str | None = None
    pool_size: int | None = None
    runner_options: Sequence[str] = ()
    is_ephemeral: bool = False


def command(state: StateFolder, request: Request) -> list[str]:
    """The words of the daemon's process."""
    words = [sys.executable, "-m", "dfm_daemon", "--root", state.project, "--state", state.path]
    if request.runner is not None:
        words += ["--runner", request.runner]
    if request.pool_size is not None:
        words += ["--pool-size", str(request.pool_size)]
    for option in request.runner_options:
        words += ["--runner-opt", option]
    return words + (["--ephemeral"] if request.is_ephemeral else [])


def start(state: StateFolder, request: Request) -> subprocess.Popen[bytes]:
    """Starts a daemon in the background and returns its process once it accepts connections.

    Raises DaemonError with what the daemon said, or with the end of its log.
    """
    state.make()
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as answer:
        try:
            with open(state.log, "ab", opener=_private) as log:
                process = subprocess.Popen(
                    [*command(state, request), "--ready-fd", str(writer)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=state.project,
                    start_new_session=True,
                    pass_fds=(writer,),
                )
        except OSError as error:
            raise DaemonError(f"cannot start a daemon: {error}") from None
        finally:
            os.close(writer)
        said = _wait(answer.fileno())
    if said == "ready":
        return process
    if said is None:
        process.kill()
        process.wait()
        said = f"it was not ready after {_START_S:.0f} s"
    else:
        process.wait()
    is_told = said.startswith("failed ")
    raise DaemonError(
        f"the daemon did not start: {said.removeprefix('failed').strip() or 'it ended at once'}",
        hint="" if is_told else f"the end of {state.log}:\n{_end_of(state.log)}",
    )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _wait(fd: int) -> str | None:
    """What the daemon says first; empty if it ended without a word, None if it takes too long."""
    deadline = time.monotonic() + _START_S
    while (left := deadline - time.monotonic()) > 0:
        if select.select([fd], [], [], left)[0]:
            return os.read(fd, 1 << 16).decode(errors="replace")
    return None


def _end_of(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-_LOG_LINES:]).rstrip("\n")
    except OSError:
        return ""
