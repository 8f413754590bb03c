"""The four lines of numbers."""

from collections.abc import Sequence

from dfm.cli.display.words import duration
from dfm.cli.monitor.lines import Line, Look, keep_head, keep_tail, one_line
from dfm.wire.client import PoolCounts, Snapshot

HEIGHT = 4
_LEAVE = "q: detach"
_LABEL = 9


def first_line(
    uptime_s: float, who: str, project: str, trouble: str, width: int, ellipsis: str
) -> Line:
    """Of a daemon that answers, or what keeps us from it."""
    if trouble:
        return Line(_ends(one_line(trouble), _LEAVE, width, ellipsis), Look.ALARM)
    text = f"{'uptime':<{_LABEL}}{clock(uptime_s)}   {who}   "
    room = width - len(text) - len(_LEAVE) - 2
    text += keep_tail(one_line(project), room, ellipsis)
    return Line(_ends(text, _LEAVE, width, ellipsis), Look.HEAD)


def number_lines(snapshot: Snapshot, rate: float, width: int, ellipsis: str) -> list[Line]:
    """Workers, tasks, pools."""
    workers, tasks = snapshot.workers, snapshot.tasks
    parts = [f"{workers[word]} {word}" for word in ("total", "busy", "idle", "pending")]
    parts += [f"{workers[word]} {word}" for word in ("draining", "lost") if workers[word]]
    ended, failed = tasks["completed"] + tasks["failed"], tasks["failed"]
    of_tasks = [
        f"{tasks['running']:,} running",
        f"{ended:,} completed ({failed:,} failed)",
        f"{rate:,.1f}/s" if rate < 100 else f"{rate:,.0f}/s",
        f"{tasks['queued']:,} queued",
    ]
    of_tasks += [f"{tasks[word]:,} {word}" for word in ("cancelled", "retried") if tasks[word]]
    error = _error(snapshot)
    return [
        _labelled("workers", ", ".join(parts), width, ellipsis),
        _labelled("tasks", ", ".join(of_tasks), width, ellipsis),
        _pools(snapshot.pools, error, width, ellipsis),
    ]


def clock(seconds: float) -> str:
    """`0:07`, `1:02:05`, `3 d 1:02:05`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour}:{minute:02}:{second:02}"
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _labelled(label: str, text: str, width: int, ellipsis: str) -> Line:
    return Line(keep_head(f"{label:<{_LABEL}}{text}", width, ellipsis))


def _pools(pools: Sequence[PoolCounts], error: str, width: int, ellipsis: str) -> Line:
    """Pools in trouble come first; an error gets what room they leave, and at least half."""
    ordered = sorted(pools, key=lambda pool: pool.state == "ok")
    text = ", ".join(
        f"{one_line(pool.name)} {pool.state} {pool.serving}/{pool.max_workers}" for pool in ordered
    )
    room = width - _LABEL
    if error:
        text = keep_head(text or "none", max(room - len(error) - 3, room // 2 - 3), ellipsis)
        text = f"{text}   {error}"
    look = Look.PLAIN if all(pool.state == "ok" for pool in pools) else Look.BAD
    return _labelled("pools", text or "none", width, ellipsis)._replace(look=look)


def _error(snapshot: Snapshot) -> str:
    """The trouble that a pool has now, else the last that there was."""
    text = next((pool.last_error for pool in snapshot.pools if pool.last_error), "")
    if text:
        return f"error: {one_line(text)}"
    if not snapshot.trouble:
        return "no error"
    age = duration(float(max(1, int(snapshot.trouble_age_s)))).replace(".00", "")
    return f"{age} ago: {one_line(snapshot.trouble)}"


def _ends(left: str, right: str, width: int, ellipsis: str) -> str:
    """One text at each end of a line."""
    room = width - len(right) - 2
    if room < len(left) // 2:
        return keep_head(left, width, ellipsis)
    return f"{keep_head(left, room, ellipsis):<{room}}  {right}"
