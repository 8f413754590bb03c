"""Processes of this host as /proc shows them, and the ends of whole trees of them.

A task may leave children behind, in sessions of their own or not. An agent is a subreaper
(prctl(2), PR_SET_CHILD_SUBREAPER): whatever loses its parent below it becomes its child and so
stays in sight. Sources: proc(5), proc_pid_stat(5), proc_tid_children(5).
"""

import os
import signal
import time
from collections.abc import Iterable
from typing import NamedTuple

_PR_SET_CHILD_SUBREAPER = 36
_PAGE = 65536
_EXEC_S, _EXEC_STEP_S = 0.2, 0.0005


class Process(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    session: int
    state: str  # "Z": a zombie


def become_subreaper() -> None:
    """From now on orphans below this process become its children. Raises OSError."""
    import ctypes  # 3 ms, and only here: the standard library has no prctl

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


class Children:
    """The children of this process, zombies included.

    Kept open, the kernel's list costs half a microsecond a look: it is asked after every task. It
    is the main thread's, to which orphans go and by which tasks are started.
    """

    def __init__(self) -> None:
        try:
            self._list = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
        except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
            self._list = -1

    def pids(self) -> list[int]:
        if self._list < 0:
            me = os.getpid()
            return [process.pid for process in table().values() if process.parent == me]
        text = b""
        while more := os.pread(self._list, _PAGE, len(text)):
            text += more
        return [int(pid) for pid in text.split()]


def look(pid: int) -> Process | None:
    """One process; None if there is none of this pid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The name, in parentheses, may hold blanks and parentheses itself.
    state, parent, _group, session = text[text.rindex(b")") + 2 :].split(maxsplit=4)[:4]
    return Process(pid, int(parent), int(session), state.decode())


def table() -> dict[int, Process]:
    """All processes of this host, by pid."""
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def tree(roots: Iterable[int], sessions: Iterable[int] = ()) -> set[int]:
    """The pids of these processes, of the members of these sessions, and of all below them."""
    processes = table()
    leaders = set(sessions)
    below: dict[int, list[int]] = {}
    for process in processes.values():
        below.setdefault(process.parent, []).append(process.pid)
    todo = [pid for pid in roots if pid in processes]
    todo += [process.pid for process in processes.values() if process.session in leaders]
    found: set[int] = set()
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += below.get(pid, ())
    return found


def has_variables(pid: int, variables: Iterable[bytes]) -> bool:
    """Whether a process was started with all of these `NAME=value` in its environment."""
    try:
        present = set(_environment(pid).split(b"\0"))
    except OSError:  # gone, or another user's
        return False
    return all(variable in present for variable in variables)


def variable(pid: int, name: bytes) -> bytes | None:
    """The value of a variable that a process was started with."""
    try:
        present = _environment(pid).split(b"\0")
    except OSError:
        return None
    start = name + b"="
    return next((entry[len(start) :] for entry in present if entry.startswith(start)), None)


def _environment(pid: int) -> bytes:
    """What a process was started with. Raises OSError.

    In the middle of execve(2) a process shows neither environment nor command line: it is waited for.
    """
    give_up = time.monotonic() + _EXEC_S
    while True:
        found = _shown(pid, "environ")
        if found:
            return found
        os.readlink(f"/proc/{pid}/exe")  # which a zombie and a thread of the kernel do not have
        if _shown(pid, "cmdline"):
            return _shown(pid, "environ")  # it has none, or has come through in between
        if time.monotonic() > give_up:
            return b""
        time.sleep(_EXEC_STEP_S)


def _shown(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def marked(variable: bytes) -> set[int]:
    """The pids of all processes that were started with this `NAME=value`, and of all below them."""
    names = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return tree(pid for pid in names if has_variables(pid, [variable]))


def send(pids: Iterable[int], number: signal.Signals) -> set[int]:
    """Signals each of them, and returns those that it reached: not who is gone, or another user's."""
    reached: set[int] = set()
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue
        reached.add(pid)
    return reached


def reap(pid: int) -> bool:
    """Takes a dead child of ours out of the process table. True if it was one."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
