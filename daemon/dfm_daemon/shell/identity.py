"""Who the daemon of a project is: the lock that makes it the only one, and `daemon.json`."""

import fcntl
import json
import os
from collections.abc import Mapping
from typing import Any

from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError


class Lock:
    """A record lock (fcntl(2)) for the daemon's whole life; it goes with the process, on NFS too."""

    def __init__(self, state: StateFolder) -> None:
        """Raises DaemonError if another daemon of this project has it."""
        self._path = state.lock
        while True:
            self._fd = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(self._fd)
                raise DaemonError(
                    f"another daemon of {state.project} runs: it holds {state.lock}"
                ) from None
            if self._is_in_place():
                return
            os.close(self._fd)  # of a daemon that ended, and removed it, between our two calls

    def _is_in_place(self) -> bool:
        try:  # by status: closing another descriptor of the file would give the lock back
            return os.path.samestat(os.fstat(self._fd), os.stat(self._path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        if self._is_in_place():  # else somebody removed it, and it may be another daemon's by now
            os.unlink(self._path)
        os.close(self._fd)


def write(state: StateFolder, document: Mapping[str, Any], *, for_others: bool = False) -> None:
    """Writes `daemon.json` so that a reader sees all of it or none. It holds no secret."""
    temporary = f"{state.daemon_json}.{os.getpid()}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "w") as file:
        if for_others:
            os.fchmod(fd, 0o644)
        json.dump(document, file, indent=1)
        file.write("\n")
    os.replace(temporary, state.daemon_json)


def hide(state: StateFolder, socket: str) -> None:
    """Removes what says where a daemon is, and keeps what the next one is recognised by."""
    for path in (state.daemon_json, socket):
        _unlink(path)


def remove(state: StateFolder, socket: str, *, keep_journal: bool = False) -> None:
    """Removes what a daemon leaves, but for its logs. Its workers, if any live, end by that."""
    hide(state, socket)
    if not keep_journal:
        _unlink(state.journal)
    if os.path.dirname(socket) != state.path:
        try:
            os.rmdir(os.path.dirname(socket))
        except OSError:
            pass  # whatever else is in there is not ours
    try:
        for name in os.listdir(state.credentials):
            os.unlink(os.path.join(state.credentials, name))
        os.rmdir(state.credentials)
    except FileNotFoundError:
        pass


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
