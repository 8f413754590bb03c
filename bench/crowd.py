"""A runner whose jobs are workers that run nothing, many in one process; found by the daemon through
the entry point `dfm_runners`, as that of any other package.

At most as many come as DFM_BENCH_AGENTS says; the other jobs stay pending.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from dfm.config.fields import Section, Value
from dfm.runners.base import JobId, JobState, JobStatus, WorkerRequest

NAME = "crowd"
AGENTS = "DFM_BENCH_AGENTS"
_PROCESSES = 2
_END_S = 10.0


def install(folder: Path) -> None:
    """Makes `folder` one that has this runner's package, for a PYTHONPATH."""
    about = folder / "dfm_bench_crowd-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: dfm-bench-crowd\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[dfm_runners]\n{NAME} = bench.crowd:CrowdRunner\n")


class CrowdRunner:
    section: ClassVar[Section] = Section()

    def __init__(self, settings: Mapping[str, Value]) -> None:
        self._processes: list[subprocess.Popen[str]] = []
        self._running: set[JobId] = set()

    def unusable(self) -> str | None:
        return None if AGENTS in os.environ else f"only for benchmarks, which set {AGENTS}"

    async def submit(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        coming = list(requests[: int(os.environ[AGENTS]) - len(self._running)])
        for first in range(min(_PROCESSES, len(coming))):
            self._start(f"crowd{first}", coming[first::_PROCESSES])
        self._running |= {JobId(request.worker) for request in coming}
        return [JobId(request.worker) for request in requests]

    def _start(self, name: str, requests: Sequence[WorkerRequest]) -> None:
        with open(f"{requests[0].log_folder}/{name}.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.agents"], stdin=subprocess.PIPE, stdout=log,
                stderr=log, text=True,
            )  # fmt: skip
        assert process.stdin is not None
        with process.stdin as words:
            json.dump([list(request.command) for request in requests], words)
        self._processes.append(process)

    async def poll(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        states = {True: JobState.RUNNING, False: JobState.PENDING}
        return {job: JobStatus(states[job in self._running]) for job in jobs}

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        """Ends all: nobody ends a single one here."""
        for process in self._processes:
            process.terminate()
        await asyncio.gather(
            *(asyncio.to_thread(process.wait, _END_S) for process in self._processes)
        )
