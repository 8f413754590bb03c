"""Workers that are killed at random: every task gets its verdict, and only that."""

import os
import random
import signal
import threading

import pytest

from tests.faults.conftest import FAILS, IS_SOAK, Site
from tests.integration.conftest import Done

WORKERS = 16
MEAN_LIFE_S = 5.0
SEEDS, TASKS = (3, 10_000) if IS_SOAK else (1, 300)
CONFIG = """
runner:
  pool: {launch_batch_size: 8}
  retry: {infra: 1000}
"""


class Killer(threading.Thread):
    """Kills a worker of a site now and then, until it is told to stop."""

    def __init__(self, site: Site, dice: random.Random) -> None:
        super().__init__()
        self.killed = 0
        self.is_over = threading.Event()
        self._site = site
        self._dice = dice

    def run(self) -> None:
        while not self.is_over.wait(self._dice.expovariate(WORKERS / MEAN_LIFE_S)):
            pids = [worker["pid"] for worker in self._site.status()["workers"] if worker["pid"]]
            if not pids:
                continue
            try:
                os.kill(self._dice.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                continue
            self.killed += 1


def finish(site: Site, killer: Killer) -> Done:
    """A run to its end, under the killer."""
    run = site.start("run", "all", "-k", "-u", "log")
    killer.start()
    try:
        out, err = run.communicate(timeout=3000)  # read all the time: a full pipe would stop it
    finally:
        killer.is_over.set()
        killer.join()
    return Done(("run", "all"), run.returncode, out, err)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(SEEDS))
def test_workers_that_are_killed_at_random_change_no_verdict(
    site: Site, dice: random.Random, number: int
) -> None:
    site.prepare(TASKS, sleep_s=0.2, config=CONFIG)
    site.start_daemon(WORKERS)
    killer = Killer(site, dice)
    done = finish(site, killer)
    assert killer.killed > 0
    assert done.status == 1, done
    counts = done.counts()
    assert (counts["done"], counts["failed"]) == (TASKS - TASKS // FAILS, TASKS // FAILS), done
    assert done.out.count("a task is run again") > 0, "no worker had a task"
    assert set(site.ran()) == set(range(TASKS))
    site.check_verdicts()
    site.ok("daemon", "stop")
    site.check_nothing_is_left()
