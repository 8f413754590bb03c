"""Answers of a daemon, made of the numbers that a test cares for."""

from collections.abc import Sequence
from typing import Any

from dfm.wire.client import EndedTask, PoolCounts, RunningTask, Snapshot

OK = PoolCounts("1c", "local", "ok", 2, 4, "")


def running(task: str = "p.t", elapsed_s: float = 7.0, **more: Any) -> RunningTask:
    return RunningTask(task, "w1", "host", elapsed_s)._replace(**more)


def ended(number: int, task: str = "", status: int = 0, **more: Any) -> EndedTask:
    made = EndedTask(number, task or f"p.t{number}", "w1", "host", status, 1.5, "")
    return made._replace(**more)


def snapshot(
    uptime_s: float = 10.0,
    ends: Sequence[EndedTask] = (),
    count: int | None = None,
    runs: Sequence[RunningTask] = (),
    **more: Any,
) -> Snapshot:
    """`ends`: newest first."""
    number = count if count is not None else max((one.number for one in ends), default=0)
    words = ("total", "busy", "idle", "pending", "draining", "lost")
    counts = dict.fromkeys(("queued", "failed", "cancelled", "retried"), 0)
    return Snapshot(
        uptime_s,
        list(runs),
        list(ends),
        number,
        dict.fromkeys(words, 0),
        {**counts, "running": len(runs), "completed": number},
        [OK],
    )._replace(**more)
