"""Requests for workers as jobs of a batch system: equal ones together, as one array."""

import shlex
from collections.abc import Iterator, Sequence
from typing import TypeVar

from dfm.runners.base import THIS_WORKER, WorkerRequest

Item = TypeVar("Item")

MOST = (
    100  # of one array: the names of all its workers are in the command, of 4094 characters on LSF
)
_THIS_DFM = "dfm"


def batches(requests: Sequence[WorkerRequest]) -> list[Sequence[WorkerRequest]]:
    """Requests that differ in nothing but the worker's name, together, in their order."""
    alike: dict[WorkerRequest, list[WorkerRequest]] = {}
    for request in requests:
        words = tuple("" if word == request.worker else word for word in request.command)
        alike.setdefault(request._replace(worker="", command=words), []).append(request)
    return [part for group in alike.values() for part in chunks(group, MOST)]


def chunks(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]


def job_name(batch: Sequence[WorkerRequest]) -> str:
    """One that no other job has, and that says whose it is."""
    return worker_job_name(batch[0].daemon, batch[0].worker)


def worker_job_name(daemon: str, worker: str) -> str:
    """Of the job of a worker, or of the array whose first it is."""
    return "-".join(part for part in ("dfm", daemon, worker) if part)


def shell_command(batch: Sequence[WorkerRequest], dfm: str) -> str:
    """What each job of the batch runs, as one line of shell.

    It names all workers; which of them a job of an array is, the worker tells by its index. `exec`:
    signals come to the worker itself.
    """
    first = batch[0]
    names = ",".join(request.worker for request in batch)
    words = [names if word == first.worker else word for word in first.command]
    if dfm != _THIS_DFM and tuple(words[: len(THIS_WORKER)]) == THIS_WORKER:
        words = [dfm, "worker", *words[len(THIS_WORKER) :]]
    return f"exec {shlex.join(words)}"


def joined(conditions: Sequence[str], operator: str) -> str:
    """All of them must hold; one with an `|` of its own is put in parentheses."""
    if len(conditions) == 1:
        return conditions[0]
    return operator.join(f"({text})" if "|" in text else text for text in conditions)
