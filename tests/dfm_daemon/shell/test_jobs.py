"""Workers' jobs between the scheduler of the daemon and a runner that may do anything."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dfm.errors import RunnerError
from dfm.runners.base import JobId, JobState, JobStatus, WorkerRequest
from dfm_daemon.core import events
from dfm_daemon.core.state import WorkerName
from dfm_daemon.shell import jobs as module
from tests.dfm_daemon.shell.cluster import World
from tests.dfm_daemon.shell.conftest import until

W1, W2 = WorkerName("w1"), WorkerName("w2")
UNKNOWN = JobStatus(JobState.UNKNOWN)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "_LAST_LOOK_S", 0.02)
    return World(tmp_path)


def gone(name: WorkerName, reason: str, log: str = "") -> events.JobGone:
    return events.JobGone(name, reason, log)


async def fails(*_: Any) -> Any:
    raise RunnerError("bsub: no such queue", hint="ask")


async def breaks(*_: Any) -> Any:
    raise ZeroDivisionError("in a plugin")


def raises(*_: Any) -> Any:
    raise ZeroDivisionError("at once")


async def never(*_: Any) -> Any:
    await asyncio.Event().wait()


def says(answer: Any) -> Callable[..., Awaitable[Any]]:
    async def say(*_: Any) -> Any:
        return answer

    return say


def test_jobs_are_told_in_the_order_of_the_requests(world: World) -> None:
    async def scene() -> None:
        answer = await world.launch("w1", "w2")
        assert answer == events.LaunchSucceeded((W1, W2), ("job-w1", "job-w2"))

    world.play(scene)


@pytest.mark.parametrize(
    ("submit", "reason"),
    [
        (fails, "bsub: no such queue"),
        (breaks, "a fault of the runner: ZeroDivisionError: in a plugin"),
        (raises, "a fault of the runner: ZeroDivisionError: at once"),
        (never, "the scheduler did not answer in 0 s"),
        (says(["job-w1"]), "the runner made 1 jobs of 2 requests"),
        (says(["a", "b", "c"]), "the runner made 3 jobs of 2 requests"),
        (says(None), "a fault of the runner: TypeError: "),
        (says([1, 2]), "a fault of the runner: TypeError: "),
        (says(["job", "job"]), "the runner made 1 jobs of 2 requests"),
    ],
    ids=[
        "refuses",
        "breaks",
        "raises",
        "never",
        "too few",
        "too many",
        "nothing",
        "numbers",
        "one twice",
    ],
)
def test_a_launch_that_fails_is_told_and_the_next_one_works(
    submit: Any, reason: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        good, world.cluster.submit = world.cluster.submit, submit
        if submit is never:
            monkeypatch.setattr(module, "ANSWER_S", 0.05)
        answer = await world.launch("w1", "w2")
        assert isinstance(answer, events.LaunchFailed)
        assert answer.workers == (W1, W2)
        assert answer.reason.startswith(reason)
        monkeypatch.setattr(module, "ANSWER_S", 60.0)
        world.cluster.submit = good
        assert isinstance(await world.launch("w3"), events.LaunchSucceeded)

    world.play(scene)


def test_jobs_of_a_launch_that_counts_as_failed_are_ended(world: World) -> None:
    async def scene() -> None:
        world.cluster.submit = says(["a", "b", "c"])
        await world.launch("w1", "w2")
        assert world.cluster.cancelled == ["a", "b", "c"]

    world.play(scene)


def test_a_job_that_is_watched_is_told_once_when_it_is_gone(world: World) -> None:
    (world.log_folder / "job-w1.log").write_text("".join(f"line {n}\n" for n in range(30)))

    async def scene() -> None:
        await world.launch("w1", "w2")
        world.jobs.watch(W1)
        world.jobs.watch(W2)
        await world.cluster.was_asked()
        world.cluster.states[JobId("job-w1")] = JobStatus(JobState.GONE, "TERM_OWNER")
        tail = "\n".join(f"line {n}" for n in range(20, 30))
        await world.is_told(gone(W1, "TERM_OWNER", tail))
        await world.cluster.was_asked()
        assert world.cluster.asked[-1] == ["job-w2"]
        assert len(world.told) == 2

    world.play(scene)


@pytest.mark.parametrize("status", [UNKNOWN, None], ids=["unknown", "not listed"])
def test_a_job_that_its_scheduler_does_not_know_is_not_gone(
    status: JobStatus | None, world: World
) -> None:
    job = JobId("job-w1")

    async def scene() -> None:
        await world.launch("w1")
        world.cluster.states = {job: status} if status else {}
        world.jobs.watch(W1)
        await world.cluster.was_asked()
        assert len(world.told) == 1
        world.cluster.states[job] = JobStatus(JobState.GONE, "exit status 1")
        await world.is_told(gone(W1, "exit status 1"))

    world.play(scene)


def test_nobody_asks_about_a_job_whose_worker_is_heard(world: World) -> None:
    async def scene() -> None:
        await world.launch("w1", "w2")
        world.jobs.watch(W1)
        world.jobs.watch(W2)
        await world.cluster.was_asked(1)
        world.jobs.trust(W1)
        await world.cluster.was_asked()
        assert world.cluster.asked[-1] == ["job-w2"]

    world.play(scene)


def test_an_answer_about_a_worker_that_was_heard_meanwhile_does_not_count(world: World) -> None:
    async def scene() -> None:
        await world.launch("w1", "w2")
        look = world.cluster.poll

        async def look_too_late(jobs: Sequence[JobId]) -> Any:
            world.cluster.poll = look
            world.jobs.trust(W1)
            return dict.fromkeys(jobs, JobStatus(JobState.GONE, "stale"))

        world.cluster.poll = look_too_late
        world.jobs.watch(W1)
        world.jobs.watch(W2)
        await world.is_told(gone(W2, "stale"))
        world.jobs.watch(W1)
        await world.cluster.was_asked()
        assert len(world.told) == 2

    world.play(scene)


def test_nobody_asks_about_a_worker_without_a_job(world: World) -> None:
    async def scene() -> None:
        await world.launch("w2")
        world.jobs.watch(W1)
        world.jobs.watch(W2)
        await world.cluster.was_asked()
        assert {job for jobs in world.cluster.asked for job in jobs} == {"job-w2"}

    world.play(scene)


def test_a_job_that_was_ended_is_not_told_to_be_gone(world: World) -> None:
    async def scene() -> None:
        await world.launch("w1", "w2")
        world.jobs.watch(W1)
        world.jobs.watch(W2)
        world.jobs.end(W1)
        world.jobs.end(W1)
        await until(lambda: world.cluster.cancelled)
        world.cluster.states = dict.fromkeys(
            world.cluster.states, JobStatus(JobState.GONE, "exit status 1")
        )
        await world.is_told(gone(W2, "exit status 1"))
        assert world.cluster.cancelled == ["job-w1"]
        assert len(world.told) == 2

    world.play(scene)


@pytest.mark.parametrize(
    "poll",
    [fails, breaks, never, says(None), says(["job-w1"]), says({"job-w1": "EXIT"})],
    ids=["refuses", "breaks", "never", "nothing", "a list", "words"],
)
def test_a_question_that_is_not_answered_is_asked_again(
    poll: Any, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def troubles() -> list[str]:
        return [line for line in caplog.messages if line.startswith("cannot ask about jobs: ")]

    async def scene() -> None:
        await world.launch("w1")
        look, world.cluster.poll = world.cluster.poll, poll
        monkeypatch.setattr(module, "ANSWER_S", 0.05 if poll is never else 60.0)
        world.jobs.watch(W1)
        await until(troubles)
        monkeypatch.setattr(module, "ANSWER_S", 60.0)
        world.cluster.poll = look
        await world.cluster.was_asked()
        assert "asking about jobs works again" in caplog.messages
        assert len(troubles()) == 1
        assert len(world.told) == 1

    with caplog.at_level(logging.INFO):
        world.play(scene)


@pytest.mark.parametrize("cancel", [fails, breaks], ids=["refuses", "breaks"])
def test_a_job_that_cannot_be_ended_is_logged_and_nothing_else_suffers(
    cancel: Any, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        await world.launch("w1", "w2")
        forget, world.cluster.cancel = world.cluster.cancel, cancel
        world.jobs.end(W1)
        await until(lambda: "cannot end jobs=job-w1: " in caplog.text)
        world.cluster.cancel = forget
        world.jobs.end(W2)
        await until(lambda: world.cluster.cancelled == ["job-w2"])

    world.play(scene)


def test_at_the_end_all_jobs_that_may_live_are_ended(world: World) -> None:
    async def scene() -> None:
        await world.launch("w1", "w2", "w3")
        world.jobs.watch(W1)
        world.jobs.end(W2)

    world.play(scene)
    assert sorted(world.cluster.cancelled) == ["job-w1", "job-w2", "job-w3"]


def test_jobs_that_a_scheduler_takes_after_the_end_are_ended_too(world: World) -> None:
    async def scene() -> None:
        answered = asyncio.Event()

        async def slowly(requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
            await answered.wait()
            return await world.cluster.take(requests)

        world.cluster.submit = slowly
        world.jobs.launch([world.request("w1")])
        await asyncio.sleep(0)
        await world.jobs.end_all()
        assert not world.cluster.cancelled
        answered.set()
        await until(lambda: world.cluster.cancelled == ["job-w1"])
        assert not world.told

    world.play(scene)


def test_the_reason_of_a_pending_job_is_told_when_it_changes(world: World) -> None:
    async def scene() -> None:
        await world.launch("w1")
        world.jobs.watch(W1)
        for reason in ("Priority", "Resources"):
            world.cluster.states[JobId("job-w1")] = JobStatus(JobState.PENDING, reason)
            await world.is_told(events.JobPends(W1, reason))
            await world.cluster.was_asked()
        told = [event for event in world.told if isinstance(event, events.JobPends)]
        assert len(told) == 2

    world.play(scene)
