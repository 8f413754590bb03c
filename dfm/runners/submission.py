"""How a batch of workers is submitted, whichever the batch system is.

Either all requests have jobs in the end, or none has: what was submitted is cancelled again. An answer
that is lost is looked for by the name of the job, which nobody else uses.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from dfm.errors import RunnerError
from dfm.runners.base import JobId, WorkerRequest
from dfm.runners.batches import batches, job_name, worker_job_name
from dfm.runners.command import NoAnswer, Output, run


class BatchSystem(Protocol):
    """The commands of one, and what their answers mean. Pure but for `cancel`."""

    def submit_command(self, requests: Sequence[WorkerRequest]) -> list[str]: ...
    def parse_submit(self, output: Output, size: int) -> list[JobId]:
        """Raises NoAnswer if it may have been done, RunnerError if it was refused."""

    def find_command(self, names: Sequence[str]) -> list[str]: ...
    def parse_find(self, output: Output) -> list[tuple[str, JobId]]:
        """Names and jobs, those of an array in the order of their indices."""

    async def cancel(self, jobs: Sequence[JobId]) -> None: ...


async def submit(system: BatchSystem, requests: Sequence[WorkerRequest]) -> list[JobId]:
    """The jobs in the order of the requests. Raises RunnerError."""
    jobs: dict[str, JobId] = {}
    try:
        for batch in batches(requests):
            made = await _submit_batch(system, batch)
            jobs.update(zip((request.worker for request in batch), made, strict=True))
    except RunnerError:
        if jobs:
            await system.cancel(list(jobs.values()))  # nobody will hear of them
        raise
    return [jobs[request.worker] for request in requests]


async def _submit_batch(system: BatchSystem, batch: Sequence[WorkerRequest]) -> list[JobId]:
    try:
        command = system.submit_command(batch)
        return system.parse_submit(await run(command, submits_for=batch[0].daemon), len(batch))
    except NoAnswer as error:
        found = await _found(system, job_name(batch))
        if len(found) == len(batch):
            return found
        if found:
            await system.cancel(found)
        raise error


async def _found(system: BatchSystem, name: str) -> list[JobId]:
    try:
        found = system.parse_find(await run(system.find_command([name])))
    except RunnerError:
        return []  # what went wrong first is what counts
    return [job for _, job in found]


async def find(system: BatchSystem, daemon: str, workers: Sequence[str]) -> dict[str, JobId]:
    """Jobs by the names of their workers. A job has the name of the first of its array; the others
    follow it. Raises RunnerError."""
    names = {worker_job_name(daemon, worker): place for place, worker in enumerate(workers)}
    jobs: dict[str, JobId] = {}
    following: dict[str, int] = {}
    for name, job in system.parse_find(await run(system.find_command(list(names)))):
        if name in names:
            place = names[name] + following.get(name, 0)
            following[name] = following.get(name, 0) + 1
            if place < len(workers):
                jobs[workers[place]] = job
    return jobs


def refusal(
    output: Output, wanted: str, is_transient: Callable[[str], bool], hint: str
) -> RunnerError:
    """That a command said no, in its own words."""
    words = output.words()
    what = f"{output.command[0]} {wanted}: {words}"
    return (
        RunnerError.later(what, hint=hint) if is_transient(words) else RunnerError(what, hint=hint)
    )
