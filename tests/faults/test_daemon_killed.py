"""`kill -9` of the daemon while runs go on: nothing is lost, nothing runs twice, nothing is left."""

import os
import random
import signal
from collections import Counter

import pytest

from tests.faults.conftest import FAILS, IS_SOAK, Site

RUNS, KILLS, TASKS = (6, 10, 2000) if IS_SOAK else (1, 3, 160)
SLEEPS_S = (0.05, 0.0, 0.02)  # of tasks; tiny ones are given ahead


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(RUNS))
def test_a_daemon_that_is_killed_time_and_again_loses_nothing(
    site: Site, dice: random.Random, number: int
) -> None:
    site.prepare(TASKS, sleep_s=SLEEPS_S[number % len(SLEEPS_S)])
    site.start_daemon(4)
    run = site.start("run", "all", "-k", "-u", "log")
    kills = 0
    for left in range(KILLS, 0, -1):
        site.wait_for(dice.randint(1, max(1, (TASKS - len(site.ran())) // (2 * left + 2))), run)
        if run.poll() is not None:
            break
        os.kill(site.daemon_pid(), signal.SIGKILL)
        kills += 1
        site.start_daemon(4)
    done = site.end(run)
    assert kills == KILLS, "the run was over before"
    assert done.status == 1, done
    assert not {task: times for task, times in Counter(site.ran()).items() if times > 1}
    assert sorted(site.ran()) == list(range(TASKS))
    counts = done.counts()
    assert (counts["done"], counts["failed"]) == (TASKS - TASKS // FAILS, TASKS // FAILS), done
    site.check_verdicts()
    assert done.out.count("the daemon is back") == KILLS, done
    site.ok("daemon", "stop")
    site.check_nothing_is_left()
