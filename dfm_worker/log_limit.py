"""Bounds the log of a task: of one that grows over its limit, head and tail are kept.

The task writes its log itself, so that it can only be looked at: once a second while tasks run, and
once at a task's end. While the task runs the middle is given back to the filesystem as a hole; the
disk holds the limit and what is written in a second. In the end the log is head, a mark, and tail.

On a filesystem without holes (NFS before 4.2, ramfs) the log is cut behind its head instead, time
and again: since tasks append, they go on from there. What they write between two calls of ours is
then lost uncounted or out of order, and the tail may be as short as `_KEPT`.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Iterator

from dfm_worker.loop import EventLoop, Handle

_INTERVAL_S = 1.0
_LINE = 64 * 1024  # bytes within which a cut looks for the end of a line
_KEPT = 64 * 1024  # bytes of the tail where there are no holes
_ROOM = 256  # bytes at least that a mark takes the place of
_BLOCK = 64 * 1024  # bytes; the largest that filesystems have
_SLICE = 4 * 1024 * 1024  # bytes that are moved between two turns of the loop
_OPEN = os.O_NONBLOCK | os.O_CLOEXEC  # the task may have just put a named pipe there
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # fallocate(2)
_NO_HOLES = (errno.EOPNOTSUPP, errno.ENOSYS)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class Log:
    """The log of one task. `limit` is in bytes; 0: none."""

    __slots__ = ("_at_least", "_dropped", "_hole", "_mark", "limit", "path")

    def __init__(self, path: str, limit: int) -> None:
        self.path = path
        self.limit = limit
        self._hole = 0  # where it ends
        self._dropped = 0  # bytes that are gone where there are no holes
        self._at_least = ""
        self._mark = 0  # bytes of ours in the log that say so

    def is_over(self) -> bool:
        """Whether there is something to cut, or has been."""
        return bool(self._dropped) or self._size() > self.limit

    def bound(self) -> None:
        """Gives the middle of a log that is too long back, while its task runs. Raises OSError."""
        size = self._size()
        if size <= self.limit:
            return
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | _OPEN)
        try:
            head, end = self.limit // 2, size - self._tail()
            end -= end % _BLOCK  # of a block in parts of two holes nothing is given back
            if end > (begin := max(head, self._hole)):
                _punch(fd, begin, end - begin)
                self._hole = end
        except OSError as error:
            if error.errno not in _NO_HOLES:
                raise
            self._start_over(fd, size)
        finally:
            os.close(fd)

    def shorten(self) -> Iterator[None]:
        """Makes a log that is over its limit head, mark and tail, slice by slice. Raises OSError."""
        size = self._size()
        if size <= self.limit:
            return
        fd = os.open(self.path, os.O_RDWR | _OPEN)
        try:
            head = _line_end(fd, self.limit // 2)
            source = _line_start(fd, max(size - self._tail(), head + _ROOM), size)
            self._dropped += source - head - self._mark
            target = head + os.pwrite(fd, self._marked(fd, head), head)
            while source < size:
                data = os.pread(fd, _SLICE, source)
                if not data:  # its task has emptied it in the meantime
                    break
                source += len(data)
                target += _write(fd, data, target)
                yield
            os.ftruncate(fd, target)
        finally:
            os.close(fd)

    def warning(self) -> str:
        return (
            f"the log was too long: {self._at_least}{self._dropped} bytes between its head and its tail are left"
            f" out (runner.task_log_limit: {_in_units(self.limit)})"
        )

    def _tail(self) -> int:
        return self.limit - self.limit // 2

    def _size(self) -> int:
        """0 for what is no file: a task may have put anything in its place."""
        try:
            found = os.stat(self.path)
        except OSError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def _start_over(self, fd: int, size: int) -> None:
        head = _line_end(fd, self.limit // 2)
        begin = _line_start(fd, max(head, size - min(_KEPT, self._tail())), size)
        kept = os.pread(fd, size - begin, begin)
        self._dropped += begin - head - self._mark + os.fstat(fd).st_size - size
        self._at_least = "at least "
        mark = self._marked(fd, head)
        self._mark = len(mark)
        os.ftruncate(fd, head)
        os.write(fd, mark + kept)

    def _marked(self, fd: int, head: int) -> bytes:
        newline = "\n" if head and os.pread(fd, 1, head - 1) != b"\n" else ""
        return (
            f"{newline}[dfm: {self._at_least}{self._dropped} bytes of this log are left out here:"
            f" runner.task_log_limit is {_in_units(self.limit)}]\n"
        ).encode()


class LogWatch:
    """Keeps the logs of all tasks of an executor within their limits."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._logs: set[Log] = set()
        self._timer: Handle | None = None

    def begin(self, log: Log) -> None:
        """Its task runs from now on."""
        if log.limit:
            self._logs.add(log)
            if self._timer is None:
                self._timer = self._loop.call_later(_INTERVAL_S, self._look)

    def end(self, log: Log, then: Callable[[str], None]) -> None:
        """Its task has ended; calls `then` with a warning, once the log is as it is to stay."""
        if not log.limit:
            then("")
            return
        self._logs.discard(log)
        if log.is_over():
            self._shorten(log, log.shorten(), then)
        else:
            then("")

    def _look(self) -> None:
        self._timer = self._loop.call_later(_INTERVAL_S, self._look) if self._logs else None
        for log in self._logs:
            try:
                log.bound()
            except OSError:  # of a filesystem in trouble: the end of the task tells
                pass

    def _shorten(self, log: Log, slices: Iterator[None], then: Callable[[str], None]) -> None:
        try:
            next(slices)
        except StopIteration:
            then(log.warning())
        except OSError as error:
            then(f"the log is too long, and cannot be cut: {error}")
        else:
            self._loop.call_later(0, self._shorten, log, slices, then)


def _punch(fd: int, begin: int, length: int) -> None:
    if _libc.fallocate(fd, _KEEP_SIZE | _PUNCH_HOLE, begin, length) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _line_end(fd: int, offset: int) -> int:
    """Behind the last newline before this offset, if there is one not far away."""
    begin = max(0, offset - _LINE)
    return begin + (os.pread(fd, offset - begin, begin).rfind(b"\n") + 1 or offset - begin)


def _line_start(fd: int, offset: int, size: int) -> int:
    """Behind the first newline from this offset on, if there is one not far away, nor the last."""
    if offset >= size:
        return size
    found = os.pread(fd, min(_LINE, size - offset - 1), offset).find(b"\n")
    return offset + found + 1


def _write(fd: int, data: bytes, offset: int) -> int:
    written = os.pwrite(fd, data, offset)
    while written < len(data):
        written += os.pwrite(fd, data[written:], offset + written)
    return written


def _in_units(size: int) -> str:
    """As a configuration has it: `1G`."""
    for unit, factor in (("G", 1024**3), ("M", 1024**2), ("K", 1024)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size} bytes"
