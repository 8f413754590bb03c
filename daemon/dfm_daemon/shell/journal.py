"""Which workers the daemon has launched: what nobody else knows once it is killed.

Lines are appended before a submission, after it, when a worker joins and when its job is over; those
of one batch are one write. Nothing is forced to the disk: the file has to outlive the process, not
the host. A last line that is not whole is ignored.
"""

import dataclasses
import json
import logging
import os
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dfm.errors import DaemonError
from dfm_daemon.core.settings import Survivor
from dfm_daemon.core.state import Shape, WorkerName

log = logging.getLogger(__name__)

_SPARE_LINES = 1000  # of workers that are gone, before the file is written anew


class _Entry(NamedTuple):
    runner: str
    survivor: Survivor


class Journal:
    """The file of one project. The constructor reads it, and writes what still counts."""

    def __init__(self, path: str) -> None:
        """Raises DaemonError."""
        self.launched = 0  # the number of the newest worker
        self.mark = secrets.token_hex(4)  # in the names of jobs: whose they are
        self._path = path
        self._workers: dict[WorkerName, _Entry] = {}
        self._unwritten = bytearray()
        self._lines = 0
        self._trouble = ""
        self._fd = -1
        try:
            self.was_there = self._read()
            self._rewrite()
        except OSError as error:
            raise DaemonError(f"cannot read and write {path}: {error.strerror}") from error

    def survivors(self, own: str) -> tuple[Survivor, ...]:
        """The workers whose jobs may live. `own`: the runner of shapes that name none."""
        return tuple(_named(entry, own) for entry in self._workers.values())

    def launching(
        self, runner: str, workers: Sequence[WorkerName], shape: Shape, slots: int
    ) -> None:
        self._note("launching", runner, workers, shape, slots)

    def launched_as(self, workers: Sequence[WorkerName], jobs: Sequence[str]) -> None:
        self._note("jobs", workers, jobs)

    def joined(self, worker: WorkerName) -> None:
        self._note("joined", worker)

    def over(self, workers: Iterable[WorkerName]) -> None:
        self._note("over", list(workers))

    def flush(self) -> None:
        """To be called before anybody can act on what was noted."""
        if not self._unwritten:
            return
        try:
            while self._unwritten:
                del self._unwritten[: os.write(self._fd, self._unwritten)]
            if self._lines > _SPARE_LINES + 4 * len(self._workers):
                self._rewrite()
            self._trouble = ""
        except OSError as error:  # we go on: only a kill before it is better would lose jobs
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("cannot write %s: %s", self._path, error)

    def close(self) -> None:
        os.close(self._fd)

    def _note(self, *words: Any) -> None:
        self._take(*words)
        self._unwritten += json.dumps(words).encode() + b"\n"
        self._lines += 1

    def _take(self, what: str, *words: Any) -> None:
        match what, words:
            case "mark", (mark,):
                self.mark = mark
            case "count", (number,):
                self.launched = number
            case "launching", (runner, workers, shape, slots):
                made = _shape(shape)
                for name in map(WorkerName, workers):
                    self._workers[name] = _Entry(runner, Survivor(name, made, slots, "", False))
                    self.launched = max(self.launched, int(name[1:]))
            case "jobs", (workers, jobs):
                for name, job in zip(workers, jobs, strict=True):
                    self._change(name, job=job)
            case "joined", (name,):
                self._change(name, has_joined=True)
            case "over", (workers,):
                for name in workers:
                    self._workers.pop(name, None)
            case _:
                raise ValueError(f"the journal speaks of `{what}`")

    def _change(self, name: WorkerName, *, job: str = "", has_joined: bool = False) -> None:
        entry = self._workers.get(name)
        if entry is not None:
            known = entry.survivor
            changed = Survivor(
                name, known.shape, known.slots, job or known.job, has_joined or known.has_joined
            )
            self._workers[name] = _Entry(entry.runner, changed)

    def _read(self) -> bool:
        try:
            with open(self._path, encoding="utf-8") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            return False
        for line in lines[:-1]:  # what follows the last newline was not written to its end
            try:
                self._take(*json.loads(line))
            except (ValueError, TypeError):
                continue
        return True

    def _rewrite(self) -> None:
        """Only what still counts; a reader sees the old file or the new one."""
        lines: list[tuple[Any, ...]] = [("mark", self.mark), ("count", self.launched)]
        for runner, worker in self._workers.values():
            lines.append(("launching", runner, [worker.name], worker.shape, worker.slots))
            if worker.job:
                lines.append(("jobs", [worker.name], [worker.job]))
            if worker.has_joined:
                lines.append(("joined", worker.name))
        temporary = f"{self._path}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o600)
        os.write(fd, "".join(json.dumps(line) + "\n" for line in lines).encode())
        os.replace(temporary, self._path)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        self._lines = len(lines)


def _shape(fields: Sequence[Any]) -> Shape:
    made = Shape(*fields)
    return made._replace(
        resource_select=tuple(made.resource_select),
        options=tuple((key, value) for key, value in made.options),
    )


def _named(entry: _Entry, own: str) -> Survivor:
    survivor = entry.survivor
    if survivor.shape.runner or entry.runner == own:
        return survivor
    return dataclasses.replace(survivor, shape=survivor.shape._replace(runner=entry.runner))
