"""What is said to Slurm and how its answers are read. Answers are those of Slurm 22.05.8 (Debian 12)."""

import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.errors import RunnerError
from dfm.runners.base import JobEnd, JobId, JobState, JobStatus
from dfm.runners.command import NoAnswer
from dfm.runners.slurm import SlurmRunner
from tests.dfm.runners.requests import answer, request, requests, value

SLURM = SlurmRunner({})


def test_a_worker_is_asked_for_with_all_that_it_needs() -> None:
    slurm = SlurmRunner({"queue": "regr", "project": "chip", "resource_select": ("x86", "a|b")})
    wanted = request(
        cores=4, memory_mib=8192, walltime_s=3601, resource_select=("bigmem",), about="dfm /p"
    )
    words = slurm.submit_command([wanted])
    assert words[:2] == ["sbatch", "--parsable"]
    expected = {
        "--job-name": "dfm-3f9a-w1", "--partition": "regr", "--account": "chip", "--mem": "8192M",
        "--cpus-per-task": "4", "--time": "61", "--constraint": "x86&(a|b)&bigmem",
        "--comment": "dfm /p", "--output": "/p/.dfm/workers/%j.log", "--export": "ALL", "--array": "",
    }  # fmt: skip
    assert {name: value(words, name) for name in expected} == expected
    assert "--no-requeue" in words
    assert words[-2] == "--wrap"
    assert shlex.split(words[-1]) == ["exec", *wanted.command]


def test_what_nobody_asked_for_is_left_to_the_site() -> None:
    words = SLURM.submit_command([request()])
    named = {word.partition("=")[0] for word in words}
    assert not named & {"--mem", "--time", "--partition", "--account", "--constraint", "--comment"}


def test_a_requests_own_queue_and_project_go_before_the_runners() -> None:
    slurm = SlurmRunner({"queue": "regr", "project": "chip"})
    words = slurm.submit_command([request(queue="night", project="soc")])
    assert (value(words, "--partition"), value(words, "--account")) == ("night", "soc")


def test_equal_workers_are_one_array_that_names_them_all() -> None:
    words = SLURM.submit_command(requests(3))
    assert value(words, "--array") == "1-3"
    assert value(words, "--output") == "/p/.dfm/workers/%A_%a.log"
    assert value(shlex.split(words[-1]), "--worker") == "w1,w2,w3"


def test_a_wrapper_with_arguments_and_extra_words_are_passed_on() -> None:
    slurm = SlurmRunner(
        {"sbatch_cmd": "ssh 'my host' sbatch", "sbatch_extra": ("--gres=emulator:1",)}
    )
    words = slurm.submit_command([request()])
    assert words[:4] == ["ssh", "my host", "sbatch", "--parsable"]
    assert words[-3] == "--gres=emulator:1"


def test_another_dfm_runs_on_the_node_if_it_is_named() -> None:
    words = SlurmRunner({"worker_dfm_path": "/tools/dfm/bin/dfm"}).submit_command([request()])
    assert shlex.split(words[-1])[:3] == ["exec", "/tools/dfm/bin/dfm", "worker"]
    assert shlex.split(SLURM.submit_command([request()])[-1])[1] == sys.executable


def test_a_percent_sign_in_a_path_is_no_pattern() -> None:
    words = SLURM.submit_command([request(log_folder="/p%j/w")])
    assert value(words, "--output") == "/p%%j/w/%j.log"
    assert value(words, "--chdir") == "/p%j/w"


@pytest.mark.parametrize(
    "out",
    [
        "27\n",
        "27;chips\n",
        "Submitted batch job 27\n",
        "Submitted batch job 27 on cluster chips\n",
        "Welcome to farm 7\n12 licences are free\n27\nYour quota is 80 %\n",
        "27 jobs are before yours\nSubmitted batch job 27\n",
    ],
)
def test_the_job_is_found_among_what_a_site_prints(out: str) -> None:
    assert SLURM.parse_submit(answer(out, "sbatch: note 99\n"), 1) == ["27"]
    assert SLURM.parse_submit(answer(out), 2) == ["27_1", "27_2"]


@pytest.mark.parametrize(
    ("err", "status"),
    [
        (
            "sbatch: error: invalid partition specified: nowhere\n"
            "sbatch: error: Batch job submission failed: Invalid partition name specified\n",
            1,
        ),
        (
            "sbatch: error: Memory specification can not be satisfied\n"
            "sbatch: error: Batch job submission failed: Requested node configuration is not available\n",
            1,
        ),
        (
            "sbatch: unrecognized option '--bogus'\nTry \"sbatch --help\" for more information\n",
            255,
        ),
        (
            "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying.\n"
            "sbatch: error: Batch job submission failed: Invalid feature specification\n",
            1,
        ),
    ],
)
def test_a_refusal_is_told_in_slurms_words_with_the_command(err: str, status: int) -> None:
    with pytest.raises(RunnerError) as caught:
        SLURM.parse_submit(answer("", err, status, ["sbatch", "--wrap", "exec x"]), 4)
    text = str(caught.value)
    assert not caught.value.retryable
    assert text.startswith("sbatch refused workers: ")
    assert all(line in text for line in err.splitlines())
    assert "command: sbatch --wrap 'exec x'" in text


@pytest.mark.parametrize(
    "words",
    [
        "Unable to contact slurm controller (connect failure)",
        "Protocol authentication error",
        "Slurm temporarily unable to accept job, sleeping and retrying",
    ],
)
def test_what_may_go_away_is_retryable(words: str) -> None:
    with pytest.raises(RunnerError) as caught:
        SLURM.parse_submit(
            answer("", f"sbatch: error: Batch job submission failed: {words}\n", 1), 1
        )
    assert caught.value.retryable
    assert not isinstance(caught.value, NoAnswer)


