"""Workers' jobs: has them submitted, asks about those that are in doubt, ends them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from dfm.errors import DfmError, RunnerError
from dfm.runners.base import JobId, JobState, JobStatus, Runner, WorkerRequest
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.state import WorkerName
from dfm_daemon.shell.journal import Journal

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

ANSWER_S = 120.0  # that a scheduler has for each question
_FIRST_LOOK_S, _LAST_LOOK_S = (
    0.02,
    10.0,
)  # between looks at jobs in doubt; it grows while nothing new
_LOG_LINES = 10  # of a worker that ended before it was heard of


class Jobs:
    """The jobs of one daemon. What happens to them goes to `tell`, as events of the scheduler."""

    def __init__(
        self,
        runner: Runner,
        group: asyncio.TaskGroup,
        tell: Callable[[Event], None],
        journal: Journal,
    ) -> None:
        self._runner = runner
        self._group = group
        self._tell = tell
        self._journal = journal
        self._jobs: dict[WorkerName, JobId] = {}  # all that may live
        self._logs: dict[WorkerName, str] = {}
        self._in_doubt: set[WorkerName] = set()
        self._pending: dict[WorkerName, str] = {}  # why, as it was told
        self._news = asyncio.Event()  # more are in doubt
        self._pause_s = _FIRST_LOOK_S
        self._trouble = ""  # with the last look
        self._is_over = False
        self._looking = group.create_task(self._look())

    def launch(self, requests: Sequence[WorkerRequest]) -> None:
        self._group.create_task(self._submit(requests))

    def adopt(self, worker: WorkerName, job: str, log_folder: str) -> None:
        """A job that a daemon before this one has submitted."""
        self._jobs[worker] = JobId(job)
        self._logs[worker] = f"{log_folder}/{job}.log"

    def watch(self, worker: WorkerName) -> None:
        """Asks about its job until it is gone, or until `trust`."""
        if worker not in self._jobs:
            return
        self._in_doubt.add(worker)
        self._pause_s = _FIRST_LOOK_S
        self._news.set()

    def trust(self, worker: WorkerName) -> None:
        self._in_doubt.discard(worker)
        self._pending.pop(worker, None)

    def end(self, worker: WorkerName) -> None:
        job = self._jobs.pop(worker, None)
        self._logs.pop(worker, None)
        self._in_doubt.discard(worker)
        self._pending.pop(worker, None)
        if job is not None:
            self._group.create_task(self._end(worker, job))

    async def end_all(self) -> None:
        """Ends every job that may live; returns when they are gone. What is being submitted is ended
        when the scheduler has answered: the group waits for it."""
        self._is_over = True
        self._looking.cancel()
        jobs, self._jobs = list(self._jobs.values()), {}
        await self._cancel(jobs)

    async def _submit(self, requests: Sequence[WorkerRequest]) -> None:
        names = tuple(WorkerName(request.worker) for request in requests)
        try:
            jobs = await _answer(_submitted(self._runner, requests))
        except DfmError as error:
            self._failed(names, str(error))
            return
        if self._is_over:
            await self._cancel(jobs)
            return
        if len(jobs) != len(requests):
            await self._cancel(jobs)
            self._failed(names, f"the runner made {len(jobs)} jobs of {len(requests)} requests")
            return
        self._journal.launched_as(names, jobs)
        self._journal.flush()
        for request, job in zip(requests, jobs, strict=True):
            self._jobs[WorkerName(request.worker)] = job
            self._logs[WorkerName(request.worker)] = f"{request.log_folder}/{job}.log"
        log.info("launched workers=%s jobs=%s", ",".join(names), ",".join(jobs))
        self._tell(events.LaunchSucceeded(names, tuple(jobs)))

    def _failed(self, names: Sequence[WorkerName], reason: str) -> None:
        self._journal.over(names)
        self._tell(events.LaunchFailed(tuple(names), reason))

    async def _look(self) -> None:
        while True:
            if not self._in_doubt:
                await self._news.wait()
            await self._wait_a_while()
            asked = {self._jobs[worker]: worker for worker in self._in_doubt}
            if not asked:
                continue
            try:
                found = await _answer(_polled(self._runner, list(asked)))
            except DfmError as error:
                self._note_trouble(str(error))
                continue
            self._note_trouble("")
            for job, worker in asked.items():
                status = found.get(job)
                if status is None or worker not in self._in_doubt:
                    continue
                if status.state is JobState.GONE:
                    self._gone(worker, status.reason)
                elif status.state is JobState.PENDING and status.reason:
                    self._note_pending(worker, status.reason)

    def _note_pending(self, worker: WorkerName, reason: str) -> None:
        if self._pending.get(worker) != reason:
            self._pending[worker] = reason
            self._tell(events.JobPends(worker, reason))

    def _note_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            text = (
                f"cannot ask about jobs: {trouble}" if trouble else "asking about jobs works again"
            )
            log.warning("%s", text)

    async def _wait_a_while(self) -> None:
        """Until the next look is due, which more jobs in doubt bring nearer."""
        self._news.clear()
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 1.5, _LAST_LOOK_S)
        try:
            async with asyncio.timeout(pause_s):
                await self._news.wait()
        except TimeoutError:
            pass

    def _gone(self, worker: WorkerName, reason: str) -> None:
        self._in_doubt.discard(worker)
        self._pending.pop(worker, None)
        self._jobs.pop(worker, None)
        log_file = self._logs.pop(worker, "")
        self._journal.over([worker])
        self._tell(events.JobGone(worker, reason, _tail(log_file)))

    async def _end(self, worker: WorkerName, job: JobId) -> None:
        if await self._cancel([job]):
            self._journal.over([worker])

    async def _cancel(self, jobs: Sequence[JobId]) -> bool:
        """Whether the scheduler has ended them."""
        if not jobs:
            return True
        try:
            await _answer(_cancelled(self._runner, jobs))
        except DfmError as error:
            log.error("cannot end jobs=%s: %s", ",".join(jobs), error)
            return False
        return True


async def _submitted(runner: Runner, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
    """The jobs, each once; TypeError if they are none: a runner of another package answers anything."""
    jobs = list(dict.fromkeys(await runner.submit(requests)))
    if not all(isinstance(job, str) for job in jobs):
        raise TypeError(f"these are no jobs: {jobs}")
    return jobs


async def _polled(runner: Runner, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
    found = dict(await runner.poll(jobs))
    for status in found.values():
        if not isinstance(status, JobStatus):
            raise TypeError(f"this is no status of a job: {status}")
    return found


async def _cancelled(runner: Runner, jobs: Sequence[JobId]) -> None:
    await runner.cancel(jobs)


async def _answer(asked: Awaitable[Answer]) -> Answer:
    """What a runner answers. Raises DfmError alone, whatever a runner of another package raises."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await asked
    except DfmError:
        raise
    except TimeoutError:
        raise RunnerError(f"the scheduler did not answer in {ANSWER_S:.0f} s") from None
    except Exception as error:  # the daemon outlives a runner that is broken
        log.exception("a fault of the runner")
        raise RunnerError(f"a fault of the runner: {type(error).__name__}: {error}") from error


def _tail(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-_LOG_LINES:]).rstrip("\n")
    except OSError:
        return ""
