"""What a daemon leaves that was killed: its workers go on, and wait for the next one."""

import os
import subprocess
import sys
from typing import IO

from dfm.client.find import is_locked
from dfm.config.state_folder import StateFolder


def command(state: StateFolder, *words: str) -> list[str]:
    """What lists and ends the jobs that daemons of a project have left: a part of the daemon's program,
    which alone reads their journals."""
    return [sys.executable, "-m", "dfm_daemon.gc", "--root", state.project, *words]


def end(state: StateFolder, says: IO[str]) -> int:
    """Ends those of the daemon that had this state, and says which. Returns the exit status: 1 if one
    cannot be ended, which it says on standard error."""
    words = command(state, "--state", state.path)
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=says).returncode


def remove(state: StateFolder) -> bool:
    """Tells the workers of a daemon that is gone that none will follow: without the credentials they
    end, with their tasks, at their next look. False if nothing was left, or a daemon has begun."""
    paths = [state.daemon_json, state.journal]
    try:
        paths += [os.path.join(state.credentials, name) for name in os.listdir(state.credentials)]
    except FileNotFoundError:
        pass
    if is_locked(state):
        return False
    removed = [
        _unlink(path) for path in [*paths, state.lock, os.path.join(state.path, "daemon.sock")]
    ]
    try:
        os.rmdir(state.credentials)
    except OSError:
        pass
    return any(removed)


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True
