"""The messages between the daemon and its workers.

A worker connects, says Hello, and is answered by Welcome or Refused. From then on the daemon sends
Blob and Run, the worker Started and Finished; a result stays with the worker until it is
Acknowledged. Every assignment carries an attempt number: what is said about an older attempt is
answered with Drop. A run is named by its id (text that the client made up), a task by its number in
that run.
"""

from typing import NamedTuple

from dfm.wire.codec import Catalogue

WORKER_LINK = Catalogue("worker")
message = WORKER_LINK.message


class Held(NamedTuple):
    """An attempt that a worker still has: running, or finished and not acknowledged."""

    run: str
    task: int
    attempt: int


@message(1)
class Hello(NamedTuple):
    """Worker -> daemon, first of all."""

    major: int
    minor: int
    version: str
    worker: str  # the name that the daemon gave it when it launched it
    host: str
    pid: int
    job: str  # its job's id, as the scheduler has it
    cores: int
    slots: int
    deadline: float | None  # UTC epoch seconds at which its job ends
    running: list[Held]
    finished: list[Held]


@message(2)
class Welcome(NamedTuple):
    """Daemon -> worker: known, and ready to be given tasks."""

    major: int
    minor: int
    version: str
    lease_s: float  # silence after which either side counts as lost; a worker beats in thirds of it


@message(3)
class Refused(NamedTuple):
    """Daemon -> worker: not wanted. The worker prints the reason and ends."""

    reason: str


@message(4)
class Blob(NamedTuple):
    """Daemon -> worker: bytes that many tasks of a run share (its environment, common inputs)."""

    run: str
    blob: int
    data: bytes


@message(5)
class Run(NamedTuple):
    """Daemon -> worker: run this attempt. `blobs` were sent before it on this connection.

    A worker whose slots are taken keeps it until one is free: so floods of tiny tasks do not wait
    for a round trip each.
    """

    run: str
    task: int
    attempt: int
    spec: bytes  # a TaskSpec
    blobs: list[int]  # the environment first


@message(6)
class Started(NamedTuple):
    """Worker -> daemon: the task's process runs."""

    run: str
    task: int
    attempt: int
    started_at: float  # UTC epoch seconds


@message(7)
class Finished(NamedTuple):
    """Worker -> daemon, once per Run, whatever happened to it."""

    run: str
    task: int
    attempt: int
    status: int  # of the task; negative: killed by that signal
    wall_ms: float
    result: bytes  # a TaskResult


@message(8)
class Acknowledged(NamedTuple):
    """Daemon -> worker: the client has the result, forget it."""

    run: str
    task: int
    attempt: int


@message(9)
class Cancel(NamedTuple):
    """Daemon -> worker: end this attempt, SIGKILL after `grace_s` seconds; it reports Finished, or
    Returned if it had not started."""

    run: str
    task: int
    attempt: int
    grace_s: float


@message(10)
class Drop(NamedTuple):
    """Daemon -> worker: this attempt is not wanted any more. Kill it at once, report nothing."""

    run: str
    task: int
    attempt: int


@message(11)
class Forget(NamedTuple):
    """Daemon -> worker: a run is over, its blobs may go."""

    run: str


@message(12)
class Drain(NamedTuple):
    """Daemon -> worker: take no more; leave when nothing runs."""

    reason: str


@message(13)
class Beat(NamedTuple):
    """Worker -> daemon, which answers with the same: still here. Every message renews the lease;
    this one does only that."""


@message(14)
class Leaving(NamedTuple):
    """Worker -> daemon: ends by itself, with nothing running."""

    reason: str


@message(15)
class Stop(NamedTuple):
    """Daemon -> worker: end at once, and kill what runs."""

    reason: str


@message(16)
class Recall(NamedTuple):
    """Daemon -> worker: give this attempt back, unless it has started."""

    run: str
    task: int
    attempt: int


@message(17)
class Returned(NamedTuple):
    """Worker -> daemon: this attempt has not started, and will not."""

    run: str
    task: int
    attempt: int


@message(18)
class Draining(NamedTuple):
    """Worker -> daemon: takes no more by itself, as after Drain: its job has reached its run limit."""

    reason: str
