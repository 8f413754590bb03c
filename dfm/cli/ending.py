"""What `dfm daemon stop` says while the daemon ends its tasks, or waits for them."""

import sys
import time
from collections.abc import Mapping

from dfm.cli.display.live import duration_of_running
from dfm.cli.display.words import plural
from dfm.client.control import Control
from dfm.errors import DaemonError

_LOOK_S = 0.5
_QUIET_S = 30.0  # between two lines, where they stay
_CLEAR = "\r\x1b[K"


def end(control: Control, *, drain: bool, timeout_s: float | None) -> None:
    """Asks a daemon to end, and waits until it closes the connection.

    Raises DaemonError if it has not after `timeout_s`.
    """
    tasks = control.snapshot(0, 0).tasks
    text = _beginning(tasks, drain=drain)
    if text:
        print(text, flush=True)  # noqa: T201
    control.ask_to_stop(drain=drain)
    progress = _Progress(redraws=sys.stdout.isatty())
    try:
        while not control.is_ending(_LOOK_S):
            running = _running(control) if drain else 0
            if timeout_s is not None and progress.waited_s() >= timeout_s:
                why = f"{plural(running, 'task')} still running" if running else "its log says more"
                raise DaemonError(
                    f"the daemon has not ended within {timeout_s:g} s: {why}",
                    hint="it goes on with that; stop it without --drain to end them"
                    if running
                    else "",
                )
            if running:
                progress.show(running)
    finally:
        progress.clear()


def _running(control: Control) -> int:
    """How many tasks; none if the daemon ends just now."""
    try:
        return control.snapshot(0, 0).tasks["running"]
    except DaemonError:
        return 0


def _beginning(tasks: Mapping[str, int], *, drain: bool) -> str:
    """What becomes of the tasks that there are; empty if there are none."""
    said = []
    if tasks["running"]:
        running = plural(tasks["running"], "running task")
        said.append(f"waiting for {running}" if drain else f"ending {running}")
    if tasks["queued"]:
        said.append(f"{tasks['queued']} queued will not run")
    return "; ".join(said)


class _Progress:
    """How many tasks the daemon still waits for: one line that changes, or a new line at times."""

    def __init__(self, *, redraws: bool) -> None:
        self._redraws = redraws
        self._began = self._said_at = time.monotonic()
        self._is_drawn = False

    def waited_s(self) -> float:
        return time.monotonic() - self._began

    def show(self, running: int) -> None:
        now = time.monotonic()
        text = f"{plural(running, 'task')} still running, {duration_of_running(now - self._began)}"
        if self._redraws:
            print(f"{_CLEAR}{text}", end="", flush=True)  # noqa: T201
            self._is_drawn = True
        elif now - self._said_at >= _QUIET_S:
            print(text, flush=True)  # noqa: T201
            self._said_at = now

    def clear(self) -> None:
        if self._is_drawn:
            print(_CLEAR, end="", flush=True)  # noqa: T201
