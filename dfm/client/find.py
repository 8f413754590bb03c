"""Whether a project has a daemon, and where: what `daemon.json` says against what answers."""

import fcntl
import json
import os
import socket
from typing import Any, NamedTuple

from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError


class Found(NamedTuple):
    """What `daemon.json` says."""

    pid: int
    host: str
    socket: str
    runner: str
    document: dict[str, Any]

    @property
    def is_here(self) -> bool:
        return self.host == socket.gethostname()


def find(state: StateFolder) -> Found | None:
    """The daemon that the project's folder speaks of; whether it lives is another question.

    Raises DaemonError if the file cannot be read.
    """
    try:
        with open(state.daemon_json, encoding="utf-8") as file:
            document = json.load(file)
        return Found(
            document["pid"], document["host"], document["socket"], document["runner"], document
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DaemonError(
            f"{state.daemon_json} cannot be read: {error}",
            hint="if no daemon runs, remove the file",
        ) from None


def look(state: StateFolder) -> socket.socket | None:
    """A connection to the daemon of this host that the folder speaks of; None if there is none."""
    found = find(state)
    return connect(found.socket) if found is not None and found.is_here else None


def is_locked(state: StateFolder) -> bool:
    """Whether a process holds the daemon's lock: one that does not answer may still live."""
    try:
        fd = os.open(state.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def connect(path: str) -> socket.socket | None:
    """A connection to a daemon's socket; None if nobody listens there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return connection
