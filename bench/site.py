"""A daemon with a crowd of workers that run nothing: throughput, CPU, memory."""

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from bench import crowd
from bench.flood import Flood
from bench.measure import environment
from bench.tools import DFM
from bench.usage import cpu_s, resident
from dfm.client.control import Control
from dfm.client.find import find
from dfm.config.state_folder import StateFolder

_ROOT = Path(__file__).parent.parent
_COME_S = 300.0


class Rate(NamedTuple):
    """Of a flood of no-op tasks; CPU in seconds for each task."""

    tasks_per_s: float
    daemon_s: float
    client_s: float
    agents_s: float


class Site:
    """A context: the daemon and its agents run."""

    def __init__(self, folder: Path, agents: int, *, pool: int | None = None) -> None:
        self._flow = folder / f"site-{agents}"
        self._agents = agents
        self._pool = pool or agents
        self._state = StateFolder(str(self._flow))

    def __enter__(self) -> "Site":
        packages = self._flow / "packages"
        crowd.install(packages)
        (self._flow / "flow.yaml").write_text("package: {name: bench}\n")
        state = self._flow / ".dfm"
        state.mkdir(mode=0o700)
        pool = f"{{min_workers: {self._pool}, max_workers: {self._pool}, launch_batch_size: {self._pool}}}"
        (state / "config.yaml").write_text(
            f"runner: {{pool: {pool}, daemon: {{bind: 127.0.0.1}}}}\n"
        )
        self._environment = environment() | {
            crowd.AGENTS: str(self._agents),
            "PYTHONPATH": f"{packages}:{_ROOT}:{_ROOT / 'daemon'}",
        }
        self._dfm("daemon", "start", "--runner", crowd.NAME)
        found = find(self._state)
        assert found is not None
        self.pid = found.pid
        deadline = time.monotonic() + _COME_S
        while self._idle() < self._agents:
            if time.monotonic() > deadline:
                self.__exit__()
                raise TimeoutError(f"{self._agents} agents have not come in {_COME_S:.0f} s")
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self._dfm("daemon", "stop")

    def _dfm(self, *words: str) -> None:
        subprocess.run([*DFM, *words], cwd=self._flow, env=self._environment, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    def _idle(self) -> int:
        return sum(pool["workers"]["idle"] for pool in self._status()["pools"])

    def memory(self) -> int:
        """Bytes of the daemon."""
        return resident(self.pid)

    def idle_cpu(self, seconds: float) -> float:
        """The share of a core that the daemon takes while nothing happens."""
        began, before = time.monotonic(), cpu_s(self.pid)
        time.sleep(seconds)
        return (cpu_s(self.pid) - before) / (time.monotonic() - began)

    def flood(self, count: int, window: int) -> Rate:
        """After a first one of a tenth of the size."""
        return uvloop.run(self._flood(count, window))

    async def _flood(self, count: int, window: int) -> Rate:
        flood = Flood(window)
        await flood.connect(self._flow)
        await flood.run(count // 10)
        agents = [int(pid) for pid in self._children()]
        began, own, daemon = time.monotonic(), time.process_time(), cpu_s(self.pid)
        theirs = sum(map(cpu_s, agents))
        await flood.run(count)
        rate = Rate(
            count / (time.monotonic() - began),
            (cpu_s(self.pid) - daemon) / count,
            (time.process_time() - own) / count,
            (sum(map(cpu_s, agents)) - theirs) / count,
        )
        await flood.close()
        return rate

    def _children(self) -> list[str]:
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()

    def queued(self, count: int) -> float:
        """Bytes of the daemon for each task that waits, beside its text."""
        return uvloop.run(self._queued(count))

    async def _queued(self, count: int) -> float:
        flood = Flood(count)
        await flood.connect(self._flow)
        flood.submit(1000)
        await asyncio.to_thread(self._wait_for_queued, 1000)
        before, flood.text = self.memory(), 0
        for _ in range(0, count, 1000):
            flood.submit(1000)
            await asyncio.sleep(0)
        await asyncio.to_thread(self._wait_for_queued, count + 1000)
        bytes_ = (self.memory() - before - flood.text) / count
        await flood.close()
        return bytes_

    def _wait_for_queued(self, count: int) -> None:
        while self._status()["tasks"]["queued"] < count:
            time.sleep(0.1)

    def _status(self) -> dict[str, Any]:
        control = Control.of(self._state)
        assert control is not None
        document = control.status()
        control.close()
        return document
