"""The executor's side of python_template: a process that forks the processes of Python tasks.

A program's start has been shaped by some variables (its path, its locale, its libraries). A task for
which they are others is not for this process; when that was so several times in a row another run has
begun, and a new one takes its place.
"""

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping

from dfm_worker import processes
from dfm_worker.loop import EventLoop

_ANSWER_S = 2.0  # for a fork, which takes milliseconds
_PADDING = 100_000  # bytes for the environment of a task; one variable can have 128 KiB
_MISFITS = 4
_ATTEMPTS = 3  # to start one, in a row, without a task that it has forked
_SHAPING = ("PYTHON", "LC_", "LD_", "GLIBC_", "MALLOC_")
_SHAPING_NAMES = frozenset({"LANG", "LANGUAGE", "HOME", "DFM_JOB"})

# Starts a program in a session of its own: path, words, variables, folder, log; returns its pid.
Spawn = Callable[[str, list[str], dict[str, str], str, str], int]


class WarmPython:
    """At most one such process, started when the first task asks and replaced when it has died."""

    def __init__(self, loop: EventLoop, spawn: Spawn) -> None:
        self._loop = loop
        self._spawn = spawn
        self.pid = 0
        self.is_ready = False
        self._link: socket.socket | None = None
        self._shape: tuple[str, dict[str, str]] = ("", {})
        self._misfits = 0
        self._attempts = 0

    def fork(self, request: int, answer: int, variables: Mapping[str, str], cwd: str) -> int:
        """Has a process forked for a task; returns its pid, of a child of ours. 0: not now."""
        shape = _shape(variables, cwd)
        if self._link is not None and shape != self._shape:
            self._misfits += 1
            if self._misfits < _MISFITS:
                return 0
            self.close()
        if self._link is None:
            self._start(shape, cwd)
        self._misfits = 0
        if not self.is_ready:
            return 0
        return self._ask(request, answer)

    def close(self) -> None:
        """Ends it, and whatever it was about to fork."""
        if self._link is None:
            return
        self._loop.remove_reader(self._link.fileno())
        self._link.close()
        self._link = None
        self.is_ready = False
        processes.send(processes.tree([self.pid]), signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = 0

    def _start(self, shape: tuple[str, dict[str, str]], cwd: str) -> None:
        if self._attempts == _ATTEMPTS:
            return
        self._attempts += 1
        self._shape = shape
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            its.set_inheritable(True)
            words = [sys.executable, "-P", "-m", "dfm_worker.python_template", str(its.fileno())]
            try:
                padded = {**shape[1], "DFM_PADDING": "-" * _PADDING}
                self.pid = self._spawn(words[0], words, padded, cwd, os.devnull)
            except OSError:  # the task that is started next in the usual way has the words for it
                ours.close()
                return
        ours.settimeout(_ANSWER_S)
        self._link = ours
        self._loop.add_reader(ours.fileno(), self._heard)

    def _heard(self) -> None:
        """It is ready, or has died."""
        assert self._link is not None
        if self._received():
            self.is_ready = True
        else:
            self.close()

    def _ask(self, request: int, answer: int) -> int:
        """Waits for the answer: a fork is too short to go round the loop for."""
        assert self._link is not None
        go, word = os.pipe()
        try:
            socket.send_fds(self._link, [b"f"], [request, answer, go])
            pid = int.from_bytes(self._received(), "big")
            if pid:
                self._attempts = 0
                os.write(word, b"g")
            else:
                self.close()
            return pid
        except OSError:
            self.close()
            return 0
        finally:
            os.close(go)
            os.close(word)

    def _received(self) -> bytes:
        """Empty if it has died, or hangs."""
        assert self._link is not None
        try:
            return self._link.recv(4)
        except OSError:
            return b""


def _shape(variables: Mapping[str, str], cwd: str) -> tuple[str, dict[str, str]]:
    """What is to be the same for a process that was started earlier."""
    chosen = {
        name: value
        for name, value in variables.items()
        if name.startswith(_SHAPING) or name in _SHAPING_NAMES
    }
    path = chosen.get("PYTHONPATH", "")
    is_relative = bool(path) and not all(part.startswith("/") for part in path.split(":"))
    return cwd if is_relative else "", chosen
