"""The messages between the daemon and its clients: `dfm run`, and the commands that ask and steer.

A run says Hello with its id, then Submit for every task that it wants. Submit says "I want this":
after a lost connection a client says Hello and Submit again, and a daemon that knows the task does
not start it anew. A result is sent until the client has Acknowledged it.
"""

from typing import NamedTuple

from dfm.wire.codec import Catalogue

CLIENT_LINK = Catalogue("client")
message = CLIENT_LINK.message


@message(1)
class Hello(NamedTuple):
    """Client -> daemon, first of all."""

    major: int
    minor: int
    version: str
    run: str  # the run's id; empty for a client that only asks or steers
    pid: int
    user: str
    host: str


@message(2)
class Welcome(NamedTuple):
    """Daemon -> client."""

    major: int
    minor: int
    version: str
    pid: int
    runner: str


@message(3)
class Refused(NamedTuple):
    """Daemon -> client: the connection is closed after it."""

    reason: str
    hint: str


@message(4)
class Blob(NamedTuple):
    """Client -> daemon: bytes that many of its tasks share. Numbers are the client's."""

    blob: int
    data: bytes


@message(5)
class Submit(NamedTuple):
    """Client -> daemon: I want this task. `blobs` were sent before; the environment is the first."""

    task: int
    name: str
    spec: bytes  # a TaskSpec
    blobs: list[int]
    cores: int
    attempt: int = 0  # the newest attempt that the client has heard of


@message(6)
class Started(NamedTuple):
    """Daemon -> client."""

    task: int
    attempt: int
    worker: str
    host: str
    started_at: float  # UTC epoch seconds


@message(7)
class Finished(NamedTuple):
    """Daemon -> client, until it is acknowledged."""

    task: int
    attempt: int
    result: bytes  # a TaskResult


@message(8)
class Acknowledged(NamedTuple):
    """Client -> daemon: the result is written down."""

    task: int
    attempt: int


@message(9)
class Lost(NamedTuple):
    """Daemon -> client: the attempt is lost with its worker, through no fault of the task."""

    task: int
    attempt: int
    reason: str
    final: bool  # not tried again


@message(10)
class Withdraw(NamedTuple):
    """Client -> daemon: what waits for a worker is not wanted any more; what runs, goes on.

    Answered by Withdrawn with the tasks that will not run.
    """


@message(11)
class Withdrawn(NamedTuple):
    """Daemon -> client."""

    tasks: list[int]


@message(12)
class Cancel(NamedTuple):
    """Client -> daemon: end what runs, SIGKILL after `grace_s` seconds. Each reports Finished."""

    grace_s: float


@message(13)
class Workers(NamedTuple):
    """Daemon -> client, when it changed: the workers that its tasks can get."""

    serving: int
    pending: int
    problem: str  # why there are not more, while that is so


@message(14)
class AskStatus(NamedTuple):
    """Client -> daemon."""


@message(15)
class Status(NamedTuple):
    """Daemon -> client: a JSON object, schema `dfm-daemon-status/1`."""

    document: bytes


@message(16)
class Stop(NamedTuple):
    """Client -> daemon: end the workers and yourself; with `drain`, after the running tasks."""

    drain: bool


@message(17)
class Stopping(NamedTuple):
    """Daemon -> clients: it ends; `reason` is for people."""

    reason: str
