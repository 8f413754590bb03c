"""The trace of a run, for chrome://tracing and Perfetto: `rundir/log/PKG.trace.json` (section 36).

The file is whole JSON after each write, whatever becomes of dfm: the closing brackets are written over
by what comes next. A task is written when it has ended; it began as long before as it took.
"""

import bisect
import json
import os
import time
from typing import Any

from dfm.engine.outcome import Outcome

_END = b"\n]}\n"
_MOST_WAITING = 64 * 1024  # bytes that are not written yet
_MOST_INPUTS = 4096  # bytes of inputs that are given whole


class Trace:
    """Writes one trace. Its times are in microseconds since `began`, a time of time.monotonic().

    Each of its methods raises OSError.
    """

    def __init__(self, path: str, began: float) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._at = 0
        self._waiting: list[bytes] = []
        self._size = 0
        self._began = began
        self._is_empty = True
        self._lanes = _Lanes()
        self._ends: dict[int, tuple[int, int]] = {}  # of executed nodes: when, and in which lane
        self._flows = 0
        self._append(b'{"traceEvents": [')
        self._write()

    def ended(self, outcome: Outcome) -> None:
        """A task that was executed is over."""
        node = outcome.node
        end = round((time.monotonic() - self._began) * 1e6)
        begin = max(0, end - round(outcome.wall_ms * 1000))
        lane = self._lanes.take(begin, end)
        given = {"params": node.params, "inputs": _bounded(outcome.inputs)}
        made = {"status": outcome.status, "changed": outcome.changed, "output": outcome.output}
        self._event({"name": node.name, "cat": "task", "ph": "B", "ts": begin, "pid": 1,
                     "tid": lane, "args": given})  # fmt: skip
        for need in node.needs:
            self._flow(need, begin, lane)
        self._event({"name": node.name, "cat": "task", "ph": "E", "ts": end, "pid": 1,
                     "tid": lane, "args": made})  # fmt: skip
        self._ends[node.number] = (end, lane)
        if self._size >= _MOST_WAITING:
            self._write()

    def close(self) -> None:
        self._write()
        os.close(self._fd)

    def _flow(self, need: int, begin: int, lane: int) -> None:
        """An arrow from the end of a need that was executed too."""
        if need not in self._ends:
            return
        self._flows += 1
        at, its_lane = self._ends[need]
        arrow = {"name": "data", "cat": "flow", "id": self._flows, "pid": 1}
        self._event({**arrow, "ph": "s", "ts": at, "tid": its_lane})
        self._event({**arrow, "ph": "f", "bp": "e", "ts": max(begin, at), "tid": lane})

    def _event(self, event: dict[str, Any]) -> None:
        self._append(b"\n" if self._is_empty else b",\n")
        self._is_empty = False
        self._append(json.dumps(event).encode())

    def _append(self, data: bytes) -> None:
        self._waiting.append(data)
        self._size += len(data)

    def _write(self) -> None:
        data = b"".join(self._waiting)
        self._waiting, self._size = [], 0
        os.pwrite(self._fd, data + _END, self._at)
        self._at += len(data)


class _Lanes:
    """Rows of the picture: in one, no two tasks overlap. Tasks are put in as they end."""

    def __init__(self) -> None:
        self._ends: list[tuple[int, int]] = []  # of the last task in each, and its number; sorted

    def take(self, begin: int, end: int) -> int:
        place = bisect.bisect_right(self._ends, (begin, len(self._ends) + 1)) - 1
        lane = self._ends.pop(place)[1] if place >= 0 else len(self._ends) + 1
        bisect.insort(self._ends, (end, lane))
        return lane


def _bounded(inputs: Any) -> Any:
    """All fields of what came in, or of much only who made it: a join of 10,000 tasks has them all."""
    if len(json.dumps(inputs[:100])) * max(1, len(inputs) / 100) <= _MOST_INPUTS:
        return inputs
    return [{key: item.get(key) for key in ("type", "src", "seq")} for item in inputs[:100]]
