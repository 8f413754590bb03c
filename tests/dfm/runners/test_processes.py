"""Workers as processes of this host. What stands for a worker here is a shell script."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop

from dfm.errors import RunnerError
from dfm.runners import processes as runner_module
from dfm.runners.adopted import MARK
from dfm.runners.base import JobId, JobState, JobStatus, WorkerRequest
from dfm.runners.processes import ProcessRunner
from dfm_worker import processes

PATIENCE_S = 20.0
Found = TypeVar("Found")


async def until(condition: Callable[[], bool]) -> None:
    while True:
        if condition():
            return
        await asyncio.sleep(0.005)


class Jobs:
    """A runner, and the folder for the logs of its jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = ProcessRunner({})
        self.submitted: list[JobId] = []

    def request(self, script: str) -> WorkerRequest:
        return WorkerRequest("w1", ["/bin/bash", "-c", script], str(self.folder), 1)

    async def submit(self, *scripts: str) -> list[JobId]:
        jobs = await self.runner.submit([self.request(script) for script in scripts])
        self.submitted += jobs
        return list(jobs)

    async def status(self, job: JobId) -> JobStatus:
        return (await self.runner.poll([job]))[job]

    async def end(self, job: JobId) -> JobStatus:
        """What it is when it does not run any more."""
        while True:
            status = await self.status(job)
            if status.state is not JobState.RUNNING:
                return status
            await asyncio.sleep(0.005)

    def log(self, job: JobId) -> str:
        return (self.folder / f"{job}.log").read_text()

    async def said(self, job: JobId, lines: int = 1) -> list[int]:
        """The pids that it has written to its log, once there are as many."""
        await until(lambda: self.log(job).count("\n") >= lines)
        return [int(word) for word in self.log(job).split()]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def scene(request: pytest.FixtureRequest) -> Iterator[Callable[[Awaitable[Found]], Found]]:
    """Runs what a test does in either loop."""
    with asyncio.Runner(loop_factory=request.param) as runner:

        def run(awaitable: Awaitable[Found]) -> Found:
            async def in_time() -> Found:
                async with asyncio.timeout(PATIENCE_S):
                    return await awaitable

            return runner.run(in_time())

        yield run


Scene = Callable[[Awaitable[None]], None]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """After the test nothing of its jobs is left, not even in the process table."""
    made = Jobs(tmp_path)
    yield made
    asyncio.run(made.runner.cancel(made.submitted))
    for job in made.submitted:
        assert not processes.marked(f"DFM_JOB={job}".encode())


def is_gone(pid: int) -> bool:
    """Zombies are not."""
    return processes.look(pid) is None


def is_zombie(pid: int) -> bool:
    process = processes.look(pid)
    return process is not None and process.state == "Z"


LEAVES = {
    "in a session of its own": "setsid sleep 100 & echo $!",
    "forked twice": "(setsid bash -c 'echo $$; exec sleep 100' &) &",
    "a tree": "bash -c 'echo $$; setsid sleep 100' &",
}
leaves = pytest.mark.parametrize("leaving", LEAVES.values(), ids=LEAVES)


