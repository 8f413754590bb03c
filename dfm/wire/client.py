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
    is_back: bool = False  # it was connected before, to this daemon or to one that is gone


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
    """Client -> daemon: I want this task. `blobs` and `shape` were sent before; the environment is
    the first blob."""

    task: int
    name: str
    spec: bytes  # a TaskSpec
    blobs: list[int]
    shape: int
    attempt: int = 0  # the newest attempt that the client has heard of
    priority: int = 0  # of the tasks of a run those with more come first
    walltime_s: int = 0  # 0: no limit
    limits: dict[str, int] = {}  # noqa: RUF012 - counted tokens that it holds while a worker has it
    expected_s: float = 0.0  # how long it took the last time; 0: not known
    names_walltime: bool = True  # it, or its class; else the walltime is only a default


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
    waits: str = ""  # what their scheduler says of those that are pending, while none serves


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


@message(18)
class Shape(NamedTuple):
    """Client -> daemon: what some tasks need of their worker. Tasks of equal shapes share a pool."""

    shape: int  # the client's number for it
    name: str  # of the pool: the class, or what it is made of
    cores: int
    memory_mib: int = 0  # 0: it does not say
    queue: str = ""
    resource_class: str = ""
    resource_select: list[str] = []  # noqa: RUF012
    runner: str = ""  # "": the daemon's own
    options: dict[str, str] = {}  # noqa: RUF012 - of that runner, for the workers of this shape


@message(19)
class Settled(NamedTuple):
    """Client -> daemon, after a Hello that said `is_back`: these were all submissions that it still
    waits for. What else workers hold of this run is not wanted any more."""


@message(20)
class Bye(NamedTuple):
    """Client -> daemon: the run is over. A connection that ends without it may come back."""


@message(21)
class AskWhy(NamedTuple):
    """Client -> daemon: why does this task wait? Empty: whatever waits, and for what."""

    task: str  # any end of its full name


@message(22)
class Why(NamedTuple):
    """Daemon -> client: a JSON object, `{"tasks": [...], "groups": [...]}` (shell/questions.py)."""

    document: bytes


@message(23)
class Question(NamedTuple):
    """Daemon -> run: the same, of what the daemon does not have of the run's graph."""

    number: int
    task: str


@message(24)
class Answer(NamedTuple):
    """Run -> daemon."""

    number: int
    document: bytes


class RunningTask(NamedTuple):
    """One task that a worker has in a slot."""

    task: str
    worker: str
    host: str
    elapsed_s: float


class EndedTask(NamedTuple):
    """One task that has ended. `number` counts all of this daemon, from 1."""

    number: int
    task: str
    worker: str  # empty: it was given up
    host: str
    status: int
    wall_s: float
    lost: str  # why it was given up without a result; empty: it has one


class PoolCounts(NamedTuple):
    """One pool, in numbers."""

    name: str
    runner: str
    state: str
    serving: int
    max_workers: int
    last_error: str


@message(30)
class AskSnapshot(NamedTuple):
    """Client -> daemon: how do things stand, and what has ended after the task of this number?"""

    since: int
    rows: int  # most tasks of each kind in the answer


@message(31)
class Snapshot(NamedTuple):
    """Daemon -> client. Its size is bounded by the `rows` asked for, whatever the daemon has."""

    uptime_s: float
    running: list[RunningTask]  # longest first
    ended: list[EndedTask]  # newest first
    ended_count: int  # of this daemon: the number of the newest
    workers: dict[str, int]  # total, busy, idle, pending, draining, lost
    tasks: dict[str, int]  # queued, running, and those of the status document that have ended
    pools: list[PoolCounts]
    trouble: str = ""  # the last thing that went wrong with workers or their launches
    trouble_age_s: float = 0.0


@message(36)
class Ping(NamedTuple):
    """Client -> daemon: answered with Pong at once."""

    number: int


@message(37)
class Pong(NamedTuple):
    """Daemon -> client."""

    number: int


@message(17)
class Stopping(NamedTuple):
    """Daemon -> clients: it ends; `reason` is for people."""

    reason: str
