"""The feed asks on, whatever becomes of the daemon."""

import queue
from typing import Any, cast

import pytest

from dfm.cli.monitor import feed
from dfm.cli.monitor.feed import Feed
from dfm.cli.monitor.view import Arrived, Gone
from dfm.client.control import Control
from dfm.errors import DaemonError
from dfm.version import VERSION
from dfm.wire.client import Snapshot, Welcome
from dfm.wire.codec import MAJOR, MINOR
from tests.dfm.cli.monitor.conftest import snapshot

PATIENCE_S = 30.0


class Daemon:
    """One that ends when it was asked so often."""

    def __init__(self, pid: int, count: int, answers: int) -> None:
        self.welcome = Welcome(MAJOR, MINOR, VERSION, pid, "local")
        self.asked: list[int] = []
        self.is_closed = False
        self._count = count
        self._answers = answers

    def snapshot(self, since: int, rows: int) -> Snapshot:
        self.asked.append(since)
        if len(self.asked) > self._answers:
            raise DaemonError("the daemon closed the connection")
        return snapshot(count=self._count)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PERIOD_S", 0.001)


def test_it_goes_on_with_the_daemon_that_comes_back() -> None:
    first, second = Daemon(1, 500, answers=2), Daemon(2, 3, answers=10**9)
    found: list[Any] = [second, None, DaemonError("it is silent")]
    heard: queue.Queue[Arrived | Gone] = queue.Queue()
    made = Feed(cast(Control, first), lambda: _next(found), heard.put)
    made.start()
    try:
        news = [heard.get(timeout=PATIENCE_S) for _ in range(7)]
    finally:
        made.stop()
    assert [one.pid if isinstance(one, Arrived) else one.reason for one in news] == [
        1, 1, "the daemon closed the connection", "it is silent", "none runs", 2, 2,
    ]  # fmt: skip
    assert first.asked == [0, 500, 500]
    assert first.is_closed
    assert second.asked[:2] == [0, 3], "another daemon counts anew"


def _next(found: list[Any]) -> Control | None:
    one = found.pop()
    if isinstance(one, DaemonError):
        raise one
    return cast(Control | None, one)
