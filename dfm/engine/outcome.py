"""How a node ended, for those who watch a run, and who they are."""

import enum
import signal
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from dfm.engine.records import Marker, Usage
from dfm.graph.node import Node
from dfm.graph.values import Fields
from dfm.wire.files import log_name, record_name
from dfm.wire.task import Requirements, TaskResult

_SHELL_BASE = 128  # of the status of a shell whose last command was killed by a signal


class Ending(enum.Enum):
    """What happened to a node in this run."""

    DONE = "done"
    UP_TO_DATE = "up-to-date"
    BASE = "base"  # done in the base run directory
    CACHE = "cache"  # its results came from a cache
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # with its worker, through no fault of its own
    SKIPPED = "skipped"


class Outcome(NamedTuple):
    """The end of one node."""

    node: Node
    ending: Ending
    status: int = 0  # negative: killed by that signal
    wall_ms: float = 0.0
    markers: Sequence[Marker] = ()
    folder: str = ""  # absolute
    log_tail: str = ""  # of a failed task
    why: str = ""  # of a skipped, cancelled or lost one
    usage: Usage | None = None  # of one that was executed by a script
    changed: bool = False
    inputs: Sequence[Fields] = ()  # of one that was executed
    output: Sequence[Fields] = ()

    @property
    def log(self) -> str:
        """Where it is, if there is one."""
        return f"{self.folder}/{log_name(self.node.file_stem)}"

    @property
    def record(self) -> str:
        """The same of its record."""
        return f"{self.folder}/{record_name(self.node.file_stem)}"


class Observer(Protocol):
    """Somebody who shows a run to its user."""

    def started(self, node: Node, where: str) -> None:
        """A node is executed now; `where` is the host, or empty for this one."""

    def ended(self, outcome: Outcome) -> None: ...

    def said(self, text: str) -> None:
        """What a task printed for the user."""

    def notice(self, text: str) -> None:
        """What the run has to say about itself."""


def why_failed(result: TaskResult, requirements: Requirements) -> str:
    """In words, for the error marker of a task that did not succeed."""
    if result.ended_by == "walltime":
        limit, source = requirements.walltime_s, requirements.walltime_from
        return f"Command failed: it ran longer than its walltime of {limit} s (from {source})"
    if result.ended_by == "cancel":
        return "Command failed: it was interrupted"
    if result.failure:
        return result.failure
    return f"Command failed: {status_in_words(result.status)}"


def status_in_words(status: int) -> str:
    """`killed by SIGSEGV (signal 11)`, `status 139 (128 + SIGSEGV)` as a shell says it, `status 3`."""
    if status < 0:
        name = _signal_name(-status)
        return f"killed by {name} (signal {-status})" if name else f"killed by signal {-status}"
    name = _signal_name(status - _SHELL_BASE)
    return f"status {status} (128 + {name})" if name else f"status {status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # none, or a real-time signal
        return ""
