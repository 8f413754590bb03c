"""Whole histories of a daemon, its workers and its clients, in which much goes wrong."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from dfm_daemon.core import actions as do
from dfm_daemon.core.actions import Action
from dfm_daemon.core.events import Event
from dfm_daemon.core.scheduler import Scheduler
from tests.sim.scenario import Scenario, big, small
from tests.sim.simulation import Failure, simulate

ROOT = Path(__file__).parents[2]


def simulate_all(seeds: Iterable[int]) -> None:
    for seed in seeds:
        simulate(small(seed))


def simulate_both(seeds: Iterable[int]) -> None:
    for seed in seeds:
        simulate(small(seed))
        simulate(impatient(seed))


def impatient(seed: int) -> Scenario:
    """Runs that go away under long tasks, which nobody would end by accident."""
    calm = float("inf")
    return replace(
        small(seed), walls_s=(40.0,), lease_s=3.0, leaving=1.0, daemon_dies_s=calm, trouble_s=calm
    )


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_every_task_is_answered_once_whatever_goes_wrong(first: int) -> None:
    simulate_all(range(first, first + 20))


def test_a_site_of_2000_workers_ends_with_every_task_answered_and_nothing_left() -> None:
    report = simulate(big(2000, 6000, 3, seed=1))
    assert report.answered == 6000
    assert report.launched >= 2000
    assert report.totals["retried"] > 0, "no worker was lost under a task"


def test_no_task_runs_twice_however_often_the_daemon_is_killed() -> None:
    for seed in range(20):
        scenario = Scenario(
            seed=seed, workers=6, tasks=200, runs=3, slots=1 + seed % 2, walls_s=(0.02, 3.0),
            pend_s=0.5, daemon_dies_s=4.0, daemon_back_s=1.0, cutting_s=3.0,
        )  # fmt: skip
        report = simulate(scenario)
        assert report.starts == report.answered == 200


def test_nothing_fails_where_nothing_goes_wrong() -> None:
    report = simulate(Scenario(seed=1, workers=10, tasks=300, runs=3, walls_s=(0.5, 3.0)))
    assert report.starts == report.answered == 300
    assert report.totals == {"completed": 300, "failed": 0, "cancelled": 0, "retried": 0}


def test_the_small_simulations_see_everything_that_can_happen() -> None:
    seen: set[str] = set()
    for seed in range(60):
        seen |= simulate(small(seed)).counts.keys()
    kinds = {
        "RunJoined", "RunAway", "RunSettled", "RunLeft", "TaskSubmitted", "RunWithdrew", "RunCancelled", "ResultTaken",
        "WorkerJoined", "WorkerHeard", "TaskStarted", "TaskFinished", "TaskReturned", "WorkerLeft",
        "LaunchSucceeded", "LaunchFailed", "JobGone", "StopAsked",
        "Admit", "AdoptJob", "Drop", "Refuse", "Assign", "Cancel", "Recall", "Acknowledge", "ForgetRun", "Launch",
        "WatchJob", "TrustJob", "EndJob", "Drain", "TellStarted", "TellFinished", "TellLost",
        "TellWithdrawn", "TellWorkers", "Note", "End", "lost for good",
    }  # fmt: skip
    assert not kinds - seen


def test_the_same_seed_is_the_same_history() -> None:
    assert simulate(small(7)) == simulate(small(7))
    assert simulate(small(7)).trace != simulate(replace(small(7), seed=8)).trace


def test_a_history_is_the_same_in_every_process() -> None:
    script = "from tests.sim.scenario import small; from tests.sim.simulation import simulate\n"
    script += "print([simulate(small(seed)).trace for seed in range(20)])"
    traces = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": order}, capture_output=True, check=True,
        ).stdout
        for order in ("1", "2")
    }  # fmt: skip
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (do.Acknowledge, 0),
        (do.Assign, 0),
        (do.Cancel, 0),
        (do.EndJob, 0),
        (do.Launch, 0),
        (do.TellFinished, 0),
        (do.TellFinished, 2),
        (do.TellLost, 2),
        (do.TellWithdrawn, 0),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_decision_that_is_not_carried_out_once_is_found(
    kind: type, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = Scheduler.handle

    def spoiled(core: Scheduler, batch: Iterable[Event], now: float) -> list[Action]:
        actions = decide(core, batch, now)
        return [a for a in actions for _ in range(times if isinstance(a, kind) else 1)]

    monkeypatch.setattr(Scheduler, "handle", spoiled)
    with pytest.raises(Failure):
        simulate_both(range(200))


def test_a_failure_names_its_seed_and_what_happened_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scheduler, "handle", lambda core, batch, now: [])
    with pytest.raises(Failure) as failure:
        simulate(small(3))
    lines = str(failure.value).split("\n")
    assert any("TaskSubmitted(run='r" in line for line in lines)
    assert lines[-2].startswith("Scenario(seed=3, ")
    assert lines[-1].startswith("seed 3: AssertionError: ")
