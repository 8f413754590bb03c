"""Workers that come, are heard, fall silent, say goodbye, or are nobody's."""

from dataclasses import replace

import pytest

from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.state import WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import RUN, World, finished, held, joined, submitted

Busy = tuple[World, WorkerName]


def test_a_worker_that_was_launched_is_admitted_and_its_job_trusted(world: World) -> None:
    world.run(1)
    world.accept()
    name = world.coming[0]
    hello = events.WorkerJoined(name, "n1", 42, "4711_3", 2, 99.5, (), ())
    assert world.handle(hello, now=7)[:2] == [do.Admit(name), do.TrustJob(name)]
    worker = world.worker(name)
    assert (worker.host, worker.pid, worker.job, worker.slots) == ("n1", 42, "4711_3", 2)
    assert (worker.deadline, worker.since, worker.heard_at) == (99.5, 7, 7)
    assert world.notes == [f"worker={name} joined from host=n1 pid=42"]


def test_a_worker_may_join_before_its_submission_was_answered(world: World) -> None:
    world.run(1)
    (name,) = world.launches[0].workers
    assert world.handle(joined(name, job="4711"))[0] == do.Admit(name)
    assert world.handle(events.LaunchSucceeded((name,), ("4712",))) == []
    assert world.worker(name).job == "4711"
    assert world.worker(name).state is WorkerState.BUSY


def test_the_job_of_a_worker_that_does_not_know_it_is_the_one_that_was_launched(
    world: World,
) -> None:
    world.run(1)
    (name,) = world.bring()
    assert world.worker(name).job == f"job-{name}"


def test_a_worker_that_nobody_launched_is_refused(world: World) -> None:
    forged = WorkerName("w1")
    assert world.handle(joined(forged)) == [do.Refuse(forged, "nobody launched it")]
    assert forged not in world.core.workers


def test_a_second_worker_of_one_name_is_refused_and_the_first_one_stays(busy: Busy) -> None:
    world, worker = busy
    other = joined(worker)
    assert world.handle(replace(other, pid=other.pid + 1)) == [
        do.Refuse(worker, "there is one of this name")
    ]
    assert world.tasks_of(worker) == [1]


def test_of_two_workers_of_one_name_in_one_batch_the_first_is_admitted(world: World) -> None:
    world.run(1)
    world.accept()
    name = world.coming[0]
    other = replace(joined(name), pid=78)
    kinds = [type(action) for action in world.handle(joined(name), other)]
    assert kinds == [do.Admit, do.TrustJob, do.AskEnd, do.Refuse, do.Assign]


@pytest.mark.parametrize("state", ["away", "draining"])
def test_no_worker_takes_the_name_of_one_that_is_on_its_way_out(state: str) -> None:
    world = World(max_workers=1, idle_timeout_s=5)
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    if state == "away":
        world.handle(events.WorkerLeft(worker, "reset", is_expected=False))
    else:
        world.handle(now=5)
    assert world.worker(worker).state.value == state
    other = replace(joined(worker), pid=78)
    assert world.handle(other) == [do.Refuse(worker, "there is one of this name")]


def test_the_name_of_a_worker_that_is_gone_is_not_given_again(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(events.JobGone(worker, "gone", ""))
    assert world.handle(joined(worker)) == [do.Refuse(worker, "nobody launched it")]
    assert world.launches[0].workers == (WorkerName("w2"),)


# Leaving


def test_an_idle_worker_that_says_goodbye_is_gone_and_its_job_watched(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    left = events.WorkerLeft(worker, "idle for too long", is_expected=True)
    assert world.handle(left) == [do.WatchJob(worker)]
    assert worker not in world.core.workers
    assert world.notes[-1] == f"worker={worker} left: idle for too long"
    assert world.handle(events.JobGone(worker, "exit status 0", "")) == []
    assert world.core.next_deadline() is None


def test_a_worker_that_nobody_knows_leaves_without_a_word(world: World) -> None:
    stranger = WorkerName("w9")
    assert world.handle(events.WorkerLeft(stranger, "reset", is_expected=False)) == []
    assert world.handle(events.WorkerHeard(stranger), events.JobGone(stranger, "", "")) == []


def test_the_job_of_a_connected_worker_can_be_gone_first(busy: Busy) -> None:
    world, worker = busy
    world.handle(events.JobGone(worker, "bkill", ""))
    assert worker not in world.core.workers
    assert world.handle(events.WorkerLeft(worker, "reset", is_expected=False)) == []


def test_a_draining_worker_whose_job_ends_is_no_loss() -> None:
    world = World(idle_timeout_s=5)
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    assert world.handle(now=5) == [do.Drain(worker, "idle for too long")]
    assert world.handle(events.JobGone(worker, "exit status 0", "")) == []
    assert worker not in world.core.workers
    assert "lost" not in world.notes[-1]


# Leases


def test_a_silent_worker_is_lost_when_its_lease_is_over(busy: Busy) -> None:
    world, worker = busy
    assert world.core.next_deadline() == 30
    assert world.handle(now=29.9) == []
    reason = f"worker {worker} on host: nothing heard for 30 s"
    assert world.handle(now=30)[:2] == [
        do.EndJob(worker),
        do.TellLost(RUN, 1, 1, reason, final=False),
    ]
    assert worker not in world.core.workers


@pytest.mark.parametrize("word", ["beat", "started", "finished", "returned", "stale"])
def test_whatever_a_worker_says_renews_its_lease(busy: Busy, word: str) -> None:
    world, worker = busy
    said: dict[str, events.Event] = {
        "beat": events.WorkerHeard(worker),
        "started": events.TaskStarted(worker, held(1), 1.0),
        "finished": finished(worker, held(1)),
        "returned": events.TaskReturned(worker, held(1)),
        "stale": finished(worker, held(1, 9)),
    }
    world.handle(said[word], now=20)
    world.handle(now=30)
    assert worker in world.core.workers
    assert world.core.next_deadline() == 50
    world.handle(now=50)
    assert worker not in world.core.workers


def test_a_worker_that_goes_on_beating_is_never_lost(busy: Busy) -> None:
    world, worker = busy
    for beat in range(1, 100):
        assert world.handle(events.WorkerHeard(worker), now=beat * 10) == []
    assert world.worker(worker).heard_at == 990


def test_an_idle_worker_that_falls_silent_is_ended_too(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    assert world.handle(now=30) == [do.EndJob(worker)]
    assert not world.core.workers


def test_a_lease_is_as_long_as_the_settings_say() -> None:
    world = World(lease_s=2.5)
    world.run(1)
    world.bring()
    assert world.core.next_deadline() == 2.5


def test_workers_that_have_not_come_have_no_lease(world: World) -> None:
    world.run(1)
    world.accept()
    assert world.core.next_deadline() is None
    assert world.handle(now=1e6) == []


def test_tasks_of_a_silent_worker_run_again_elsewhere_in_the_same_batch(world: World) -> None:
    world.run(1, 2)
    silent, other = world.bring(2)
    (kept,), (lost,) = world.tasks_of(other), world.tasks_of(silent)
    world.handle(finished(other, held(kept)), now=25)
    assert do.Assign(other, held(lost, 2), b"spec", (0,)) in world.handle(now=30)


def test_a_submission_in_the_batch_of_a_loss_waits_behind_what_was_lost() -> None:
    world = World(max_workers=1)
    world.run(1)
    world.bring()
    world.handle(submitted(2), now=30)
    assert [task.number for task in world.pool().queue.tasks()] == [1, 2]
