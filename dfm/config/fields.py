"""The settings: key, kind, default and one line of help. The reference in the docs is made from this.

A runner's own section is a table of the same kind, kept in that runner's room: this one knows none.
"""

from enum import Enum
from typing import NamedTuple

from dfm.config.quantities import PortRange

Value = str | int | bool | tuple[str, ...] | PortRange


class Kind(Enum):
    """What may be written for a field, and (after the colon) what code gets."""

    TEXT = "one line of text: str"
    INTEGER = "a whole number: int"
    BOOLEAN = "true or false: bool"
    TEXTS = "a list of texts, or one text; the layers' lists accumulate: tuple of str"
    MEMORY = "a number with K, M, G or T: int, MiB"
    SIZE = "a number with K, M, G or T: int, bytes"
    WALLTIME = "HH:MM or minutes: int, seconds"
    PORTS = "a port, or a range of ports: PortRange"

    @property
    def words(self) -> str:
        """What may be written."""
        return str(self.value).rpartition(": ")[0]


class Field(NamedTuple):
    """One setting. `default` is in the units of the kind; None: not set unless somebody sets it."""

    key: str
    kind: Kind
    default: Value | None
    help: str
    minimum: int = 0  # of a number, in its unit; of a text, its length; 0 lets a walltime be ""


class Section(NamedTuple):
    """A runner's own settings, below `runner.<its name>`. The key `optional` is taken."""

    fields: tuple[Field, ...] = ()


SETTINGS = (
    Field("runner.default", Kind.TEXT, "local", "the runner if neither environment nor command line names one", 1),
    Field("runner.pool.min_workers", Kind.INTEGER, 0, "workers kept warm, per resource class"),
    Field("runner.pool.max_workers", Kind.INTEGER, 16, "most workers, per resource class", 1),
    Field("runner.pool.idle_timeout", Kind.INTEGER, 300, "seconds idle before a worker ends, never below min_workers"),
    Field("runner.pool.launch_batch_size", Kind.INTEGER, 4, "most workers asked for in one scale-up step", 1),
    Field("runner.pool.launch_timeout", Kind.INTEGER, 0, "seconds a submitted job may pend before it is cancelled; 0: for ever"),
    Field("runner.pool.walltime", Kind.WALLTIME, 0, 'HH:MM of a worker\'s own job; "": the default of its queue'),
    Field("runner.pool.slots_per_worker", Kind.INTEGER, 1, "tasks a worker runs at once; its job asks for that many times the class", 1),
    Field("runner.defaults.memory", Kind.MEMORY, 1024, "memory of a task that names none", 1),
    Field("runner.defaults.cores", Kind.INTEGER, 1, "cores of a task that names none", 1),
    Field("runner.defaults.walltime", Kind.WALLTIME, 3600, "limit of a task that names none", 1),
    Field("runner.task_log_limit", Kind.SIZE, 1024**3, "most kept of one task's log: its head and its tail", 1),
    Field("runner.retry.infra", Kind.INTEGER, 2, "times a task is run again after a worker was lost under it"),
    Field("runner.daemon.bind", Kind.TEXT, "", 'address to listen on for workers; "": loopback for local pools only, else all'),
    Field("runner.daemon.advertise", Kind.TEXTS, (), "addresses that workers try in this order; none: the full host name, then each interface"),
    Field("runner.daemon.worker_port", Kind.PORTS, PortRange(0, 0), "port that workers connect to, or a range of them; 0: any"),
    Field("runner.daemon.tls", Kind.BOOLEAN, True, "encrypt the connections of workers"),
    Field("runner.daemon.allow_users", Kind.TEXTS, (), "other local users who may use the socket; none: only the owner"),
    Field("run.keep_going", Kind.BOOLEAN, False, "after a failure, go on with what does not depend on it (-k)"),
)  # fmt: skip

CLASSES = "runner.resource_classes"
CLASS_FIELDS = (
    Field("cores", Kind.INTEGER, None, "cores of a task of this class", 1),
    Field("memory", Kind.MEMORY, None, "memory of a task of this class", 1),
    Field("walltime", Kind.WALLTIME, None, "limit of a task of this class that names none", 1),
    Field("queue", Kind.TEXT, None, "batch queue or partition of this class"),
    Field("resource_select", Kind.TEXTS, (), "requirements on the host, beside the runner's own"),
)

LIMITS = "runner.limits"
LIMIT = Field("", Kind.INTEGER, None, "tokens of this name, shared by all clients of a daemon")

OPTIONAL = Field("optional", Kind.BOOLEAN, False, "skip this section on hosts without its runner")

SYNONYMS = {"runner.type": "runner.default"}