def test_a_job_runs_until_it_ends_and_its_output_is_its_log(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("echo out; echo err >&2; read line; echo $line $DFM_JOB; exit 3")
        assert await jobs.end(job) == JobStatus(JobState.GONE, "exit status 3")
        assert jobs.log(job) == f"out\nerr\n{job}\n"

    scene(check())


def test_a_job_that_runs_is_said_to_run(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("exec sleep 100")
        assert await jobs.status(job) == JobStatus(JobState.RUNNING)
        await jobs.runner.cancel([job])

    scene(check())


def test_a_job_that_is_killed_is_gone_by_that_signal(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("kill -9 $$")
        assert await jobs.end(job) == JobStatus(JobState.GONE, "killed by signal 9")

    scene(check())


def test_a_job_that_it_does_not_have_is_unknown(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        other = JobId("4711")
        assert await jobs.status(other) == JobStatus(JobState.UNKNOWN)
        await jobs.runner.cancel([other])
        (job,) = await jobs.submit("exit 0")
        await jobs.end(job)
        again = await jobs.status(job)
        assert again.state is JobState.GONE, "though how it ended is said once"

    scene(check())


def test_several_jobs_come_in_the_order_of_their_requests(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        submitted = await jobs.submit(*(f"exit {number}" for number in range(5)))
        ends = [await jobs.end(job) for job in submitted]
        assert [end.reason for end in ends] == [f"exit status {number}" for number in range(5)]

    scene(check())


def test_a_job_has_a_session_of_its_own(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("echo $$; exec sleep 100")
        (pid,) = await jobs.said(job)
        assert os.getsid(pid) == pid
        await jobs.runner.cancel([job])

    scene(check())


def test_a_command_that_cannot_be_started_is_named(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        missing = WorkerRequest("w1", ["/nowhere/dfm", "worker", "x"], str(jobs.folder), 1)
        with pytest.raises(RunnerError) as caught:
            await jobs.runner.submit([missing])
        (problem,) = caught.value.problems
        assert problem.what.startswith("cannot start a worker: [Errno 2] No such file or directory")
        assert problem.hint == "command: /nowhere/dfm worker x"

    scene(check())


def test_a_log_that_cannot_be_written_is_named(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        with pytest.raises(RunnerError, match=r"/dev/null/x/local-.*\.log"):
            await jobs.runner.submit([jobs.request("true")._replace(log_folder="/dev/null/x")])

    scene(check())


def test_if_one_of_several_cannot_be_started_none_is_left(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        good = jobs.request(f"echo $$ > {jobs.folder}/pid; exec sleep 100")
        with pytest.raises(RunnerError):
            await jobs.runner.submit([good, good, good._replace(command=["/nowhere/dfm"])])
        for log in jobs.folder.glob("local-*.log"):
            mark = f"DFM_JOB={log.stem}".encode()
            assert not processes.marked(mark)
        assert len(list(jobs.folder.glob("local-*.log"))) == 3

    scene(check())


# Cancelling


def test_a_cancelled_job_may_end_in_its_own_way(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("trap 'echo 1; exit 4' TERM; echo 0; sleep 100 & wait")
        await jobs.said(job)
        await jobs.runner.cancel([job])
        assert await jobs.said(job) == [0, 1]
        assert await jobs.status(job) == JobStatus(JobState.GONE, "exit status 4")

    scene(check())


def test_a_job_that_ignores_that_is_killed(
    jobs: Jobs, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "_GRACE_S", 0.05)

    async def check() -> None:
        (job,) = await jobs.submit("trap '' TERM; echo $$; while :; do sleep 100; done")
        (pid,) = await jobs.said(job)
        await jobs.runner.cancel([job])
        assert is_gone(pid)
        assert await jobs.status(job) == JobStatus(JobState.GONE, "killed by signal 9")

    scene(check())


@leaves
def test_a_cancelled_job_leaves_nothing(jobs: Jobs, scene: Scene, leaving: str) -> None:
    async def check() -> None:
        (job,) = await jobs.submit(f"{leaving}\nexec sleep 100")
        (pid,) = await jobs.said(job)
        await jobs.runner.cancel([job])
        assert is_gone(pid)

    scene(check())


@leaves
def test_a_job_that_has_ended_leaves_nothing(jobs: Jobs, scene: Scene, leaving: str) -> None:
    async def check() -> None:
        (job,) = await jobs.submit(f"echo $$\n{leaving}\nexec sleep 100")
        leader, pid = await jobs.said(job, 2)
        os.kill(leader, signal.SIGKILL)
        assert await jobs.end(job) == JobStatus(JobState.GONE, "killed by signal 9")
        assert is_gone(pid)

    scene(check())


@pytest.mark.parametrize("is_polled", [False, True])
def test_cancelling_what_has_ended_is_no_error(jobs: Jobs, scene: Scene, is_polled: bool) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("echo $$")
        (pid,) = await jobs.said(job)
        await until(lambda: is_zombie(pid))
        if is_polled:
            await jobs.status(job)
        await jobs.runner.cancel([job])
        await jobs.runner.cancel([job])

    scene(check())


@pytest.mark.parametrize("is_over", [False, True])
def test_cancelling_and_polling_at_once_agree(jobs: Jobs, scene: Scene, is_over: bool) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("echo $$; setsid sleep 100 & exec sleep 100")
        (pid,) = await jobs.said(job)
        if is_over:
            os.kill(pid, signal.SIGKILL)
            await until(lambda: is_zombie(pid))
        cancel, poll = jobs.runner.cancel, jobs.runner.poll
        await asyncio.gather(poll([job]), cancel([job]), poll([job]), cancel([job]), poll([job]))
        assert (await jobs.status(job)).state in (JobState.GONE, JobState.UNKNOWN)
        assert not processes.marked(f"DFM_JOB={job}".encode())

    scene(check())


def test_one_job_is_cancelled_and_the_others_go_on(jobs: Jobs, scene: Scene) -> None:
    async def check() -> None:
        first, second = await jobs.submit(*["echo $$; setsid sleep 100 & echo $!; wait"] * 2)
        gone, stays = await jobs.said(first, 2), await jobs.said(second, 2)
        await jobs.runner.cancel([first])
        assert all(map(is_gone, gone))
        assert not any(map(is_gone, stays))
        await jobs.runner.cancel([second])
        assert all(map(is_gone, stays))

    scene(check())


def test_a_runner_of_the_next_daemon_finds_the_jobs_of_one_that_was_killed(
    jobs: Jobs, scene: Scene
) -> None:
    async def check() -> None:
        (job,) = await jobs.submit("setsid sleep 100 & exec sleep 100")
        following = ProcessRunner({})
        assert (await following.poll([job]))[job] == JobStatus(JobState.RUNNING)
        await following.cancel([job])
        assert (await following.poll([job]))[job].state is JobState.GONE
        assert not processes.marked(f"DFM_JOB={job}".encode())

    scene(check())


def test_what_a_job_left_that_ended_unseen_is_swept_before_it_is_said_to_be_gone(
    jobs: Jobs, scene: Scene
) -> None:
    async def check() -> None:
        # As a worker starts its tasks: what marks its own process is not handed on.
        (job,) = await jobs.submit(f"env -u {MARK} setsid sleep 100 & exit 0")
        following = ProcessRunner({})
        while True:
            if (await following.poll([job]))[job].state is JobState.GONE:
                break
            await asyncio.sleep(0.01)
        assert not processes.marked(f"DFM_JOB={job}".encode())

    scene(check())
