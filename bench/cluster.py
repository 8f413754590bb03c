"""`make bench-cluster`: tasks of one second on warm workers, beside one job of the scheduler for each.

    python -m bench.cluster [--tasks N] [--runs N] [--into FILE]

On the Slurm of the tests, and on the LSF on it (docs/development.md): four virtual nodes that start jobs
without prologs and let nobody wait, so what a job costs beside its task is less than on a real one.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.measure import scratch
from bench.report import Report, parser, progress, seconds
from bench.tools import DFM
from tests.cluster.lsf.lsf import Lsf
from tests.cluster.slurm import Slurm, unavailable

SLOTS = 16  # tasks at once: each takes four CPUs of 64
CORES = 4
TASK_S = 1
COLUMNS = ("one job per task", "dfm, workers started for it", "dfm, warm workers")
_AGAIN_S = 0.05
FLOW = """
package:
  name: bench
  with:
    n: {{type: list, value: {numbers}}}
  tasks:
  - name: all
    strategy: {{matrix: {{i: "${{{{ n }}}}"}}}}
    body:
    - {{name: t, run: 'sleep {seconds}'}}
"""
CONFIG = "runner: {{default: {runner}, defaults: {{cores: {cores}, memory: 100M}}, pool: {{max_workers: {slots}}}}}\n"


class Place:
    """A project for one scheduler, with as many tasks."""

    def __init__(self, folder: Path, runner: str, count: int, environment: dict[str, str]) -> None:
        self.folder = folder
        self.runner = runner
        self.count = count
        self.environment = {**os.environ, **environment, "HOME": str(folder)}
        (folder / ".dfm").mkdir(parents=True, mode=0o700)
        config = CONFIG.format(runner=runner, cores=CORES, slots=SLOTS)
        (folder / ".dfm/config.yaml").write_text(config)
        flow = FLOW.format(numbers=list(range(count)), seconds=TASK_S)
        (folder / "flow.yaml").write_text(flow)

    def call(self, *words: str) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{shlex.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def run(self) -> None:
        self.call(*DFM, "run", "all", "-f", "-u", "log")

    @contextmanager
    def warm(self) -> Iterator[None]:
        """A daemon whose workers are all there."""
        self.call(*DFM, "daemon", "start")
        try:
            self.run()
            yield
        finally:
            self.call(*DFM, "daemon", "stop")

    def jobs(self, slurm: Slurm) -> None:
        """What scripts do: a submission for each task, then waiting until none is left."""
        words = {
            "slurm": ["sbatch", f"--cpus-per-task={CORES}", "--mem=100M", "--output=/dev/null", "--wrap"],
            "lsf": ["bsub", "-n", str(CORES), "-R", "span[hosts=1]", "-M", "100MB", "-o", "/dev/null"],
        }[self.runner]  # fmt: skip
        for _ in range(self.count):
            self.call(*words, f"sleep {TASK_S}")
        while slurm.jobs():
            time.sleep(_AGAIN_S)


def walls(place: Place, slurm: Slurm, runs: int) -> list[float]:
    """Medians, in the order of COLUMNS; the three ways in turn."""
    found: dict[str, list[float]] = {name: [] for name in COLUMNS}

    def take(name: str, work: Callable[[], None]) -> None:
        progress(f"{place.runner}: {name}")
        begun = time.perf_counter()
        work()
        found[name].append(time.perf_counter() - begun)

    for _ in range(runs):
        take(COLUMNS[0], lambda: place.jobs(slurm))
        take(COLUMNS[1], place.run)
        with place.warm():
            take(COLUMNS[2], place.run)
    return [median(times) for times in found.values()]


def main() -> None:
    made = parser(__doc__, 1)
    made.add_argument("--tasks", type=int, default=200, help="of one second each")
    words = made.parse_args()
    reason = unavailable()
    if reason:
        sys.exit(f"no Slurm: {reason}")
    report = Report()
    rows = []
    with scratch() as top, Slurm() as slurm:
        lsf = Lsf(slurm)
        for runner, environment in (("slurm", slurm.environment), ("lsf", lsf.environment)):
            place = Place(top / runner, runner, words.tasks, environment)
            found = walls(place, slurm, words.runs)
            rows.append([runner, *map(seconds, found), f"{found[0] / found[2]:.1f}"])
    report.table([f"{words.tasks} tasks of {TASK_S} s", *COLUMNS, "times as fast, warm"], rows)
    least = words.tasks * TASK_S / SLOTS
    how = f"medians of {words.runs} rounds, {SLOTS} tasks at once, so at least {least:.1f} s."
    report.publish("make bench-cluster", how, words.into)


if __name__ == "__main__":
    main()
