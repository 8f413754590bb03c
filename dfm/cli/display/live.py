"""The run as a display that is drawn anew several times a second, for terminals.

The library behind it takes 0.1 s to import, so that nothing is drawn before a run has lasted longer
than that; what is to stay on the screen is printed above the display.
"""

import time
from collections import deque
from typing import TYPE_CHECKING

from dfm.cli.display.lines import marker_lines
from dfm.cli.display.words import duration, log_path, title, verdict
from dfm.engine.outcome import Ending, Outcome
from dfm.graph.node import Node

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_FIRST_S = 0.2  # of a run without a display
_RATE_S = 5.0  # over which the rate is taken
_MOST_ROWS = 12


class LiveDisplay:
    """`total` tasks: how many are done, run, have failed; the rate; what runs now."""

    is_cut_off = False  # a terminal is no pipe

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        self._total = total
        self._verbose = verbose
        self._began = time.monotonic()
        self._running: dict[int, tuple[Node, str, float]] = {}
        self._over = 0
        self._failed = 0
        self._ends: deque[float] = deque()
        self._note = ""
        self._why = ""  # of the last that was lost: all tasks without a worker have the same
        self._console: Console | None = None
        self._live: Live | None = None

    def started(self, node: Node, where: str) -> None:
        self._running[node.number] = (node, where, time.monotonic())

    def ended(self, outcome: Outcome) -> None:
        self._running.pop(outcome.node.number, None)
        self._over += 1
        if outcome.ending in (Ending.DONE, Ending.FAILED, Ending.LOST, Ending.CANCELLED):
            self._ends.append(time.monotonic())
        if outcome.ending in (Ending.FAILED, Ending.LOST, Ending.CANCELLED):
            self._failed += 1
        if outcome.ending is Ending.LOST and outcome.why == self._why:
            self._print(f"FAILED {title(outcome.node)}: infrastructure, as the one before")
        elif outcome.ending in (Ending.FAILED, Ending.LOST):
            self._why = outcome.why if outcome.ending is Ending.LOST else self._why
            text = f"FAILED {title(outcome.node)}: {verdict(outcome)}"
            if outcome.log_tail:
                text += f", see {log_path(outcome)}"
            self._print(text)
        elif self._verbose and outcome.ending in (Ending.UP_TO_DATE, Ending.BASE, Ending.CACHE):
            self._print(f"-- Task {title(outcome.node)} ({outcome.ending.value})")
        for line in marker_lines(outcome) if outcome.ending is Ending.DONE else ():
            self._print(line)

    def said(self, text: str) -> None:
        self._print(text.rstrip("\n"))

    def notice(self, text: str) -> None:
        self._print(f"dfm: {text}")

    def refresh(self) -> None:
        """Draws the display as it is now."""
        now = time.monotonic()
        if self._live is None:
            if now - self._began < _FIRST_S or not self._running:
                return
            self._begin()
        assert self._live is not None
        self._live.update(self._render(now), refresh=True)

    def close(self) -> None:
        """Takes the display off the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begin(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def _print(self, text: str) -> None:
        if self._console is None:
            print(text, flush=True)  # noqa: T201
        else:
            self._console.print(text, markup=False, soft_wrap=True)

    def _render(self, now: float) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        assert self._console is not None
        rows = max(1, min(_MOST_ROWS, self._console.height - 3))
        oldest = sorted(self._running.values(), key=lambda running: running[2])
        lines = [Text(self._status(now), style="bold red" if self._failed else "bold")]
        for node, where, since in oldest[:rows]:
            on = f"  {where}" if where else ""
            line = Text(f"  {duration_of_running(now - since):>8}  {title(node)}{on}")
            line.truncate(self._console.width, overflow="ellipsis")
            lines.append(line)
        if len(oldest) > rows:
            lines.append(Text(f"  {'':>8}  and {len(oldest) - rows} more"))
        return Group(*lines)

    def _status(self, now: float) -> str:
        while self._ends and self._ends[0] < now - _RATE_S:
            self._ends.popleft()
        span = min(_RATE_S, max(now - self._began, 0.001))
        rate = len(self._ends) / span
        return (
            f"{self._over}/{self._total} done  {len(self._running)} running"
            f"  {self._failed} failed  {rate:.1f}/s  {duration_of_running(now - self._began)}"
        )


def duration_of_running(seconds: float) -> str:
    """Without fractions: it counts on the screen."""
    return duration(float(int(seconds))) if seconds >= 60 else f"{int(seconds)} s"
