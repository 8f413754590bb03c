"""What an executor is told about one task, and what it reports. Both travel through the daemon as
opaque bytes: it schedules tasks and need not know what is in them."""

from typing import NamedTuple

from dfm.wire.codec import Record


class TaskSpec(NamedTuple):
    """Everything that the place where a task runs must know, but for the run's environment."""

    name: str  # full name, "demo.build"
    rundir: str  # absolute; made if missing
    srcdir: str  # absolute, of the flow file that declares the task
    language: str  # "bash", "csh", "tcsh": a shell's script; "python": section 30 of the language
    script: str  # expanded; for python the body, `module.function` or `file.py::function`
    params: bytes  # JSON object
    memento: bytes | None  # JSON value of the last run
    environment: dict[str, str]  # on top of the run's, DFM_PARAM_* among them
    path_prefix: list[str]  # directories before the PATH that results
    cores: int  # it asks for; 0: it does not say
    walltime_s: int  # 0: no limit
    inputs: bytes | None  # JSON array; None: it is the second blob of the submission
    python: dict[str, str] | None = None  # what only Python tasks are told
    log_limit: int = 0  # bytes of its log that are kept, head and tail; 0: all
    umask: int = -1  # of the files that it makes; -1: that of whoever runs it
    stem: str | None = None  # of the files that dfm writes (dfm.wire.files); None: its name

    @property
    def file_stem(self) -> str:
        return self.name if self.stem is None else self.stem


class WorkerShape(NamedTuple):
    """What a task needs of its worker; tasks of equal shapes share a pool."""

    name: str  # of the pool: the class, or what it is made of
    cores: int
    memory_mib: int
    queue: str = ""  # "": the runner's default
    resource_class: str = ""
    resource_select: tuple[str, ...] = ()
    runner: str = ""  # "": the daemon's own
    options: tuple[tuple[str, str], ...] = ()  # of that runner


class Requirements(NamedTuple):
    """What a task needs of those who schedule it, beside its spec."""

    worker: WorkerShape
    cores: int  # that it is told of; 0: it asked for none
    walltime_s: int  # 0: no limit
    walltime_from: str = ""  # who says so, in words
    limits: tuple[tuple[str, int], ...] = ()  # tokens that it holds while it runs
    priority: int = 0  # of the tasks of a run those with more come first
    names_walltime: bool = True  # it, or its class; else the walltime is only a default


class Command(NamedTuple):
    """One command of a task, for its record."""

    words: list[str]
    status: int


class TaskResult(NamedTuple):
    """What happened to one attempt of a task."""

    status: int  # exit status; negative: killed by that signal
    started_at: float  # UTC epoch seconds
    wall_ms: float
    commands: list[Command]
    warnings: list[str]  # of the executor itself
    output: bytes = b""  # DFM_OUTPUT: JSON lines
    environment: bytes = b""  # DFM_ENV
    path: bytes = b""  # DFM_PATH
    markers: bytes = b""  # DFM_MARKERS: JSON lines
    memento: bytes | None = None  # DFM_MEMENTO_OUT: JSON value
    changed: bool = True
    ended_by: str = ""  # "cancel", "walltime", "" (by itself)
    failure: str = ""  # why it could not even start, or what a Python task raised
    log_tail: bytes = b""  # last lines of the log, when the status is not 0
    console: bytes = b""  # what a Python task printed
    cpu_s: float = 0.0  # user and system time of its process and of all that this has waited for
    max_rss_kib: int = 0  # the most that one process of them had in memory at once


SPEC = Record(TaskSpec)
RESULT = Record(TaskResult)
