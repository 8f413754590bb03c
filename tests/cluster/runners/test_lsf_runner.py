"""The runner `lsf` on the LSF command set."""

import sys
from pathlib import Path
from typing import Any

import pytest

from dfm.errors import RunnerError
from dfm.runners import command
from dfm.runners.base import JobEnd, JobState, JobStatus
from dfm.runners.lsf import LsfRunner
from tests.cluster import faults
from tests.cluster.lsf.lsf import Lsf
from tests.cluster.runners.conftest import Jobs

pytestmark = pytest.mark.slurm


@pytest.fixture
def jobs(lsf: Lsf, tmp_path: Path) -> Jobs:
    return Jobs(LsfRunner({}), tmp_path)


def test_a_job_is_submitted_seen_and_cancelled(lsf: Lsf, jobs: Jobs) -> None:
    lsf.set(terminate_interval_s=0.3)
    (job,) = jobs.submit(jobs.request("w1", cores=2, walltime_s=3600))
    jobs.all_are([job], JobState.RUNNING)
    shown = lsf.call("bjobs", "-noheader", "-o", "job_name queue exec_host runtimelimit", job)
    assert shown.stdout.split()[:2] == ["dfm-test-w1", "normal"]
    assert shown.stdout.split()[2].startswith("2*node")
    assert shown.stdout.split()[3] == "60"
    jobs.cancel([job])
    gone = jobs.all_are([job], JobState.GONE)
    assert gone[job].end is JobEnd.CANCELLED
    assert gone[job].reason.endswith("TERM_OWNER: job killed by owner")
    assert "<dfm-test-w1> was submitted" in jobs.log(job), "LSF's report"
    jobs.cancel([job])


def test_an_array_of_50_is_one_submission_whose_jobs_end_one_by_one(lsf: Lsf, jobs: Jobs) -> None:
    lsf.set(terminate_interval_s=0.3)
    made = jobs.submit(*(jobs.request(f"w{number}") for number in range(1, 51)))
    assert made == [f"{made[0].partition('[')[0]}[{number}]" for number in range(1, 51)]
    jobs.all_are(made, JobState.RUNNING)
    jobs.cancel(made[:2])
    jobs.all_are(made[:2], JobState.GONE)
    assert {status.state for status in jobs.poll(made[2:]).values()} == {JobState.RUNNING}
    jobs.cancel(made)
    jobs.all_are(made, JobState.GONE)


@pytest.mark.parametrize(
    ("settings", "site", "words"),
    [
        ({"queue": "nowhere"}, {}, "nowhere: No such queue."),
        ({"queue": "night"}, {}, "night: Queue has been closed."),
        ({}, {"projects": ["chip"]}, "Request aborted by esub."),
        ({}, {"refuses": "Use regr_low on weekdays."}, "Use regr_low on weekdays."),
        ({"resource_select": ("type=x",)}, {}, "cannot be used in the resource requirement"),
        ({"bsub_extra": ("-zz",)}, {}, "illegal option"),
    ],
)
def test_a_refusal_is_told_in_lsfs_words(
    lsf: Lsf, tmp_path: Path, settings: dict[str, str], site: dict[str, Any], words: str
) -> None:
    lsf.set(**site)
    jobs = Jobs(LsfRunner(settings), tmp_path)
    with pytest.raises(RunnerError) as caught:
        jobs.submit(jobs.request("w1"))
    assert words in str(caught.value)
    assert "command: bsub -J dfm-test-w1" in str(caught.value)
    assert not caught.value.retryable
    assert lsf.slurm.jobs() == []


def test_the_queue_and_project_of_the_settings_are_those_of_the_job(
    lsf: Lsf, tmp_path: Path
) -> None:
    lsf.set(projects=["chip"])
    settings: dict[str, Any] = {
        "queue": "regr_high",
        "project": "chip",
        "resource_select": ("type==any", "x86"),
    }
    jobs = Jobs(LsfRunner(settings), tmp_path)
    (job,) = jobs.submit(jobs.request("w1"))
    shown = lsf.call("bjobs", "-noheader", "-o", "queue proj_name", job).stdout
    assert shown.split() == ["regr_high", "chip"]


def test_a_chatty_site_is_understood(lsf: Lsf, jobs: Jobs) -> None:
    lsf.set(before=["farm 7 of <9>", "Job is submitted to <chip> project."], after=["12 jobs <5>"])
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)


