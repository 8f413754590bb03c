"""The run as short lines without control codes: for files, pipes and CI."""

import sys
from typing import TextIO

from dfm.cli.display.cut_off import drop_output
from dfm.cli.display.words import duration, log_path, printable, title, usage, verdict
from dfm.engine.outcome import Ending, Outcome
from dfm.graph.node import Node

_LETTERS = {"error": "E", "warning": "W", "info": "I"}
_NOT_EXECUTED = (Ending.UP_TO_DATE, Ending.BASE, Ending.CACHE, Ending.SKIPPED)


class Lines:
    """Prints `>> [running] Task NAME` when a task starts and `<< [running] Task NAME TIME` at its
    end, with its markers below it (section 38)."""

    def __init__(self, stream: TextIO = sys.stdout, *, verbose: bool = False) -> None:
        self.is_cut_off = False
        self._stream = stream
        self._verbose = verbose
        self._why = ""  # of the last that was lost: all tasks without a worker have the same
        self._running: set[int] = set()  # what was said to have started; short tasks only end

    def started(self, node: Node, where: str) -> None:
        self._running.add(node.number)
        on = f" on {where}" if where else ""
        self._print(f">> [{len(self._running)}] Task {title(node)}{on}")

    def ended(self, outcome: Outcome) -> None:
        name = title(outcome.node)
        match outcome.ending:
            case ending if ending in _NOT_EXECUTED:
                if self._verbose:
                    why = f": {outcome.why}" if outcome.why else ""
                    self._print(f"-- Task {name} ({ending.value}{why})")
                return
            case Ending.DONE:
                took = usage(outcome) if self._verbose else ""
                text = f"{name} {took or duration(outcome.wall_ms / 1000)}"
            case Ending.LOST if outcome.why == self._why:
                text = f"{name} FAILED: infrastructure, as the one before"
            case Ending.FAILED | Ending.LOST | Ending.CANCELLED:
                self._why = outcome.why if outcome.ending is Ending.LOST else self._why
                text = f"{name} FAILED: {verdict(outcome)}"
                if outcome.log_tail:
                    text += f", see {log_path(outcome)}"
        self._running.add(outcome.node.number)
        self._print("\n".join([f"<< [{len(self._running)}] Task {text}", *marker_lines(outcome)]))
        self._running.discard(outcome.node.number)

    def said(self, text: str) -> None:
        self._print(text.rstrip("\n"))

    def notice(self, text: str) -> None:
        self._print(f"dfm: {text}")

    def refresh(self) -> None:
        """Lets out what was printed since the last time: a write for each line would be felt."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._cut_off()

    def close(self) -> None:
        self.refresh()

    def _print(self, text: str) -> None:
        try:
            self._stream.write(f"{text}\n")
        except BrokenPipeError:
            self._cut_off()

    def _cut_off(self) -> None:
        self.is_cut_off = True
        drop_output(self._stream)


def marker_lines(outcome: Outcome) -> list[str]:
    """A line per marker, and one for its place."""
    lines = []
    for marker in outcome.markers:
        lines.append(
            f"  {_LETTERS.get(marker.severity, 'I')} {outcome.node.name}: {printable(marker.message)}"
        )
        if marker.location:
            place = [str(marker.location.get("path", ""))]
            place += [
                str(marker.location[key])
                for key in ("line", "pos")
                if isinstance(marker.location.get(key), int) and marker.location[key] >= 0
            ]
            lines.append(f"    {':'.join(place)}")
    return lines
