"""Starts the processes of Python tasks: by the warm process that forks them, or as a program."""

import os
import sys

from dfm_worker.attempt import Attempt
from dfm_worker.loop import EventLoop
from dfm_worker.python_request import REQUEST, Request
from dfm_worker.warm_python import Spawn, WarmPython


class PythonStart:
    """Two anonymous files go to each process: what it is told, and where its answer goes."""

    def __init__(self, loop: EventLoop, spawn: Spawn) -> None:
        self._spawn = spawn
        self.warm = WarmPython(loop, spawn)

    def start(self, attempt: Attempt, variables: dict[str, str], inputs: bytes) -> int:
        """Returns the pid of the task's process. Raises OSError and ValueError."""
        spec = attempt.spec
        cwd = (spec.python or {}).get("cwd") or spec.rundir
        if not os.path.isdir(cwd):
            cwd = spec.rundir
        request, attempt.answer = os.memfd_create("dfm-request"), os.memfd_create("dfm-answer")
        try:
            os.write(request, REQUEST.pack(Request(spec._replace(inputs=inputs), cwd, variables)))
            attempt.words = [sys.executable, "-P", "-m", "dfm_worker.python_task"]
            pid = self.warm.fork(request, attempt.answer, variables, cwd)
            if pid:
                return pid
            words = [*attempt.words, str(request), str(attempt.answer)]
            os.set_inheritable(request, True)  # by this one child
            os.set_inheritable(attempt.answer, True)
            return self._spawn(words[0], words, variables, cwd, attempt.log.path)
        finally:
            os.close(request)
            os.set_inheritable(attempt.answer, False)
