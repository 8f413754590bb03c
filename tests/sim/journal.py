"""What a simulated daemon writes down, as `shell/journal.py` does: it outlives the daemon."""

from collections.abc import Iterable
from dataclasses import replace

from dfm_daemon.core.settings import Survivor
from dfm_daemon.core.state import Shape, WorkerName


class Journal:
    """Nothing of it is ever lost: the real one is written before anybody can act on it."""

    def __init__(self) -> None:
        self.launched = 0
        self.workers: dict[WorkerName, Survivor] = {}

    def launching(self, names: Iterable[WorkerName], shape: Shape, slots: int) -> None:
        for name in names:
            self.workers[name] = Survivor(name, shape, slots, "", has_joined=False)
            self.launched = max(self.launched, int(name[1:]))

    def launched_as(self, name: WorkerName, job: str) -> None:
        if name in self.workers:
            self.workers[name] = replace(self.workers[name], job=job)

    def joined(self, name: WorkerName) -> None:
        if name in self.workers:
            self.workers[name] = replace(self.workers[name], has_joined=True)

    def over(self, name: str) -> None:
        self.workers.pop(WorkerName(name), None)
