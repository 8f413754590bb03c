"""Whether the processes of clients live: one whose connection ended may come back, a dead one not."""

import asyncio
import os
from collections.abc import Callable

from dfm_daemon.core.state import RunId


class Lives:
    """A descriptor of each run's process (pidfd_open(2)), if it is one of this host."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pidfds: dict[RunId, int] = {}

    def begin(self, run: RunId, pid: int) -> None:
        self.forget(run)
        try:
            self._pidfds[run] = os.pidfd_open(pid)
        except (OSError, ValueError):
            pass  # of another namespace, or dead already: then the grace time has to do

    def when_dead(self, run: RunId, call: Callable[[], None]) -> None:
        """Calls once, unless the run is forgotten or begins again before that."""
        pidfd = self._pidfds.get(run)
        if pidfd is None:
            return

        def dead() -> None:
            self.forget(run)
            call()

        self._loop.add_reader(pidfd, dead)

    def forget(self, run: RunId) -> None:
        pidfd = self._pidfds.pop(run, None)
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
