"""What is said to LSF and how its answers are read. Answers: IBM's documentation of LSF 10.1, and what
users of several sites have published."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.errors import RunnerError
from dfm.runners.base import JobEnd, JobId, JobState, JobStatus
from dfm.runners.lsf import LsfRunner
from tests.dfm.runners.requests import answer, request, requests, value

LSF = LsfRunner({})


def test_a_worker_is_asked_for_with_all_that_it_needs() -> None:
    lsf = LsfRunner(
        {"queue": "regr", "project": "chip", "resource_select": ("type==any", "a || b")}
    )
    wanted = request(cores=4, memory_mib=8192, walltime_s=3601, resource_select=("mem>4000",))
    words = lsf.submit_command([wanted])
    expected = {
        "-J": "dfm-3f9a-w1", "-q": "regr", "-P": "chip", "-n": "4", "-M": "8192MB", "-W": "1:01",
        "-R": "select[type==any && (a || b) && mem>4000] rusage[mem=8192MB] span[hosts=1]",
        "-oo": "/p/.dfm/workers/%J.log", "-cwd": "/p/.dfm/workers",
    }  # fmt: skip
    assert {name: value(words, name) for name in expected} == expected
    assert "-rn" in words
    assert shlex.split(words[-1]) == ["exec", *wanted.command], "one word: bsub joins them"


def test_what_nobody_asked_for_is_left_to_the_site() -> None:
    words = LSF.submit_command([request()])
    assert not set(words) & {"-q", "-P", "-M", "-W"}
    assert value(words, "-R") == "span[hosts=1]"


def test_equal_workers_are_one_array_that_names_them_all() -> None:
    words = LSF.submit_command(requests(3))
    assert value(words, "-J") == "dfm-3f9a-w1[1-3]"
    assert value(words, "-oo") == "/p/.dfm/workers/%J[%I].log"
    assert value(shlex.split(words[-1]), "--worker") == "w1,w2,w3"


def test_the_command_of_the_largest_array_is_one_that_lsf_takes() -> None:
    many = [request(f"w{number}") for number in range(100_000, 100_100)]
    assert len(LSF.submit_command(many)[-1]) < 4094


def test_a_wrapper_with_arguments_and_extra_words_are_passed_on() -> None:
    lsf = LsfRunner({"bsub_cmd": "lsf_bsub --tool dfm", "bsub_extra": ("-R", "rusage[vcs=1]")})
    words = lsf.submit_command([request()])
    assert words[:3] == ["lsf_bsub", "--tool", "dfm"]
    assert words[-3:-1] == ["-R", "rusage[vcs=1]"]


@pytest.mark.parametrize(
    "out",
    [
        "Job <27> is submitted to queue <normal>.\n",
        "Job <27> is submitted to default queue <normal>.\n",
        "Job is submitted to <chip> project.\nJob <27> is submitted to queue <normal>\n",
        "lsf_bsub 4.1: 12 slots of <99> are free\nJob <27> is submitted to queue <normal>.\nBye <3>\n",
    ],
)
def test_the_job_is_found_among_what_a_site_prints(out: str) -> None:
    assert LSF.parse_submit(answer(out), 1) == ["27"]
    assert LSF.parse_submit(answer("", out), 2) == ["27[1]", "27[2]"], "BSUB_STDERR"


@pytest.mark.parametrize(
    "err",
    [
        "nowhere: No such queue. Job not submitted.\n",
        "Project <x> is unknown, please wait for nobody\nRequest aborted by esub. Job not submitted.\n",
        "batch system daemon not responding ... still trying\nnormal: Queue has been closed. Job not submitted.\n",
    ],
)
def test_a_refusal_is_told_in_lsfs_words_with_the_command(err: str) -> None:
    with pytest.raises(RunnerError) as caught:
        LSF.parse_submit(answer("", err, 255, ["bsub", "exec x"]), 1)
    assert not caught.value.retryable
    assert str(caught.value).startswith("bsub refused a worker: ")
    assert all(line in str(caught.value) for line in err.splitlines())
    assert "command: bsub 'exec x'" in str(caught.value)


@pytest.mark.parametrize(
    "output",
    [
        answer("", "LSF is down. Please wait ...\n", 255),
        answer("", "", 255),
        answer("", "", 0),
        answer("Job is submitted to <chip> project.\n", "", 0),
        answer("", "Request from non-LSF host rejected. Job not submitted.\n", 255),
    ],
)
def test_what_may_go_away_is_retryable(output: object) -> None:
    with pytest.raises(RunnerError) as caught:
        LSF.parse_submit(output, 1)  # type: ignore[arg-type]
    assert caught.value.retryable


def test_all_jobs_are_looked_at_with_one_command() -> None:
    words = LSF.poll_command([JobId("12[1]"), JobId("12[2]"), JobId("40")])
    assert words[-2:] == ["12", "40"]


@pytest.mark.parametrize(
    ("line", "job", "status"),
    [
        ("9^-^PEND^-^-^-^New job is waiting;", "9", JobStatus(JobState.PENDING, "LSF: PEND, New job is waiting")),
        ("9^0^PSUSP^-^-^-^-", "9", JobStatus(JobState.PENDING, "LSF: PSUSP")),
        ("9^3^RUN^-^-^-^-", "9[3]", JobStatus(JobState.RUNNING, "RUN")),
        ("9^3^RUN^-^1:05 L^-^-", "9[3]", JobStatus(JobState.RUNNING, "RUN", left_s=3900.0)),
        ("9^3^RUN^-^240:00^-^-", "9[3]", JobStatus(JobState.RUNNING, "RUN", left_s=864000.0)),
        ("9^3^RUN^-^0:07 E^-^-", "9[3]", JobStatus(JobState.RUNNING, "RUN")),
        ("9^3^SSUSP^-^-^-^-", "9[3]", JobStatus(JobState.SUSPENDED, "SSUSP")),
        ("9^3^USUSP^-^-^-^-", "9[3]", JobStatus(JobState.SUSPENDED, "USUSP")),
        ("9^3^UNKWN^-^-^-^-", "9[3]", JobStatus(JobState.UNKNOWN, "UNKWN")),
        ("9^3^ZOMBI^-^-^-^-", "9[3]", JobStatus(JobState.UNKNOWN, "ZOMBI")),
        ("9^3^FWD_PEND^-^-^-^-", "9[3]", JobStatus(JobState.UNKNOWN, "FWD_PEND")),
        ("9^3^DONE^-^-^-^-", "9[3]", JobStatus(JobState.GONE, "DONE")),
        ("9^3^EXIT^7^-^-^-", "9[3]", JobStatus(JobState.GONE, "EXIT, exit status 7")),
        ("9^3^EXIT^140^-^-^-", "9[3]", JobStatus(JobState.GONE, "EXIT, exit status 140", JobEnd.WALLTIME)),
        ("9^3^EXIT^130^-^TERM_OWNER: job killed by owner^-", "9[3]", JobStatus(JobState.GONE, "EXIT, exit status 130: TERM_OWNER: job killed by owner", JobEnd.CANCELLED)),
        ("9^3^EXIT^137^-^TERM_MEMLIMIT: job killed after reaching LSF memory usage limit^-", "9[3]", JobStatus(JobState.GONE, "EXIT, exit status 137: TERM_MEMLIMIT: job killed after reaching LSF memory usage limit", JobEnd.MEMORY)),
        ("9^3^EXIT^-^-^TERM_RUNLIMIT: job killed after reaching LSF run time limit^-", "9[3]", JobStatus(JobState.GONE, "EXIT: TERM_RUNLIMIT: job killed after reaching LSF run time limit", JobEnd.WALLTIME)),
    ],
)  # fmt: skip
def test_a_line_of_bjobs_is_a_status(line: str, job: str, status: JobStatus) -> None:
    assert LSF.parse_poll(answer(f"{line}\n")) == {job: status}


def test_jobs_that_are_found_count_though_others_are_not() -> None:
    output = answer("9^-^RUN^-^-^-^-\n", "Job <8> is not found\n", 255)
    assert set(LSF.parse_poll(output)) == {"9"}
    assert LSF.parse_poll(answer("", "Job <8> is not found\n", 255)) == {}
    assert LSF.parse_poll(answer("", "No unfinished job found\n", 0)) == {}


@pytest.mark.parametrize("err", ["LSF is down. Please wait ...\n", "", "Batch system concurrent query limit exceeded\n"])  # fmt: skip
def test_no_answer_about_jobs_is_an_error_and_never_an_end(err: str) -> None:
    with pytest.raises(RunnerError) as caught:
        LSF.parse_poll(answer("", err, 255))
    assert caught.value.retryable


@given(st.text(alphabet="09^-PENDRUXITZ\n "))
def test_whatever_bjobs_prints_no_job_counts_as_ended_but_by_lsfs_words(out: str) -> None:
    try:
        found = LSF.parse_poll(answer(out))
    except RunnerError:
        return
    for job in found.values():
        assert job.state is not JobState.GONE or job.reason.startswith(("DONE", "EXIT"))


def test_elements_of_an_array_are_cancelled_together() -> None:
    jobs = [JobId("12[1]"), JobId("40"), JobId("12[7]")]
    assert LSF.cancel_command(jobs) == ["bkill", "12[1,7]", "40"]


def test_jobs_that_are_over_already_can_be_cancelled() -> None:
    over = "Job <3>: No matching job found\nJob <4[1]>: Job has already finished\n"
    LSF.parse_cancel(answer("Job <5> is being terminated\n", over, 255))
    with pytest.raises(RunnerError, match="permission denied"):
        LSF.parse_cancel(answer("", f"{over}Job <6>: User permission denied\n", 255))
    with pytest.raises(RunnerError) as caught:
        LSF.parse_cancel(answer("", "LSF is down. Please wait ...\n", 255))
    assert caught.value.retryable
