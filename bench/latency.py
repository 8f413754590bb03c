"""One task alone through a daemon: submitted, executed by a warm worker in a directory of its own
with a log, its result back here, and its record written."""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from bench.work import PROGRAM
from dfm.client.dispatcher import DaemonDispatcher
from dfm.client.find import reach
from dfm.config.state_folder import StateFolder
from dfm.engine.records import write_whole
from dfm.wire.task import Requirements, TaskResult, TaskSpec, WorkerShape

_ONE_CORE = Requirements(WorkerShape("1c-1G", 1, 1024), 1, 0)
# As large as one of a small task.
_RECORD = {f"part{part}": {"name": "bench.task", "values": list(range(10))} for part in range(14)}


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

    def asked(self, task: str) -> dict[str, Any]:
        return {}

    def fail(self, error: BaseException) -> None:
        assert self.over is not None
        self.over.set_exception(error)


def alone(flow: Path, place: Path, count: int, script: str = PROGRAM) -> float:
    """Seconds, median. The daemon of `flow` must run."""
    return uvloop.run(_alone(flow, place, count, script))


async def _alone(flow: Path, place: Path, count: int, script: str) -> float:
    line = reach(StateFolder(str(flow)))
    assert line is not None
    waiter = _Waiter()
    dispatcher = await DaemonDispatcher.connect(line, waiter, dict(os.environ), print)
    times = []
    for number in range(count):
        rundir = f"{place}/alone{number}"
        spec = TaskSpec(
            f"t{number}", rundir, str(flow), "bash", script, b"{}", None, {}, [], 0, 0, None
        )
        waiter.over = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        dispatcher.submit(number, spec, b"[]", _ONE_CORE, 0.0)
        result = await waiter.over
        write_whole(f"{rundir}/t{number}.exec_data.json", json.dumps(_RECORD).encode())
        times.append(time.perf_counter() - began)
        assert result.status == 0, result
    await dispatcher.close()
    return statistics.median(times)
