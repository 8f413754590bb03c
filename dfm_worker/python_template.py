"""A process that has imported what Python tasks need, and forks one process for each of them:
`python -m dfm_worker.python_template SOCKET`. To import takes a tenth of a second, to fork a hundredth.

For each request there come three descriptors: the two files of python_task, and the end of a pipe
by which the new process is told to go. The answer is its pid. It is forked twice, so that it is a
child of the executor's process, a subreaper, when that hears of it; and it waits for the word, so
that an executor which gave up on us can start the task elsewhere. This process runs no task, ends
with its executor, and keeps no descriptor of a task.
"""

import array
import atexit
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Set
from types import ModuleType
from typing import NamedTuple, NoReturn

from dfm.wire.task import RESULT, TaskResult
from dfm_worker import python_task, staging
from dfm_worker.python_request import REQUEST, Request

READY = b"r"
_PR_SET_PDEATHSIG = 1
_ENV_START = 49  # field of proc_pid_stat(5), counted from 0; the next is where it ends


class Order(NamedTuple):
    """The descriptors of one task."""

    request: int
    answer: int
    go: int


def main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    link = socket.socket(fileno=int(sys.argv[1]))
    link.set_inheritable(False)
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("a thread was started by an import of the site: nothing can be forked")
    gc.freeze()  # what is never looked at again is never copied
    link.send(READY)
    order = _serve(link)
    if order is not None:
        link.close()
        _become(order)


def _serve(link: socket.socket) -> Order | None:
    """Returns in the process of a task; None when the executor is gone."""
    while True:
        data, ancillary, _, _ = link.recvmsg(
            1, socket.CMSG_SPACE(3 * array.array("i").itemsize), socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            return None
        fds = array.array("i")
        for _, _, part in ancillary:
            fds.frombytes(part)
        order = Order(*fds)
        pid = _fork_twice()
        if not pid:
            return order
        for fd in order:
            os.close(fd)
        link.send(pid.to_bytes(4, "big"))


def _fork_twice() -> int:
    """0 in the new process. Here its pid, when its parent, which is in between, has ended."""
    reader, writer = os.pipe()
    between = os.fork()
    if not between:
        pid = os.fork()
        if not pid:
            os.close(reader)
            os.close(writer)
            return 0
        os.write(writer, pid.to_bytes(4, "big"))
        os._exit(0)
    os.close(writer)
    os.waitpid(between, 0)
    pid = int.from_bytes(os.read(reader, 4), "big")
    os.close(reader)
    if not pid:
        raise ChildProcessError("cannot fork")
    return pid


def _become(order: Order) -> None:
    """Runs one task in this process, which looks as if it had been started for it."""
    os.setsid()
    request: Request = REQUEST.unpack(python_task.read(order.request))
    os.close(order.request)
    _take_environment(request.variables)
    if not os.read(order.go, 1):
        os._exit(0)  # the executor has given this process up
    os.close(order.go)
    if request.spec.umask >= 0:
        os.umask(request.spec.umask)
    try:
        log = os.open(staging.log_file(request.spec), staging.LOG_FLAGS, 0o666)
        os.chdir(request.cwd)
    except OSError as error:
        failure = f"cannot start in {request.spec.rundir}: {error}"
        with open(order.answer, "wb") as file:
            file.write(RESULT.pack(TaskResult(1, 0.0, 0.0, [], [], failure=failure)))
        return
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.argv = [python_task.__file__]
    importlib.invalidate_caches()
    known = set(sys.modules)
    python_task.perform(request.spec, order.answer)
    _end(known)


def _end(known: Set[str]) -> NoReturn:
    """Ends as Python does: threads, exit functions, what the task's modules hold (a file that was not
    closed). To take down the modules that were here before would copy their memory, for 10 ms."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for name, module in reversed(list(sys.modules.items())):
        if name not in known and name.partition(".")[0] not in sys.stdlib_module_names:
            del sys.modules[name]
            if isinstance(module, ModuleType):
                vars(module).clear()  # a cycle's files would be closed in any order
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _take_environment(variables: dict[str, str]) -> None:
    """Makes these the environment, in /proc as well: what a task leaves is known by it.

    The kernel shows the memory where the variables were put when the program started, which are
    padded for this. The marks come first; what has no room is only not to be seen.
    """
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    with open("/proc/self/stat", "rb") as file:
        text = file.read()
    # The name, the second field, may hold blanks itself.
    start, end = map(int, text[text.rindex(b")") + 2 :].split()[_ENV_START - 2 : _ENV_START])
    block = b""
    for name in sorted(variables, key=lambda name: not name.startswith("DFM_")):
        entry = os.fsencode(f"{name}={variables[name]}") + b"\0"
        if len(block) + len(entry) <= end - start:
            block += entry
    ctypes.memmove(start, block.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main()