def test_a_wrapper_in_several_words_is_called(lsf: Lsf, tmp_path: Path) -> None:
    wrapper = tmp_path / "farm"
    wrapper.write_text(
        '#!/bin/sh\n[ "$1" = --tool ] && shift 2\necho "farm 1.0 <77>"\nexec bsub -P chip "$@"\n'
    )
    wrapper.chmod(0o755)
    lsf.set(projects=["chip"])
    jobs = Jobs(LsfRunner({"bsub_cmd": f"{wrapper} --tool dfm"}), tmp_path)
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)


@pytest.mark.parametrize("way", ["silent", "hang"])
def test_a_lost_answer_is_looked_for_by_name(
    lsf: Lsf, jobs: Jobs, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.run, "__defaults__", (3.0,))
    lsf.set(loses_answer=way)
    made = jobs.submit(*(jobs.request(f"w{number}") for number in range(1, 4)))
    lsf.set(loses_answer="")
    assert [job.partition("[")[2] for job in made] == ["1]", "2]", "3]"]
    jobs.all_are(made, JobState.RUNNING)


def test_while_lsf_is_down_nothing_counts_as_ended(
    lsf: Lsf, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)
    monkeypatch.setattr(command.run, "__defaults__", (1.0,))
    with lsf.being(is_down=True):
        for ask in (lambda: jobs.poll([job]), lambda: jobs.submit(jobs.request("w2"))):
            with pytest.raises(RunnerError, match="LSF is down") as caught:
                ask()
            assert caught.value.retryable
    monkeypatch.setattr(command.run, "__defaults__", (40.0,))
    assert jobs.poll([job])[job].state is JobState.RUNNING


def test_a_job_that_lsf_does_not_list_yet_is_unknown(lsf: Lsf, jobs: Jobs) -> None:
    lsf.set(lag_s=1000.0)
    (job,) = jobs.submit(jobs.request("w1"))
    assert jobs.poll([job])[job] == JobStatus(JobState.UNKNOWN, "bjobs does not list it")
    lsf.set(lag_s=0.0)
    jobs.all_are([job], JobState.RUNNING)


def test_what_pends_says_why_and_can_be_cancelled(lsf: Lsf, jobs: Jobs) -> None:
    lsf.set(pends=True)
    (job,) = jobs.submit(jobs.request("w1"))
    expected = JobStatus(JobState.PENDING, "LSF: PEND, There are no suitable hosts for the job")
    assert jobs.poll([job])[job] == expected
    jobs.cancel([job])
    assert jobs.all_are([job], JobState.GONE)[job].end is JobEnd.CANCELLED


def test_why_a_job_ended_is_told(lsf: Lsf, jobs: Jobs) -> None:
    lsf.set(minute_s=2.0, terminate_interval_s=0.3)
    wanted = {
        "walltime": jobs.request("w1", walltime_s=60),
        "memory": jobs.request("w2", f"exec {sys.executable} -c '{_TAKE}'"),
        "fault": jobs.request("w3", "exit 7"),
    }
    made = dict(zip(wanted, jobs.submit(*wanted.values()), strict=True))
    ended = jobs.all_are(list(made.values()), JobState.GONE)
    found = {name: ended[job] for name, job in made.items()}
    assert found["walltime"].end is JobEnd.WALLTIME
    assert found["walltime"].reason.startswith("EXIT, exit status 140: TERM_RUNLIMIT")
    assert found["memory"].end is JobEnd.MEMORY
    assert found["fault"] == JobStatus(JobState.GONE, "EXIT, exit status 7")


_TAKE = "import time; x = bytearray(300 << 20); time.sleep(300)"


def test_a_job_whose_host_is_lost_is_unknown_until_the_host_is_back(lsf: Lsf, jobs: Jobs) -> None:
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)
    node = lsf.call("bjobs", "-noheader", "-o", "exec_host", job).stdout.strip()
    faults.kill_node(lsf.slurm, node)
    faults.declare_down(lsf.slurm, node)
    assert jobs.until([job], lambda all: any(one.reason == "UNKWN" for one in all))
    jobs.cancel([job])
    assert jobs.poll([job])[job] == JobStatus(JobState.UNKNOWN, "ZOMBI")
    lsf.slurm.start_node(node)  # ReturnToService=2: it needs no word of an administrator
    jobs.all_are([job], JobState.GONE)


def test_a_suspended_job_is_neither_running_nor_gone(lsf: Lsf, jobs: Jobs) -> None:
    (job,) = jobs.submit(jobs.request("w1"))
    jobs.all_are([job], JobState.RUNNING)
    faults.suspend(lsf.slurm, job)
    assert jobs.all_are([job], JobState.SUSPENDED)[job].reason == "SSUSP"
