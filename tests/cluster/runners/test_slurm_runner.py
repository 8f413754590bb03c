"""The runner `slurm` on a real Slurm."""

import sys
from pathlib import Path

import pytest

from dfm.errors import RunnerError
from dfm.runners.base import JobEnd, JobId, JobState, JobStatus
from dfm.runners.job_logs import end_by_log
from dfm.runners.slurm import SlurmRunner
from tests.cluster import faults
from tests.cluster.runners.conftest import Jobs
from tests.cluster.slurm import Slurm

pytestmark = pytest.mark.slurm
TAKE = "import time; x = bytearray(300 << 20); time.sleep(300)"


@pytest.fixture
def jobs(slurm: Slurm, tmp_path: Path) -> Jobs:
    return Jobs(SlurmRunner({}), tmp_path)


def test_a_job_is_submitted_seen_and_cancelled(slurm: Slurm, jobs: Jobs) -> None:
    (job,) = jobs.submit(jobs.request("w1", about="dfm /p"))
    jobs.all_are([job], JobState.RUNNING)
    shown = slurm.run("squeue", "-h", "-j", job, "-o", "%j %P %C %m %k")
    assert shown == "dfm-test-w1 normal 1 100M dfm /p"
    slurm.until(lambda: jobs.log(job) == "w1\n", "it writes its log")
    jobs.cancel([job])
    gone = jobs.all_are([job], JobState.GONE)
    assert gone[job] == JobStatus(JobState.GONE, "CANCELLED", JobEnd.CANCELLED)
    jobs.cancel([job])


def test_an_array_of_50_is_one_submission_whose_jobs_end_one_by_one(
    slurm: Slurm, jobs: Jobs
) -> None:
    made = jobs.submit(*(jobs.request(f"w{number}") for number in range(1, 51)))
    assert made == [f"{made[0].partition('_')[0]}_{number}" for number in range(1, 51)]
    jobs.all_are(made, JobState.RUNNING)
    jobs.cancel(made[:2])
    jobs.all_are(made[:2], JobState.GONE)
    assert {status.state for status in jobs.poll(made[2:]).values()} == {JobState.RUNNING}
    jobs.cancel(made)
    jobs.all_are(made, JobState.GONE)
    assert slurm.jobs() == [] or set(slurm.jobs()) <= set(made), "nothing else was submitted"


def test_an_inherited_default_of_a_user_does_not_apply(
    jobs: Jobs, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBATCH_PARTITION", "closed")
    monkeypatch.setenv("SBATCH_EXPORT", "NONE")
    monkeypatch.setenv("SQUEUE_FORMAT", "%i nonsense")
    monkeypatch.setenv("SITE", "here")
    (job,) = jobs.submit(jobs.request("w1", 'echo "$SITE"'))
    jobs.all_are([job], JobState.GONE)
    assert jobs.log(job) == "w1\nhere\n"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"queue": "nowhere"}, "Invalid partition name specified"),
        ({"resource_select": ("moon",)}, "Invalid feature specification"),
        ({"sbatch_extra": ("--licenses=ius:1",)}, "Invalid license specification"),
        ({"sbatch_extra": ("--bogus",)}, "unrecognized option '--bogus'"),
    ],
)
def test_a_refusal_is_told_in_slurms_words(
    slurm: Slurm, tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    jobs = Jobs(SlurmRunner(settings), tmp_path)
    with pytest.raises(RunnerError) as caught:
        jobs.submit(jobs.request("w1"))
    assert words in str(caught.value)
    assert "command: sbatch" in str(caught.value)
    assert not caught.value.retryable
    assert slurm.jobs() == []


def test_of_requests_that_are_refused_in_part_none_is_left(slurm: Slurm, jobs: Jobs) -> None:
    with pytest.raises(RunnerError):
        jobs.submit(jobs.request("w1"), jobs.request("w2", queue="nowhere"))
    slurm.until(lambda: not slurm.jobs(), "the first is cancelled")


def test_what_pends_says_why(slurm: Slurm, jobs: Jobs) -> None:
    (job,) = jobs.submit(jobs.request("w1", queue="closed"))
    found = jobs.until([job], lambda all: any("PartitionDown" in one.reason for one in all))
    assert found[job].state is JobState.PENDING


def test_while_the_controller_is_down_nothing_counts_as_ended(slurm: Slurm, jobs: Jobs) -> None:
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)
    slurm.stop_controller()
    for ask in (lambda: jobs.poll([job]), lambda: jobs.submit(jobs.request("w2"))):
        with pytest.raises(RunnerError, match="Unable to contact slurm controller") as caught:
            ask()
        assert caught.value.retryable
    slurm.start_controller()
    assert jobs.poll([job])[job].state is JobState.RUNNING


