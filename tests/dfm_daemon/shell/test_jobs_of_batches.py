"""Jobs of a batch system: when they end, and those of which nobody knows whether they were submitted."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dfm.runners.base import BatchRunner, JobId, JobState, JobStatus
from dfm.runners.command import NoAnswer
from dfm_daemon.core import events
from dfm_daemon.core.state import ONE_CORE, WorkerName
from dfm_daemon.shell import jobs as module
from tests.dfm_daemon.shell.cluster import BatchCluster, World

W1, W2 = WorkerName("w1"), WorkerName("w2")
JOB1 = JobId("job-w1")


@pytest.fixture
def cluster() -> BatchCluster:
    made = BatchCluster()
    assert isinstance(made, BatchRunner)
    return made


@pytest.fixture
def world(tmp_path: Path, cluster: BatchCluster, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "_LAST_LOOK_S", 0.02)
    return World(tmp_path, cluster)


async def is_lost(*_: Any) -> Any:
    raise NoAnswer("bsub did not answer in 40 s")


def test_the_end_of_a_job_is_told_on_the_clock_of_the_loop_and_not_asked_again(
    world: World,
) -> None:
    async def scene() -> None:
        await world.launch("w1", "w2")
        world.cluster.states[JOB1] = JobStatus(JobState.RUNNING, "RUN", left_s=3600.0)
        before = asyncio.get_running_loop().time()
        world.jobs.ask_end(W1)
        await world.cluster.was_asked(1)
        world.jobs.watch(W2)
        await world.cluster.was_asked(2)
        (told,) = (event for event in world.told if isinstance(event, events.JobEnds))
        after = asyncio.get_running_loop().time()
        assert before + 3600 <= told.at <= after + 3600
        assert world.cluster.asked[-1] == ["job-w2"]

    world.play(scene)


def test_a_job_that_is_not_listed_yet_is_asked_about_again(world: World) -> None:
    async def scene() -> None:
        await world.launch("w1")
        world.cluster.states[JOB1] = JobStatus(JobState.UNKNOWN)
        world.jobs.ask_end(W1)
        await world.cluster.was_asked(3)
        world.cluster.states[JOB1] = JobStatus(JobState.GONE, "stale")
        await world.cluster.was_asked(1)
        world.jobs.watch(W1)
        await world.is_told(events.JobGone(W1, "stale", ""))

    world.play(scene)


def test_a_launch_without_an_answer_is_in_doubt_and_stays_in_the_journal(
    world: World, cluster: BatchCluster
) -> None:
    async def scene() -> None:
        world.cluster.submit = is_lost
        world.journal.launching("batch", [W1], ONE_CORE, 1)
        answer = await world.launch("w1")
        reason = "bsub did not answer in 40 s"
        assert answer == events.LaunchFailed((W1,), reason, is_transient=True, is_in_doubt=True)
        assert [worker.name for worker in world.journal.survivors("batch")] == [W1]
        assert world.jobs.may_come(W1)

    world.play(scene)
    assert cluster.looked_for == [["w1"]], "when the daemon ends"
    assert cluster.cancelled == []


def test_what_is_found_when_the_daemon_ends_is_ended_with_it(
    world: World, cluster: BatchCluster
) -> None:
    async def scene() -> None:
        world.cluster.submit = is_lost
        await world.launch("w1", "w2")
        cluster.nameless[W2] = JobId("late")

    world.play(scene)
    assert cluster.cancelled == ["late"]


def test_one_in_doubt_that_has_come_is_a_job_like_any_other(
    world: World, cluster: BatchCluster
) -> None:
    async def scene() -> None:
        assert await world.jobs.find([W1]) == {}
        world.jobs.adopt(W1, "late", str(world.log_folder))
        assert not world.jobs.may_come(W1)

    world.play(scene)
    assert cluster.cancelled == ["late"]
    assert cluster.looked_for == [["w1"]]


@pytest.mark.parametrize("what", ["find", "cancel"])
def test_that_not_all_could_be_ended_is_said(
    world: World, cluster: BatchCluster, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        await world.launch("w1")
        await world.jobs.find([W2])
        monkeypatch.setattr(cluster, what, is_lost)
        assert not await world.jobs.end_all()
        monkeypatch.undo()
        assert await world.jobs.end_all()

    world.play(scene)
