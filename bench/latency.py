"""One task alone through a daemon: submitted, executed by a warm worker, its result back here."""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from dfm.client.dispatcher import DaemonDispatcher
from dfm.client.find import reach
from dfm.config.state_folder import StateFolder
from dfm.wire.task import TaskResult, TaskSpec


class _Waiter:
    """Hears of one task at a time."""

    def __init__(self) -> None:
        self.over: asyncio.Future[TaskResult] | None = None

    def started(self, number: int, where: str) -> None:
        pass

    def finished(self, number: int, result: TaskResult) -> None:
        assert self.over is not None
        self.over.set_result(result)

    def lost(self, number: int, reason: str) -> None:
        self.fail(RuntimeError(reason))

    def withdrawn(self, numbers: Sequence[int]) -> None:
        self.fail(RuntimeError("withdrawn"))

    def fail(self, error: BaseException) -> None:
        assert self.over is not None
        self.over.set_exception(error)


def alone(flow: Path, place: Path, count: int) -> float:
    """Seconds, median. The daemon of `flow` must run."""
    return uvloop.run(_alone(flow, place, count))


async def _alone(flow: Path, place: Path, count: int) -> float:
    line = reach(StateFolder(str(flow)))
    assert line is not None
    waiter = _Waiter()
    dispatcher = await DaemonDispatcher.connect(line, waiter, dict(os.environ), print)
    times = []
    for number in range(count):
        rundir = f"{place}/alone{number}"
        spec = TaskSpec(
            f"t{number}", rundir, str(flow), "bash", "true", b"{}", None, {}, [], 0, 0, None
        )
        waiter.over = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        dispatcher.submit(number, spec, b"[]")
        result = await waiter.over
        times.append(time.perf_counter() - began)
        assert result.status == 0, result
    await dispatcher.close()
    return statistics.median(times)
