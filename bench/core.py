"""What the scheduler's core costs by itself, at the size of a large site: no socket, no process.

    python -m bench.core [--runs N]

Prints a line for each size. A driver feeds the real scheduler with events and answers what it
decides at once; only the time within the scheduler is counted. Each measurement is a process of its
own, since its memory is measured, too.
"""

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from bench.report import progress
from bench.usage import resident
from dfm.wire.worker import Held
from dfm_daemon.__main__ import GARBAGE
from dfm_daemon.core import actions, events
from dfm_daemon.core.events import Event
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import NO_DEMAND, ONE_CORE, Demand, PoolLimits, RunId, Shape, WorkerName

BATCH = 64  # events that arrive in one turn of a busy daemon's loop
STEADY = 60_000
SPEC = 400  # bytes, as those of a small task
TASK_S = 10.0


class Size(NamedTuple):
    """`is_demanding`: the tasks have priorities, walltimes, expected times; one in ten has a limit."""

    workers: int
    queued: int
    clients: int = 1
    is_demanding: bool = False


SIZES = (
    Size(100, 10_000),
    Size(100, 1_000_000),
    Size(10_000, 100_000),
    Size(10_000, 1_000_000),
    Size(100_000, 1_000_000),
    Size(10_000, 1_000_000, clients=20),
    Size(100, 10_000, clients=20, is_demanding=True),
    Size(10_000, 1_000_000, clients=20, is_demanding=True),
)


class Found(NamedTuple):
    """Seconds of CPU for each event of its kind; bytes for each queued task beside its text."""

    steady_s: float  # ends of tasks, acknowledgements and new tasks, in equal parts
    submitted_s: float
    joined_s: float
    longest_s: float  # of one batch, on the clock: what everybody waits for
    bytes: float


class Driver:
    """Whatever is outside of the scheduler."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.spent_s = 0.0
        self.longest_s = 0.0
        self.text = 0  # bytes of names and specs
        self._random = random.Random(1)
        self._now = 0.0
        self._submitted = 0
        self._running: list[tuple[WorkerName, Held]] = []
        self._answers: list[Event] = []  # of workers and clients to what was decided
        self._core = Scheduler(Settings("bench", self._limits, tokens={"licence": size.workers}))
        self._runs = [RunId(f"run{number}") for number in range(size.clients)]
        self.feed([events.RunJoined(run, 1, "user", "host") for run in self._runs])

    def _limits(self, _: Shape) -> PoolLimits:
        most = self.size.workers
        return PoolLimits(most, most, idle_timeout_s=0.0, batch=most, slots=1)

    def feed(self, batch: list[Event]) -> None:
        self._now += 0.001
        began, cpu = time.perf_counter(), time.thread_time()
        decided = self._core.handle(batch, self._now)
        self._core.next_deadline()
        self.spent_s += time.thread_time() - cpu
        self.longest_s = max(self.longest_s, time.perf_counter() - began)
        for action in decided:
            match action:
                case actions.Assign(worker, held):
                    self._running.append((worker, held))
                case actions.TellFinished(run, task, attempt):
                    self._answers.append(events.ResultTaken(run, task, attempt))
                case actions.Launch(_, names):
                    jobs = tuple(f"job-{name}" for name in names)
                    self._answers.append(events.LaunchSucceeded(names, jobs))
                    self._answers += [
                        events.WorkerJoined(name, "host", 1, job, 1, None, (), ())
                        for name, job in zip(names, jobs, strict=True)
                    ]

    def answer(self) -> None:
        """Feeds what the last actions led to."""
        answers, self._answers = self._answers, []
        for first in range(0, len(answers), BATCH):
            self.feed(answers[first : first + BATCH])

    def submissions(self, count: int) -> list[Event]:
        return [self._submission() for _ in range(count)]

    def _submission(self) -> Event:
        number = self._submitted
        self._submitted += 1
        name = f"project.block.test_{number}"
        spec = name.encode().ljust(SPEC, b".")
        self.text += len(name) + len(spec)
        demand = NO_DEMAND
        if self.size.is_demanding:
            limits = (("licence", 1),) if number % 10 == 0 else ()
            demand = Demand(number % 3, 3600, limits, self._random.uniform(1.0, 100.0))
        run = self._runs[number % len(self._runs)]
        return events.TaskSubmitted(run, number, name, spec, (0,), ONE_CORE, 0, demand)

    def ends(self, count: int) -> list[Event]:
        """Any of the tasks that run."""
        running = self._running
        ended: list[Event] = []
        for _ in range(min(count, len(running))):
            number = self._random.randrange(len(running))
            running[number], running[-1] = running[-1], running[number]
            worker, held = running.pop()
            ended.append(events.TaskFinished(worker, held, 0, TASK_S, b"result"))
        return ended

    def steady(self, tasks: int) -> int:
        """As many tasks end as are submitted; returns the number of events."""
        count = 0
        third = BATCH // 3
        while count < 3 * tasks:
            answers, self._answers = self._answers, []
            batch = [*self.ends(third), *answers, *self.submissions(third)]
            self.feed(batch)
            count += len(batch)
        return count

    def take(self) -> float:
        """Seconds spent since the last time."""
        spent_s, self.spent_s = self.spent_s, 0.0
        return spent_s


def measure(size: Size, steady: int = STEADY) -> Found:
    """`steady`: tasks that end while it is measured."""
    driver = Driver(size)
    driver.take()
    driver.feed(driver.submissions(1))
    driver.answer()  # all workers come
    joined_s = driver.take()
    for _ in range(0, size.workers, BATCH):
        driver.feed(driver.submissions(min(BATCH, size.workers)))
    driver.take()
    before, driver.text, driver.longest_s = resident("self"), 0, 0.0
    for _ in range(0, size.queued, BATCH):
        driver.feed(driver.submissions(BATCH))
    submitted_s = driver.take()
    beside_text = resident("self") - before - driver.text
    driver.steady(steady // 10)
    driver.take()
    count = driver.steady(steady)
    steady_s = driver.take()
    return Found(
        steady_s / count, submitted_s / size.queued, joined_s / size.workers, driver.longest_s,
        beside_text / size.queued,
    )  # fmt: skip


def _apart(size: Size) -> Found:
    words = [sys.executable, "-m", "bench.core", "--size", json.dumps(size)]
    return Found(*json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout))


def all_sizes(runs: int) -> dict[Size, Found]:
    """Medians, the sizes in turn."""
    found: dict[Size, list[Found]] = {size: [] for size in SIZES}
    for round_ in range(runs):
        for size in SIZES:
            progress(f"core, round {round_ + 1}: {size.workers} workers, {size.queued} tasks")
            found[size].append(_apart(size))
    return {
        size: Found(*map(statistics.median, zip(*each, strict=True)))
        for size, each in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--size", type=json.loads, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.size is not None:
        gc.freeze()  # as the daemon does
        gc.set_threshold(GARBAGE)
        print(json.dumps(measure(Size(*words.size))))
        return
    for size, found in all_sizes(words.runs).items():
        print(size, found)


if __name__ == "__main__":
    main()
