"""What a daemon leaves that was killed: its workers go on, and wait for the next one."""

import os

from dfm.client.find import is_locked
from dfm.config.state_folder import StateFolder


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
