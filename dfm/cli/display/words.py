"""How tasks, times and statuses are written for people."""

import os

from dfm.engine.outcome import Ending, Outcome
from dfm.graph.node import Node


def duration(seconds: float) -> str:
    """`12 ms`, `3.42 s`, `2:05 min`, `1:02:05 h`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02} h"


def title(node: Node) -> str:
    """The full name, and the axis values of a matrix cell."""
    if not node.bindings:
        return node.name
    return f"{node.name} ({' '.join(f'{axis}={value}' for axis, value in node.bindings.items())})"


def verdict(outcome: Outcome) -> str:
    """How a task failed, in a few words."""
    match outcome.ending:
        case Ending.LOST:
            return f"infrastructure: {outcome.why}"
        case Ending.CANCELLED:
            return "interrupted"
        case _ if outcome.status < 0:
            return f"killed by signal {-outcome.status}"
        case _:
            return f"status {outcome.status}"


def log_path(outcome: Outcome) -> str:
    """The task's log, as short as it can be said from here."""
    return short_path(f"{outcome.folder}/{outcome.node.name}.log")


def short_path(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("../..") else relative


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
