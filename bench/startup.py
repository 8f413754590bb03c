"""What a start costs: of Python itself, of dfm's commands, and of a worker until it is known."""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.measure import Command, Folders, environment, in_turn, run
from bench.tools import DFM
from dfm.link import Link
from dfm.wire.prelude import WORKER
from dfm_daemon.shell import credentials
from dfm_daemon.shell.door import Door

SMALL_FLOW = """
package:
  name: small
  tasks:
  - {name: src, uses: std.CreateFile, with: {filename: a.v, content: "module a; endmodule", type: verilogSource}}
  - {name: compile, needs: [src], run: "cp $DFM_INPUTS out"}
  - {root: all, needs: [compile], run: "true"}
"""


def commands(folders: Folders, peer: Path | None, runs: int) -> dict[str, float]:
    """Seconds on the clock, medians."""
    flow = folders.new()
    (flow / "flow.yaml").write_text(SMALL_FLOW)
    run([*DFM, "run", "all", "--runner", "local"], flow)

    def here() -> Path:
        return flow

    found = {
        "python -c pass": Command([sys.executable, "-c", "pass"], here),
        "dfm --help": Command([*DFM, "--help"], here),
        "dfm run, 3 tasks up to date": Command([*DFM, "run", "all"], here),
    }
    if peer is not None:
        found["dv-flow-mgr --help"] = Command([str(peer), "--help"], here)
    costs = in_turn(found, runs)
    return {name: cost.wall_s for name, cost in costs.items()}


def worker(runs: int) -> float:
    """Seconds from the start of a worker's process until its daemon knows it, median."""
    return asyncio.run(_worker(runs))


async def _worker(runs: int) -> float:
    known: asyncio.Queue[tuple[Link, Any]] = asyncio.Queue()
    with tempfile.TemporaryDirectory() as folder:
        made = credentials.make(folder)
        listener = socket.create_server(("127.0.0.1", 0))
        door = Door(
            listener,
            credentials.guard(made),
            {WORKER: lambda link, hello: known.put_nowait((link, hello))},
        )
        serving = asyncio.create_task(door.serve())
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        words = [sys.executable, "-m", "dfm_worker", "--connect", address,
                 "--credentials", made.worker, "--worker", "w1"]  # fmt: skip
        times = []
        for _ in range(runs):
            began = time.perf_counter()
            pid = os.posix_spawn(  # noqa: ASYNC221 - it returns at once
                words[0], words, environment(),
                file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)],
            )  # fmt: skip
            link, _ = await known.get()
            times.append(time.perf_counter() - began)
            link.cut("that was all")
            await asyncio.to_thread(os.waitpid, pid, 0)
        serving.cancel()
        listener.close()
    return statistics.median(times)
