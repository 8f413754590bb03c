"""Looks for the daemon: where the project's state says that it is, and whether it answers there.

A connection can take seconds to fail, and tasks go on meanwhile: a thread waits for it.
"""

import os
import socket
from collections.abc import Callable, Sequence

from dfm.errors import DaemonError
from dfm_worker.connection import connect
from dfm_worker.loop import Loop

Addresses = Sequence[tuple[str, int]]


class Search:
    """Where a worker's daemon may be. `given`: where it was when the worker was launched."""

    def __init__(self, loop: Loop, given: Addresses, credentials: str) -> None:
        self._loop = loop
        self._given = given
        self._credentials = credentials
        self._daemon_json = os.path.join(
            os.path.dirname(os.path.dirname(os.path.abspath(credentials))), "daemon.json"
        )

    def is_hopeless(self) -> bool:
        """The credentials are gone, as after a clean stop: no daemon will know this worker."""
        try:
            os.stat(self._credentials)
        except FileNotFoundError:
            return True
        except OSError:
            pass  # a filesystem that is away for a while
        return False

    def connect(self) -> socket.socket:
        """Raises DaemonError when no daemon of this project answers."""
        return connect(self._addresses(), self._credentials)

    def begin(self, found: Callable[[socket.socket | None], None]) -> None:
        """Looks once, and calls `found` in the loop."""
        import threading  # most workers never lose their daemon

        answer: list[socket.socket | None] = []
        reader, writer = os.pipe2(os.O_CLOEXEC)

        def look() -> None:
            try:
                answer.append(self.connect())
            except DaemonError:
                answer.append(None)
            finally:
                os.close(writer)

        def done() -> None:
            self._loop.remove_reader(reader)
            os.close(reader)
            found(answer[0] if answer else None)

        self._loop.add_reader(reader, done)
        threading.Thread(target=look, daemon=True).start()

    def _addresses(self) -> Addresses:
        """Of the newest daemon; a file that is not there or not whole says nothing."""
        import json

        try:
            with open(self._daemon_json, encoding="utf-8") as file:
                said = json.load(file)["addresses"]
            return [(str(host), int(port)) for host, port in said]
        except (OSError, ValueError, KeyError, TypeError):
            return self._given
