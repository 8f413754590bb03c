"""How tasks, times and statuses are written for people."""

import os
import re

from dfm.engine.outcome import Ending, Outcome, status_in_words
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
            first_line = outcome.why.partition("\n")[0]
            return f"infrastructure: {first_line}"
        case Ending.CANCELLED:
            return "interrupted"
        case _:
            return status_in_words(outcome.status)


def memory(kib: int) -> str:
    """`640 KiB`, `12 MiB`, `3.4 GiB`."""
    if kib < 1024:
        return f"{kib} KiB"
    return f"{kib / 1024:.0f} MiB" if kib < 1024**2 else f"{kib / 1024**2:.1f} GiB"


def usage(outcome: Outcome) -> str:
    """`3.42 s, cpu 6.10 s, peak 1.2 GiB`; empty for what took no time worth a word."""
    if not outcome.wall_ms:
        return ""
    wall, used = duration(outcome.wall_ms / 1000), outcome.usage
    if used is None or not used.max_rss_kib:
        return wall
    return f"{wall}, cpu {duration(used.cpu_s)}, peak {memory(used.max_rss_kib)}"


_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_MOST_COLUMNS = 400  # of one line of a log that is shown


def printable(text: str) -> str:
    """Without what moves cursors or rings bells."""
    return _CONTROL.sub("", text)


def log_lines(tail: str, most: int) -> list[str]:
    """The last lines of a log, none of them endless."""
    lines = (printable(line) for line in tail.rstrip("\n\0").split("\n")[-most:])
    return [
        line if len(line) <= _MOST_COLUMNS else f"...{line[3 - _MOST_COLUMNS :]}" for line in lines
    ]


def log_path(outcome: Outcome) -> str:
    """The task's log, as short as it can be said from here."""
    return short_path(outcome.log)


def short_path(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("../..") else relative


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