def test_a_lost_answer_is_looked_for_by_name(slurm: Slurm, tmp_path: Path) -> None:
    wrapper = tmp_path / "sbatch-mute"
    wrapper.write_text('#!/bin/sh\nsbatch "$@" >/dev/null\n')
    wrapper.chmod(0o755)
    jobs = Jobs(SlurmRunner({"sbatch_cmd": str(wrapper)}), tmp_path)
    made = jobs.submit(*(jobs.request(f"w{number}") for number in range(1, 13)))
    assert [job.partition("_")[2] for job in made] == [str(number) for number in range(1, 13)]
    jobs.all_are(made, JobState.RUNNING)


def test_why_a_job_ended_is_told(slurm: Slurm, jobs: Jobs) -> None:
    wanted = {
        "host": jobs.request("w1", cores=16),  # alone on its node
        "walltime": jobs.request("w2", walltime_s=60),
        "memory": jobs.request("w3", f"exec {sys.executable} -c '{TAKE}'"),
        "fault": jobs.request("w4", "exit 7"),
        "preempted": jobs.request("w5", queue="spare", cores=16),
    }
    made = dict(zip(wanted, jobs.submit(*wanted.values()), strict=True))
    jobs.all_are([made["host"], made["walltime"], made["preempted"]], JobState.RUNNING)
    faults.end_in(slurm, made["walltime"], 1)
    fillers = jobs.submit(*(jobs.request(f"f{number}", cores=14) for number in range(4)))
    jobs.all_are([made["preempted"]], JobState.GONE)
    jobs.cancel(fillers)
    node = slurm.run("squeue", "-h", "-j", made["host"], "-o", "%N")
    faults.kill_node(slurm, node)
    faults.declare_down(slurm, node)
    ended = jobs.all_are(list(made.values()), JobState.GONE)
    found = {name: ended[job] for name, job in made.items()}
    assert found["host"] == JobStatus(JobState.GONE, "NODE_FAIL: NodeDown", JobEnd.HOST)
    assert found["walltime"].end is JobEnd.WALLTIME
    assert end_by_log(jobs.log(made["walltime"])) is JobEnd.WALLTIME
    assert found["fault"] == JobStatus(JobState.GONE, "FAILED: NonZeroExitCode")
    assert found["preempted"].end is JobEnd.PREEMPTED
    assert end_by_log(jobs.log(made["preempted"])) is JobEnd.PREEMPTED
    assert found["memory"].end is JobEnd.UNCLEAR, "without cgroups only the log has it"
    assert end_by_log(jobs.log(made["memory"])) is JobEnd.MEMORY


def test_a_suspended_job_is_neither_running_nor_gone(slurm: Slurm, jobs: Jobs) -> None:
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)
    faults.suspend(slurm, job)
    assert jobs.all_are([job], JobState.SUSPENDED)[job].reason.startswith("SUSPENDED")
    faults.resume(slurm, job)
    jobs.all_are([job], JobState.RUNNING)


def test_a_job_that_slurm_does_not_know_is_unknown_first(jobs: Jobs) -> None:
    found = jobs.poll([JobId("999999")])
    assert found == {"999999": JobStatus(JobState.UNKNOWN, "squeue does not list it")}
