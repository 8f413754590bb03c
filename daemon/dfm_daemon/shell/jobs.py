"""Workers' jobs: has them submitted, asks about those that are in doubt, ends them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from dfm.errors import DfmError, RunnerError
from dfm.runners.base import (
    BatchRunner,
    JobEnd,
    JobId,
    JobState,
    JobStatus,
    Runner,
    WorkerRequest,
)
from dfm.runners.command import NoAnswer
from dfm.runners.job_logs import end_by_log
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.state import WorkerName
from dfm_daemon.shell.journal import Journal

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

ANSWER_S = 120.0  # that a scheduler has for each question
# Between looks at jobs in doubt, on this host; it grows while nothing is new.
_FIRST_LOOK_S, _LAST_LOOK_S = 0.02, 10.0
_SOON_S = 2.0  # the first look at a batch system's jobs, after a while without one
_ENDS = {
    JobEnd.WALLTIME: "its job reached its walltime",
    JobEnd.MEMORY: "it needed more memory than its job had",
    JobEnd.HOST: "its host failed",
    JobEnd.CANCELLED: "somebody cancelled its job",
    JobEnd.PREEMPTED: "its job was preempted",
}
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
        self._endless: set[WorkerName] = set()  # of which nobody knows when their jobs will end
        self._unconfirmed: set[WorkerName] = set()  # that may have been submitted, or will be
        self._pending: dict[WorkerName, str] = {}  # why, as it was told
        self._news = asyncio.Event()  # more are in doubt
        self._least_s = runner.look_s if isinstance(runner, BatchRunner) else _FIRST_LOOK_S
        self._pause_s = self._least_s
        self._looked_at = float("-inf")
        self._ending: list[tuple[WorkerName, JobId]] = []  # at the end of this turn of the loop
        self._trouble = ""  # with the last look
        self._is_over = False
        self._looking = group.create_task(self._look())

    def launch(self, requests: Sequence[WorkerRequest]) -> None:
        self._group.create_task(self._submit(requests))

    def adopt(self, worker: WorkerName, job: str, log_folder: str) -> None:
        """A job that a daemon before this one has submitted."""
        self._jobs[worker] = JobId(job)
        self._logs[worker] = f"{log_folder}/{job}.log"
        self._unconfirmed.discard(worker)

    async def find(self, workers: Sequence[WorkerName]) -> dict[WorkerName, JobId]:
        """The jobs of workers that were being submitted when the daemon before this one was killed.
        Those that are not found may come yet: it is not the scheduler's fault alone if one is late."""
        self._unconfirmed.update(workers)
        return await self._find(workers) or {}

    async def _find(self, workers: Sequence[WorkerName]) -> dict[WorkerName, JobId] | None:
        """None: its scheduler cannot be asked."""
        if not isinstance(self._runner, BatchRunner) or not workers:
            return {}
        try:
            found = await _answer(self._runner.find(self._journal.mark, workers))
        except DfmError as error:
            log.warning("cannot look for the jobs of workers=%s: %s", ",".join(workers), error)
            return None
        return {WorkerName(worker): job for worker, job in found.items()}

    def may_come(self, worker: WorkerName) -> bool:
        """Whether nobody knows if it was submitted."""
        return worker in self._unconfirmed

    def watch(self, worker: WorkerName) -> None:
        """Asks about its job until it is gone, or until `trust`."""
        if worker not in self._jobs:
            return
        self._in_doubt.add(worker)
        self._pause_s = self._least_s
        self._news.set()

    def trust(self, worker: WorkerName) -> None:
        self._in_doubt.discard(worker)
        self._pending.pop(worker, None)

    def ask_end(self, worker: WorkerName) -> None:
        """Asks when its job will end; only schedulers of batch systems know."""
        if isinstance(self._runner, BatchRunner):
            self._endless.add(worker)
            self._pause_s = self._least_s
            self._news.set()

    def end(self, worker: WorkerName) -> None:
        job = self._jobs.pop(worker, None)
        self._logs.pop(worker, None)
        self._in_doubt.discard(worker)
        self._endless.discard(worker)
        self._pending.pop(worker, None)
        if job is not None:
            if not self._ending:
                asyncio.get_running_loop().call_soon(self._end_together)
            self._ending.append((worker, job))

    async def end_all(self) -> bool:
        """Ends every job that may live; returns when they are gone, and whether all could be ended.
        What is being submitted is ended when the scheduler has answered: the group waits for it."""
        self._is_over = True
        self._looking.cancel()
        late = await self._find(sorted(self._unconfirmed))
        known = [*self._jobs.values(), *(job for _, job in self._ending)]
        self._jobs = {}
        self._ending = []
        return await self._cancel([*known, *(late or {}).values()]) and late is not None

    async def _submit(self, requests: Sequence[WorkerRequest]) -> None:
        names = tuple(WorkerName(request.worker) for request in requests)
        try:
            jobs = await _answer(_submitted(self._runner, requests))
        except DfmError as error:
            is_transient = isinstance(error, RunnerError) and error.retryable
            is_in_doubt = isinstance(error, NoAnswer)
            self._failed(names, str(error), is_transient=is_transient, is_in_doubt=is_in_doubt)
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

    def _failed(
        self,
        names: Sequence[WorkerName],
        reason: str,
        *,
        is_transient: bool = False,
        is_in_doubt: bool = False,
    ) -> None:
        self._endless.difference_update(names)
        if is_in_doubt:
            self._unconfirmed.update(names)
        else:
            self._journal.over(names)
        self._tell(events.LaunchFailed(tuple(names), reason, is_transient, is_in_doubt))

    async def _look(self) -> None:
        while True:
            if not self._in_doubt and not self._endless:
                await self._news.wait()
            await self._wait_a_while()
            asked = {
                self._jobs[worker]: worker
                for worker in self._in_doubt | self._endless
                if worker in self._jobs
            }
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
                if status is None:
                    continue
                if worker in self._endless and status.state is not JobState.UNKNOWN:
                    self._note_end(worker, status)
                if worker not in self._in_doubt:
                    continue
                if status.state is JobState.GONE:
                    self._gone(worker, status)
                elif status.state is JobState.PENDING and status.reason:
                    self._note_pending(worker, status.reason)

    def _note_end(self, worker: WorkerName, status: JobStatus) -> None:
        self._endless.discard(worker)
        if status.left_s is not None:
            at = asyncio.get_running_loop().time() + status.left_s
            self._tell(events.JobEnds(worker, at))

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
        """Until the next look is due, which more jobs in doubt bring nearer; but a batch system is
        asked rarely, whatever happens."""
        self._news.clear()
        loop = asyncio.get_running_loop()
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 1.5, self._most_s())
        if self._least_s > _SOON_S:
            due = max(loop.time() + _SOON_S, self._looked_at + pause_s)
            await asyncio.sleep(due - loop.time())
        else:
            try:
                async with asyncio.timeout(pause_s):
                    await self._news.wait()
            except TimeoutError:
                pass
        self._looked_at = loop.time()

    def _most_s(self) -> float:
        return max(_LAST_LOOK_S, 3 * self._least_s) if self._least_s > _SOON_S else _LAST_LOOK_S

    def _gone(self, worker: WorkerName, status: JobStatus) -> None:
        self._in_doubt.discard(worker)
        self._endless.discard(worker)
        self._pending.pop(worker, None)
        self._jobs.pop(worker, None)
        log_file = self._logs.pop(worker, "")
        self._journal.over([worker])
        said = _tail(log_file)
        end = end_by_log(said) if status.end is JobEnd.UNCLEAR else status.end
        reason = f"{status.reason} ({_ENDS[end]})" if end in _ENDS else status.reason
        is_hopeless, is_time_up = end is JobEnd.MEMORY, end is JobEnd.WALLTIME
        self._tell(events.JobGone(worker, reason, said, is_hopeless, is_time_up))

    def _end_together(self) -> None:
        """One call of the scheduler for all jobs that are ended in a turn of the loop."""
        ending, self._ending = self._ending, []
        if ending:
            self._group.create_task(self._end(ending))

    async def _end(self, ending: Sequence[tuple[WorkerName, JobId]]) -> None:
        if await self._cancel([job for _, job in ending]):
            self._journal.over([worker for worker, _ in ending])

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
        unanswered = NoAnswer(f"the scheduler did not answer in {ANSWER_S:.0f} s")
        unanswered.retryable = False  # its command would have said so in less: the runner hangs
        raise unanswered from None
    except Exception as error:  # the daemon outlives a runner that is broken
        log.exception("a fault of the runner")
        raise RunnerError(f"a fault of the runner: {type(error).__name__}: {error}") from error


def _tail(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-_LOG_LINES:]).rstrip("\n")
    except OSError:
        return ""
