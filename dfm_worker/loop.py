"""The event loop of the worker agent: file descriptors and timers, nothing else.

A worker starts once per job, thousands of times a day: importing asyncio costs five times the start
of Python itself, select costs nothing. The methods are a subset of asyncio's loop with the same
names, so that the executor runs in either.
"""

import heapq
import select
import time
from collections.abc import Callable
from typing import Any, Protocol


class Handle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None: ...


class EventLoop(Protocol):
    """What the executor needs of the loop that it lives in."""

    def time(self) -> float: ...
    def add_reader(self, fd: int, callback: Callable[..., Any], /, *args: Any) -> object: ...
    def remove_reader(self, fd: int, /) -> object: ...
    def call_later(self, delay: float, callback: Callable[..., Any], /, *args: Any) -> Handle: ...


class Timer:
    """A callback that is due at a time of the loop's clock."""

    __slots__ = ("args", "callback", "due")

    def __init__(self, due: float, callback: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.due = due
        self.callback: Callable[..., Any] | None = callback
        self.args = args

    def cancel(self) -> None:
        self.callback = None  # the heap drops it when its time comes

    def __lt__(self, other: "Timer") -> bool:
        return self.due < other.due


class Loop:
    """Waits with epoll. `each_turn` is called after the callbacks of a turn: one write for them all."""

    def __init__(self) -> None:
        self.each_turn: Callable[[], None] = lambda: None
        self._poll = select.epoll()
        self._readers: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}
        self._writers: dict[int, Callable[[], Any]] = {}
        self._timers: list[Timer] = []
        self._running = False

    def time(self) -> float:
        return time.monotonic()

    def add_reader(self, fd: int, callback: Callable[..., Any], /, *args: Any) -> None:
        self._readers[fd] = (callback, args)
        self._register(fd)

    def remove_reader(self, fd: int, /) -> None:
        if self._readers.pop(fd, None) is not None:
            self._register(fd)

    def add_writer(self, fd: int, callback: Callable[[], Any], /) -> None:
        self._writers[fd] = callback
        self._register(fd)

    def remove_writer(self, fd: int, /) -> None:
        if self._writers.pop(fd, None) is not None:
            self._register(fd)

    def _register(self, fd: int) -> None:
        wanted = (select.EPOLLIN if fd in self._readers else 0) | (
            select.EPOLLOUT if fd in self._writers else 0
        )
        if not wanted:
            self._poll.unregister(fd)
            return
        try:
            self._poll.register(fd, wanted)
        except FileExistsError:
            self._poll.modify(fd, wanted)

    def call_later(self, delay: float, callback: Callable[..., Any], /, *args: Any) -> Timer:
        timer = Timer(time.monotonic() + delay, callback, args)
        heapq.heappush(self._timers, timer)
        return timer

    def stop(self) -> None:
        """Ends `run` after this turn."""
        self._running = False

    def run(self) -> None:
        """Serves until `stop`."""
        self._running = True
        while self._running:
            for fd, event in self._poll.poll(self._timeout()):
                if fd in self._readers and event & ~select.EPOLLOUT:
                    callback, args = self._readers[fd]
                    callback(*args)
                if fd in self._writers and event & ~select.EPOLLIN:
                    self._writers[fd]()
            self._fire()
            self.each_turn()

    def _timeout(self) -> float | None:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].due - time.monotonic()) if self._timers else None

    def _fire(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0].due <= now:
            timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback(*timer.args)
