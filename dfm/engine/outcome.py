"""How a node ended, for those who watch a run, and who they are."""

import enum
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from dfm.engine.records import Marker
from dfm.graph.node import Node
from dfm.wire.task import Requirements, TaskResult


class Ending(enum.Enum):
    """What happened to a node in this run."""

    DONE = "done"
    UP_TO_DATE = "up-to-date"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # with its worker, through no fault of its own
    SKIPPED = "skipped"


class Outcome(NamedTuple):
    """The end of one node. A log that a task has is `NAME.log` in `folder`."""

    node: Node
    ending: Ending
    status: int = 0  # negative: killed by that signal
    wall_ms: float = 0.0
    markers: Sequence[Marker] = ()
    folder: str = ""  # absolute
    log_tail: str = ""  # of a failed task
    why: str = ""  # of a skipped, cancelled or lost one


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
    if result.status < 0:
        return f"Command failed: killed by signal {-result.status}"
    return f"Command failed: status {result.status}"
