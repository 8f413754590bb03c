"""Streams the log of a task, to its end or for as long as the task runs. Logs may be huge, or no text."""

import os
import time
from collections.abc import Callable

from dfm.engine.locks import is_run_in
from dfm.engine.task_logs import TaskLog

_BLOCK = 256 * 1024
_KNOWN_BY = 256  # bytes by which a log that was read is known again
_LARGE = 1024 * 1024  # bytes; a shorter log was not cut to its limit
_LOOK_S = 0.2  # between two looks: nothing tells of changes on a shared filesystem


def print_log(log: TaskLog, out: int, lines: int | None) -> None:
    """Writes the log, or its last lines, to the descriptor. Raises OSError."""
    with open(log.path, "rb", buffering=0) as file:
        _copy(file.fileno(), _start(file.fileno(), lines), out)


def follow(
    log: TaskLog, rundir: str, out: int, lines: int | None, say: Callable[[str], None]
) -> None:
    """Writes the log and what is added, until the task has ended. `say` gets lines for people.

    Raises OSError.
    """
    if not os.path.exists(log.path):
        say(f"{log.task} has not started yet: waiting for it (Ctrl-C gives up)")
        while not os.path.exists(log.path):
            time.sleep(_LOOK_S)
    tail = Tail(log, out, lines, say)
    while not (has_ended := log.has_ended()) and is_run_in(rundir):
        tail.go_on()
        time.sleep(_LOOK_S)
    has_ended = has_ended or log.has_ended()  # by the last that its run did
    tail.go_on()
    if not has_ended:
        say(f"{log.task} has not ended, and no `dfm run` is at work in {rundir} any more")


class Tail:
    """How far a log was written out."""

    def __init__(
        self, log: TaskLog, out: int, lines: int | None, say: Callable[[str], None]
    ) -> None:
        self._log = log
        self._out = out
        self._lines = lines
        self._say = say
        self._position: int | None = None
        self._last = b""  # bytes before it

    def go_on(self) -> None:
        """Opens it anew: with NFS that is when what others have added is looked for."""
        try:
            fd = os.open(self._log.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # `--clean`: another one will be made
            return
        try:
            if self._position is None:
                self._position = _start(fd, self._lines)
            else:
                self._position = self._next(fd, self._position)
            self._position = _copy(fd, self._position, self._out)
            self._last = self._before(fd)
        finally:
            os.close(fd)

    def _next(self, fd: int, position: int) -> int:
        """Where to go on: at the position, unless the log was emptied, or cut in its middle."""
        size = os.fstat(fd).st_size
        if position <= _LARGE:  # it may have been emptied and have grown again
            is_same = self._before(fd) == self._last
        else:
            is_same = size >= position
        if is_same:
            return position
        if size > _LARGE:  # over `task_log_limit`; its tail is still there
            begin = size - _LARGE
            place = os.pread(fd, _LARGE, begin).rfind(self._last)
            return begin + place + len(self._last) if place >= 0 else size
        self._say(f"{self._log.task} has started anew")
        return 0

    def _before(self, fd: int) -> bytes:
        """The bytes in front of the position, as far as they are still there."""
        begin = max(0, (self._position or 0) - _KNOWN_BY)
        return os.pread(fd, (self._position or 0) - begin, begin)


def _copy(fd: int, position: int, out: int) -> int:
    """What there is from a position on; returns the next one."""
    while data := _read(fd, position := _behind_hole(fd, position)):
        position += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(out, rest) :]
    return position


def _read(fd: int, position: int) -> bytes:
    """Some bytes, at most up to a hole."""
    try:
        end = os.lseek(fd, position, os.SEEK_HOLE)
    except OSError:  # at the end; or a filesystem that knows of no holes
        return os.pread(fd, _BLOCK, position)
    return os.pread(fd, min(_BLOCK, end - position), position)


def _behind_hole(fd: int, position: int) -> int:
    """A hole is what was left out of a log that is too long."""
    try:
        return os.lseek(fd, position, os.SEEK_DATA)
    except OSError:
        return position


def _start(fd: int, lines: int | None) -> int:
    """The position at which so many last lines begin."""
    if lines is None:
        return 0
    end = size = os.fstat(fd).st_size
    wanted = lines
    if lines and size and os.pread(fd, 1, size - 1) != b"\n":
        wanted -= 1  # the last line has no end yet
    if not lines:
        return size
    while end > 0:
        begin = max(0, end - _BLOCK)
        block = os.pread(fd, end - begin, begin)
        end = begin
        place = len(block)
        while (place := block.rfind(b"\n", 0, place)) >= 0:
            if wanted == 0:
                return begin + place + 1
            wanted -= 1
    return 0
