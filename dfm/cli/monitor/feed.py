"""Asks the daemon again and again, on a thread of its own: a screen that is drawn waits for nobody."""

import threading
import time
from collections.abc import Callable

from dfm.cli.monitor.view import Arrived, Gone
from dfm.client.control import Control
from dfm.errors import DfmError

PERIOD_S = 0.5
_SHARE = 4  # a daemon that takes long to answer is left alone for so many times as long
_FIRST_ROWS = 24


class Feed:
    """`connect` finds the daemon of now, if there is one; `tell` is called on the feed's thread."""

    def __init__(
        self,
        control: Control,
        connect: Callable[[], Control | None],
        tell: Callable[[Arrived | Gone], object],
    ) -> None:
        self.rows = _FIRST_ROWS  # of the screen: how much is worth asking for
        self._control: Control | None = control
        self._connect = connect
        self._tell = tell
        self._since = 0
        self._pid = control.welcome.pid
        self._is_over = threading.Event()
        # Not waited for at the end: it may be in the middle of a question to a silent daemon.
        self._thread = threading.Thread(target=self._run, name="dfm-monitor-feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()

    def _run(self) -> None:
        while not self._is_over.is_set():
            began = time.monotonic()
            news = self._ask()
            took = time.monotonic() - began
            if not self._is_over.is_set():
                self._tell(news)
            self._is_over.wait(max(PERIOD_S, _SHARE * took))

    def _ask(self) -> Arrived | Gone:
        try:
            control = self._control = self._control or self._connect()
            if control is None:
                return Gone("none runs")
            welcome = control.welcome
            if welcome.pid != self._pid:
                self._pid, self._since = welcome.pid, 0
            snapshot = control.snapshot(self._since, self.rows)
        except DfmError as error:
            if self._control is not None:
                self._control.close()
                self._control = None
            return Gone(error.problems[0].what)
        self._since = snapshot.ended_count
        return Arrived(welcome.pid, welcome.runner, snapshot)
