"""Whether a project has a daemon, and where: what `daemon.json` says against what answers.

A pid proves nothing: it may be another process by now. A daemon of this host lives if it answers at
its socket or holds its lock; whether one of another host lives, only that host can say.
"""

import fcntl
import json
import os
import socket
from typing import Any, NamedTuple

from dfm.client.line import Elsewhere, Here, Line
from dfm.config.state_folder import StateFolder
from dfm.config.this_host import boot_id, host_name
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
        return self.host == host_name()

    @property
    def is_of_this_boot(self) -> bool:
        return bool(self.document.get("boot")) and self.document["boot"] == boot_id()


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
    except PermissionError as error:
        raise DaemonError(
            f"{error.filename} is closed to this user",
            hint="runner.daemon.allow_users of the project lets others use its daemon",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DaemonError(
            f"{state.daemon_json} cannot be read: {error}",
            hint="if no daemon runs, remove the file",
        ) from None


def reach(state: StateFolder) -> Line | None:
    """A line to the daemon of this project; None if it has none that lives.

    Raises DaemonError for one that holds its lock and is silent. One of another host counts as
    living: whether it answers shows when the line is used.
    """
    found = find(state)
    if found is None:
        return None
    if found.is_here or found.is_of_this_boot:  # a host may get another name while it runs
        connection = connect(found.socket)
        if connection is not None:
            return Here(connection)
    if not found.is_here:
        return Elsewhere.of(found.document, state)
    if is_locked(state):
        raise DaemonError(
            f"the daemon of {state.project} (pid {found.pid}) does not answer",
            hint=f"its log: {state.log}; `--runner local` runs tasks without it",
        )
    return None


def remove_stale(state: StateFolder) -> None:
    """Removes what a daemon left that does not live. Raises DaemonError."""
    try:
        os.unlink(state.daemon_json)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise DaemonError(f"cannot remove {state.daemon_json}: {error.strerror}") from None


def is_locked(state: StateFolder) -> bool:
    """Whether a process holds the daemon's lock: one that does not answer may still live.

    Of a lock that we may not look at we do not know: it counts as held.
    """
    try:
        fd = os.open(state.lock, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        return True
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
    except PermissionError:
        connection.close()
        raise DaemonError(
            f"the daemon's socket {path} is closed to this user",
            hint="runner.daemon.allow_users of the project lets others use its daemon",
        ) from None
    except OSError:
        connection.close()
        return None
    return connection
