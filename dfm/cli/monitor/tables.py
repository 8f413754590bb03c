"""The two tables: what runs and what has ended. Their columns stand below each other; the name of the
task comes last and takes what room is left."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dfm.cli.display.live import duration_of_running
from dfm.cli.display.words import duration
from dfm.cli.monitor.lines import Line, Look, keep_tail, one_line
from dfm.wire.client import EndedTask, RunningTask

_TIME = 9
_WORKER = (6, 10)  # least and most columns
_PLACE = (11, 24)  # a host, or a result
_MIDDLE = 70  # from so many columns on a host may take more than the least
_NARROW = 45  # and with less no worker is shown
_GAP = "  "


class Widths(NamedTuple):
    """Columns of the screen; 0: not shown."""

    worker: int
    place: int
    task: int


def widths(width: int, running: Sequence[RunningTask], ended: Sequence[EndedTask | int]) -> Widths:
    """Fits both tables. A narrow screen has no room for workers."""
    names = [task.worker for task in running]
    names += [one.worker for one in ended if isinstance(one, EndedTask)]
    worker = _between(_WORKER, map(len, names))
    most = (_PLACE[0], _PLACE[1] if width > _MIDDLE else _PLACE[0])
    place = _between(most, (len(task.host) for task in running))
    if width < _NARROW:
        worker = 0
    rest = width - _TIME - 2 - place - 2 - (worker + 2 if worker else 0)
    return Widths(worker, place, max(rest, 8))


def running_lines(
    running: Sequence[RunningTask], count: int, columns: Widths, height: int, ellipsis: str
) -> list[Line]:
    """With a heading, cut to `height`."""
    shown = running[: max(height - 1, 0)]
    how_many = f"{count}" if len(shown) >= count else f"{len(shown)} of {count}"
    title = f"RUNNING ({how_many}, longest first)"
    lines = [_head("ELAPSED", "HOST", title, columns)]
    for task in shown:
        elapsed = duration_of_running(task.elapsed_s)
        lines.append(_line(elapsed, task.worker, task.host, task.task, columns, ellipsis))
    return lines[:height]


def ended_lines(
    ended: Iterable[EndedTask | int], columns: Widths, height: int, ellipsis: str
) -> list[Line]:
    """With a heading, cut to `height`."""
    lines = [_head("TIME", "RESULT", "ENDED (newest first)", columns)]
    for one in itertools.islice(ended, max(height - 1, 0)):
        if isinstance(one, int):
            lines.append(_line("", "", "", f"({one} more)", columns, ellipsis))
            continue
        word = result(one)
        wall = "" if one.lost else duration(one.wall_s)
        look = Look.PLAIN if word == "pass" else Look.BAD
        lines.append(_line(wall, one.worker, word, one.task, columns, ellipsis, look))
    return lines[:height]


def result(one: EndedTask) -> str:
    """How a task ended, in a word or two."""
    if one.lost:
        return "LOST"
    if not one.status:
        return "pass"
    return f"FAIL {one.status}" if one.status > 0 else f"FAIL sig {-one.status}"


def _head(time: str, place: str, title: str, columns: Widths) -> Line:
    return _line(time, "WORKER", place, title[: columns.task], columns, "")._replace(look=Look.HEAD)


def _line(
    time: str, worker: str, place: str, task: str, columns: Widths, ellipsis: str,
    look: Look = Look.PLAIN,
) -> Line:  # fmt: skip
    cells = [time.rjust(_TIME)]
    if columns.worker:
        cells.append(keep_tail(one_line(worker), columns.worker, ellipsis).ljust(columns.worker))
    cells.append(keep_tail(one_line(place), columns.place, ellipsis).ljust(columns.place))
    cells.append(keep_tail(one_line(task), columns.task, ellipsis))
    return Line(_GAP.join(cells), look)


def _between(bounds: tuple[int, int], lengths: Iterable[int]) -> int:
    least, most = bounds
    return min(most, max(least, *lengths, 0))
