"""The local runner: tasks run in this process's own executor, as many at once as there are tokens.

Under `make -jN` the tokens are make's, else those of a jobserver of our own, which the makes, ninjas
and cargos of tasks share (spec section 4).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from dfm.runners.cpus import told_cores
from dfm.wire.task import Requirements, TaskResult, TaskSpec
from dfm_worker.attempt import Attempt
from dfm_worker.executor import Executor
from dfm_worker.jobserver import Jobserver
from dfm_worker.loop import EventLoop, Handle

_AGAIN_S = 0.05  # until several tokens at once are tried for again


class Listener(Protocol):
    """Who hears what became of tasks."""

    def started(self, number: int, where: str) -> None: ...
    def finished(self, number: int, result: TaskResult) -> None: ...
    def withdrawn(self, numbers: Sequence[int]) -> None: ...


class _Queued(NamedTuple):
    number: int
    spec: TaskSpec
    inputs: bytes
    tokens: int


class LocalDispatcher:
    """Executes tasks here. `jobs` is the most at once, `environment` what tasks find."""

    def __init__(
        self,
        loop: EventLoop,
        listener: Listener,
        jobserver: Jobserver,
        environment: Mapping[str, str],
        jobs: int,
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._jobserver = jobserver
        self._environment = {**environment, "MAKEFLAGS": jobserver.makeflags}
        self._jobs = jobs
        self._executor = Executor(loop, default_cores=told_cores(environment, jobs))
        self._queue: deque[_Queued] = deque()  # waiting for tokens
        self._running: dict[int, Attempt] = {}
        self._tokens: dict[int, list[bytes]] = {}  # of each running task; b"" is the implicit one
        self._has_implicit = True
        self._watches = False
        self._retry: Handle | None = None

    def wants_more(self) -> bool:
        return len(self._running) + len(self._queue) < self._jobs

    def submit(
        self,
        number: int,
        spec: TaskSpec,
        inputs: bytes,
        requirements: Requirements,
        expected_s: float,
    ) -> None:
        tokens = min(max(spec.cores, 1), self._jobs)
        self._queue.append(_Queued(number, spec, inputs, tokens))
        self._start_queued()

    def withdraw(self) -> None:
        queued, self._queue = self._queue, deque()
        self._wait_for_token(False)
        if queued:
            self._listener.withdrawn([task.number for task in queued])

    def cancel(self, grace_s: float) -> None:
        for attempt in tuple(self._running.values()):
            self._executor.end(attempt, grace_s)

    def close(self) -> None:
        """Gives the jobserver back. What runs still, since the run has failed, is killed."""
        for attempt in tuple(self._running.values()):
            self._executor.end(attempt, 0.0)
        self._wait_for_token(False)
        self._executor.close()
        self._jobserver.close()

    def _start_queued(self) -> None:
        while self._queue:
            tokens = self._acquire(self._queue[0].tokens)
            if tokens is None:
                return
            self._start(self._queue.popleft(), tokens)
        self._wait_for_token(False)

    def _start(self, task: _Queued, tokens: list[bytes]) -> None:
        number = task.number
        self._tokens[number] = tokens
        begun = self._executor.start(
            task.spec, self._environment, task.inputs, lambda result: self._ended(number, result)
        )
        if isinstance(begun, TaskResult):
            self._give_back(number)
            self._loop.call_later(0, self._listener.finished, number, begun)
            return
        self._running[number] = begun
        self._listener.started(number, "")

    def _ended(self, number: int, result: TaskResult) -> None:
        del self._running[number]
        self._give_back(number)
        self._start_queued()
        self._listener.finished(number, result)

    # Tokens

    def _acquire(self, count: int) -> list[bytes] | None:
        """As many tokens, or none: whoever waits with a part of them may wait for ever."""
        tokens: list[bytes] = []
        if self._has_implicit:
            self._has_implicit = False
            tokens.append(b"")
        while len(tokens) < count:
            token = self._jobserver.acquire()
            if token is None:
                self._release(tokens)
                self._wait(alone=count == 1)
                return None
            tokens.append(token)
        return tokens

    def _wait(self, *, alone: bool) -> None:
        if alone:
            self._wait_for_token(True)
        elif self._retry is None:  # a readable pipe does not tell how many there are
            self._retry = self._loop.call_later(_AGAIN_S, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._start_queued()

    def _wait_for_token(self, wanted: bool) -> None:
        if wanted == self._watches:
            return
        self._watches = wanted
        if wanted:
            self._loop.add_reader(self._jobserver.fd, self._start_queued)
        else:
            self._loop.remove_reader(self._jobserver.fd)

    def _give_back(self, number: int) -> None:
        self._release(self._tokens.pop(number))
        if not self._tokens:
            self._jobserver.refill()  # a make that was killed keeps its tokens

    def _release(self, tokens: list[bytes]) -> None:
        for token in tokens:
            if token:
                self._jobserver.release(token)
            else:
                self._has_implicit = True