@pytest.mark.parametrize(
    "output",
    [
        answer(
            "",
            "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
            1,
        ),
        answer("", "", 0),
        answer("farm: 12 is your lucky number\n", "", 0),
    ],
)
def test_an_answer_that_names_no_job_leaves_it_open(output: object) -> None:
    with pytest.raises(NoAnswer) as caught:
        SLURM.parse_submit(output, 1)  # type: ignore[arg-type]
    assert caught.value.retryable


def test_all_jobs_are_looked_at_with_one_command() -> None:
    words = SLURM.poll_command([JobId("12_1"), JobId("12_2"), JobId("40")])
    assert words[-2:] == ["-j", "12,40"]
    many = SLURM.poll_command([JobId(str(number)) for number in range(1000)])
    assert many[-1] == "--me"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("9|PENDING|INVALID|Resources", JobStatus(JobState.PENDING, "Slurm: PENDING, Resources")),
        ("9|PENDING|INVALID|Nodes required for job are DOWN, DRAINED or reserved (x|y)", JobStatus(JobState.PENDING, "Slurm: PENDING, Nodes required for job are DOWN, DRAINED or reserved (x|y)")),
        ("9|REQUEUED|INVALID|None", JobStatus(JobState.PENDING, "Slurm: REQUEUED")),
        ("9|CONFIGURING|INVALID|None", JobStatus(JobState.PENDING, "Slurm: CONFIGURING")),
        ("9|RUNNING|INVALID|None", JobStatus(JobState.RUNNING, "RUNNING")),
        ("9|RUNNING|9:59|None", JobStatus(JobState.RUNNING, "RUNNING", left_s=599.0)),
        ("9|RUNNING|2:00:00|None", JobStatus(JobState.RUNNING, "RUNNING", left_s=7200.0)),
        ("9|RUNNING|1-02:03:04|None", JobStatus(JobState.RUNNING, "RUNNING", left_s=93784.0)),
        ("9|RUNNING|UNLIMITED|None", JobStatus(JobState.RUNNING, "RUNNING")),
        ("9|COMPLETING|INVALID|None", JobStatus(JobState.RUNNING, "COMPLETING")),
        ("9|SUSPENDED|INVALID|None", JobStatus(JobState.SUSPENDED, "SUSPENDED")),
        ("9|COMPLETED|INVALID|None", JobStatus(JobState.GONE, "COMPLETED")),
        ("9|FAILED|INVALID|NonZeroExitCode", JobStatus(JobState.GONE, "FAILED: NonZeroExitCode")),
        ("9|CANCELLED|INVALID|None", JobStatus(JobState.GONE, "CANCELLED", JobEnd.CANCELLED)),
        ("9|TIMEOUT|INVALID|TimeLimit", JobStatus(JobState.GONE, "TIMEOUT: TimeLimit", JobEnd.WALLTIME)),
        ("9|OUT_OF_MEMORY|INVALID|OutOfMemory", JobStatus(JobState.GONE, "OUT_OF_MEMORY: OutOfMemory", JobEnd.MEMORY)),
        ("9|NODE_FAIL|INVALID|NodeDown", JobStatus(JobState.GONE, "NODE_FAIL: NodeDown", JobEnd.HOST)),
        ("9|PREEMPTED|INVALID|None", JobStatus(JobState.GONE, "PREEMPTED", JobEnd.PREEMPTED)),
        ("9|HIBERNATING|INVALID|None", JobStatus(JobState.UNKNOWN, "HIBERNATING")),
    ],
)  # fmt: skip
def test_a_line_of_squeue_is_a_status(line: str, status: JobStatus) -> None:
    assert SLURM.parse_poll(answer(f"{line}\n")) == {"9": status}


def test_jobs_that_slurm_has_forgotten_are_not_listed_and_no_error() -> None:
    forgotten = "slurm_load_jobs error: Invalid job id specified\n"
    assert SLURM.parse_poll(answer("", forgotten, 1)) == {}


def test_no_answer_about_jobs_is_an_error_and_never_an_end() -> None:
    down = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(RunnerError) as caught:
        SLURM.parse_poll(answer("", down, 1))
    assert caught.value.retryable


@given(st.text(), st.integers(0, 1))
def test_whatever_squeue_prints_no_job_counts_as_ended_but_by_slurms_words(
    out: str, status: int
) -> None:
    try:
        found = SLURM.parse_poll(answer(out, "", status))
    except RunnerError:
        return
    for job in found.values():
        assert job.state is not JobState.GONE or job.reason.split(":")[0].isupper()


def test_jobs_that_are_over_already_can_be_cancelled() -> None:
    SLURM.parse_cancel(answer())
    over = "scancel: error: Kill job error on job id 3: Job/step already completing or completed\n"
    SLURM.parse_cancel(answer("", over, 1))
    with pytest.raises(RunnerError, match="denied") as caught:
        SLURM.parse_cancel(answer("", "scancel: error: Access/permission denied\n", 210))
    assert not caught.value.retryable
    down = "scancel: error: Kill job error on job id 3: Unable to contact slurm controller (connect failure)\n"
    with pytest.raises(RunnerError) as caught:
        SLURM.parse_cancel(answer("", down, 8))
    assert caught.value.retryable


def test_it_is_unusable_without_its_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert SLURM.unusable() == "sbatch: not found on PATH"
