"""What the monitor shows now: made of the answers that came, and of the time since the last one."""

from typing import NamedTuple

from dfm.cli.monitor import status_bar, tables
from dfm.cli.monitor.history import History
from dfm.cli.monitor.lines import Line
from dfm.wire.client import Snapshot

_LATE_S = 3.0  # without an answer


class Arrived(NamedTuple):
    """An answer of the daemon with this pid."""

    pid: int
    runner: str
    snapshot: Snapshot


class Gone(NamedTuple):
    """There is nobody to ask; `reason` is for people."""

    reason: str


class View:
    """Lines for the three parts of the screen. `now` is monotonic, in seconds."""

    def __init__(self, project: str, ellipsis: str, now: float) -> None:
        self.is_gone = False
        self._project = project
        self._ellipsis = ellipsis
        self._history = History()
        self._arrived: Arrived | None = None
        self._heard_at = now
        self._reason = ""

    def take(self, news: Arrived | Gone, now: float) -> None:
        if isinstance(news, Gone):
            if not self.is_gone:
                self.is_gone, self._heard_at = True, now
            self._reason = news.reason
            return
        if self._arrived is None or news.pid != self._arrived.pid:
            self._history = History()  # another daemon counts anew
        self.is_gone = False
        self._arrived, self._heard_at = news, now
        self._history.take(news.snapshot)

    @property
    def pid(self) -> int:
        """Of the daemon that was heard last; 0: none."""
        return self._arrived.pid if self._arrived else 0

    def running(self, width: int, height: int) -> list[Line]:
        snapshot = self._arrived.snapshot if self._arrived else None
        tasks, count = (
            (snapshot.running, snapshot.tasks["running"]) if snapshot is not None else ([], 0)
        )
        return tables.running_lines(tasks, count, self._widths(width), height, self._ellipsis)

    def ended(self, width: int, height: int) -> list[Line]:
        return tables.ended_lines(
            self._history.ended(), self._widths(width), height, self._ellipsis
        )

    def status(self, width: int, now: float) -> list[Line]:
        who, uptime_s = "", 0.0
        if self._arrived is not None:
            who = f"{self._arrived.runner}, pid {self._arrived.pid}"
            uptime_s = self._arrived.snapshot.uptime_s
        trouble = self._trouble(now)
        lines = [
            status_bar.first_line(uptime_s, who, self._project, trouble, width, self._ellipsis)
        ]
        if self._arrived is not None:
            lines += status_bar.number_lines(
                self._arrived.snapshot, self._history.rate(), width, self._ellipsis
            )
        return lines

    def _trouble(self, now: float) -> str:
        since = status_bar.clock(now - self._heard_at)
        if self.is_gone:
            return f"THE DAEMON IS GONE, trying again for {since} ({self._reason})"
        if now - self._heard_at > _LATE_S:
            return f"NO ANSWER for {since}; what is shown is as old"
        return ""

    def _widths(self, width: int) -> tables.Widths:
        running = self._arrived.snapshot.running if self._arrived else []
        return tables.widths(width, running, list(self._history.ended()))
