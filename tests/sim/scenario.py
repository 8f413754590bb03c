"""What a simulation is about: sizes, delays, and how much goes wrong."""

import random
from dataclasses import dataclass

from dfm_daemon.core.state import PoolLimits, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Chances are of one; times in seconds, and unless said otherwise the mean of random ones."""

    seed: int
    workers: int
    tasks: int  # of all runs
    runs: int = 1
    slots: int = 1
    min_workers: int = 0
    batch: int = 4
    idle_timeout_s: float = 20.0  # fixed, as the next two
    lease_s: float = 30.0
    turn_s: float = 0.001  # of the daemon's loop: what comes in meanwhile is one batch
    retries: int = 2
    shapes: tuple[int, ...] = (1,)  # cores of tasks
    tokens: int = 0  # of the limit that some tasks want; 0: none wants any
    hosts: int = 0  # on which workers are, in turn; 0: each has one of its own
    walls_s: tuple[float, ...] = (10.0,)  # of tasks, in turn
    failing: float = 0.0  # tasks
    delay_s: float = 0.002  # of a message
    join_s: float = 1.0  # between runs
    launch_s: float = 0.5  # for a scheduler to take jobs
    pend_s: float = 5.0
    refused: float = 0.0  # launches
    stillborn: float = 0.0  # jobs that end in the queue, or before their worker has said hello
    trouble_s: float = float("inf")  # between workers that die, are cut off or fall silent
    leaving: float = 0.0  # runs that go away while they have tasks
    withdrawing: float = 0.0  # runs that are interrupted
    asking_again: float = 0.0  # runs that submit once more what they have no answer to
    grace_s: float = 30.0  # fixed
    daemon_dies_s: float = float("inf")  # between daemons that are killed
    daemon_back_s: float = 0.5  # until the next one begins; at most a third of the grace time
    cutting_s: float = float("inf")  # between clients that are cut off
    checks: int = 1  # the invariants are checked after each batch; else after each such number

    def host(self, worker: str) -> str:
        return f"host-{int(worker[1:]) % self.hosts}" if self.hosts else f"host-{worker}"

    def limits(self, shape: Shape) -> PoolLimits:
        return PoolLimits(
            self.min_workers, self.workers, self.idle_timeout_s, self.batch, self.slots
        )


def small(seed: int) -> Scenario:
    """A little of everything, different for each seed."""
    draw = random.Random(seed)
    workers = draw.randint(1, 12)
    return Scenario(
        seed=seed,
        workers=workers,
        tasks=draw.randint(1, 120),
        runs=draw.randint(1, 4),
        slots=draw.choice((1, 1, 2, 3)),
        min_workers=draw.choice((0, 0, min(2, workers))),
        batch=draw.randint(1, 5),
        idle_timeout_s=draw.choice((3.0, 20.0, 60.0)),
        lease_s=draw.choice((3.0, 3.0, 30.0)),
        turn_s=draw.choice((0.0, 0.001, 0.05)),
        retries=draw.randint(0, 3),
        shapes=draw.choice(((1,), (1,), (1, 4))),
        tokens=draw.choice((0, 2, 5)),
        hosts=draw.choice((0, 1, 3)),
        walls_s=draw.choice(
            ((0.002,), (0.001, 0.001, 0.001, 0.2), (0.5,), (0.02, 5.0), (10.0, 40.0))
        ),
        failing=draw.choice((0.0, 0.1)),
        delay_s=draw.choice((0.0005, 0.01, 0.2)),
        join_s=draw.choice((0.1, 5.0)),
        launch_s=draw.choice((0.01, 2.0)),
        pend_s=draw.choice((0.01, 5.0)),
        refused=draw.choice((0.0, 0.0, 0.2, 0.7)),
        stillborn=draw.choice((0.0, 0.0, 0.2, 0.7)),
        trouble_s=draw.choice((float("inf"), 0.1, 1.0, 10.0)),
        leaving=draw.choice((0.0, 0.5)),
        withdrawing=draw.choice((0.0, 0.5)),
        asking_again=draw.choice((0.0, 0.5)),
        grace_s=draw.choice((6.0, 30.0)),
        daemon_dies_s=draw.choice((float("inf"), 0.3, 3.0, 20.0)),
        daemon_back_s=draw.choice((0.01, 1.0)),
        cutting_s=draw.choice((float("inf"), float("inf"), 0.3, 5.0)),
    )


def big(workers: int, tasks: int, runs: int, seed: int) -> Scenario:
    """A site on a usual day: a host dies now and then, and one launch in a hundred is refused."""
    return Scenario(
        seed=seed,
        workers=workers,
        tasks=tasks,
        runs=runs,
        batch=max(4, workers // 50),
        idle_timeout_s=20.0,
        turn_s=0.005,
        walls_s=(5.0, 10.0, 20.0),
        tokens=workers // 10,
        failing=0.01,
        refused=0.01,
        stillborn=0.001,
        trouble_s=1000.0 / workers,
        asking_again=0.1,
        checks=max(1, (workers + tasks) // 100),
    )
