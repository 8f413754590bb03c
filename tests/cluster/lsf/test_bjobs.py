"""bjobs, bkill and how jobs end, as the documentation of LSF 10.1 says."""

import json
import sys

import pytest

from tests.cluster import faults
from tests.cluster.lsf.lsf import Lsf
from tests.cluster.lsf.test_bsub import run

pytestmark = pytest.mark.slurm
CAUTIOUS = "import signal, time; [signal.signal(n, lambda *a: print(a[0], flush=True)) for n in (2, 12, 15)]; print(0, flush=True); [time.sleep(1) for _ in range(300)]"


def ended(lsf: Lsf, job: str) -> list[str]:
    """Its state, status and reason, once it is over."""
    lsf.slurm.until(lambda: lsf.stat(job) in ("DONE", "EXIT"), f"job {job} ends")
    words = ["-noheader", "-a", "-o", "stat exit_code exit_reason delimiter='^'", job]
    return lsf.call("bjobs", *words).stdout.strip().split("^")


def running(lsf: Lsf, *words: str) -> str:
    job = run(lsf, *words)
    lsf.slurm.until(lambda: lsf.stat(job) == "RUN", f"job {job} runs")
    return job


def test_only_unfinished_jobs_are_shown_unless_all_are_asked_for(lsf: Lsf) -> None:
    over, runs = run(lsf, "true"), running(lsf, "sleep 100")
    assert ended(lsf, over) == ["DONE", "-", "-"]
    assert lsf.call("bjobs", "-noheader", "-o", "jobid").stdout.split() == [runs]
    everything = lsf.call("bjobs", "-noheader", "-a", "-o", "jobid").stdout.split()
    assert {over, runs} <= set(everything)


def test_what_is_not_found_is_said_with_the_status_of_the_site(lsf: Lsf) -> None:
    done = lsf.call("bjobs", "99999")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Job <99999> is not found\n")
    assert lsf.call("bjobs", "99999", LSB_BJOBS_CONSISTENT_EXIT_CODE="Y").returncode == 255
    assert lsf.call("bjobs").stderr == "No unfinished job found\n"
    job = running(lsf, "sleep 100")
    done = lsf.call("bjobs", "-noheader", "-o", "jobid", job, "99999")
    assert (done.returncode, done.stdout.split()) == (255, [job]), "output and 255"


def test_jobs_are_found_by_name_group_queue_and_project(lsf: Lsf) -> None:
    words = ["-J", "dfm-x[1-2]", "-g", "/dfm/x", "-q", "regr_high", "-P", "chip", "sleep 100"]
    job = run(lsf, *words)
    run(lsf, "-J", "other", "sleep 100")
    for option in (
        ["-J", "dfm-*"],
        ["-J", "dfm-x"],
        ["-g", "/dfm/x"],
        ["-q", "regr_high"],
        ["-P", "chip"],
    ):
        shown = lsf.call("bjobs", "-noheader", "-o", "jobid jobindex", *option).stdout
        assert shown.split() == [job, "1", job, "2"], option
    shown = lsf.call("bjobs", "-noheader", "-o", "jobindex", f"{job}[2]").stdout
    assert shown.split() == ["2"]


def test_columns_have_widths_and_a_delimiter_and_names_lose_their_heads(lsf: Lsf) -> None:
    job = running(lsf, "-J", "a-name-that-is-long", "sleep 100")
    shown = lsf.call("bjobs", "-o", "jobid:6 job_name:10 exit_code delimiter='^'", job).stdout
    assert shown.splitlines() == ["JOBID ^JOB_NAME  ^EXIT_CODE", f"{job:<6}^*t-is-long^-"]


def test_json_has_all_values_as_texts(lsf: Lsf) -> None:
    job = running(lsf, "sleep 100")
    done = lsf.call("bjobs", "-json", "-o", "jobid stat exit_code", job)
    assert json.loads(done.stdout) == {
        "COMMAND": "bjobs",
        "JOBS": 1,
        "RECORDS": [{"JOBID": job, "STAT": "RUN", "EXIT_CODE": ""}],
    }
    assert lsf.call("bjobs", "-json", job).returncode == 255, "needs -o"
    assert lsf.call("bjobs", "-json", "-noheader", "-o", "jobid").returncode == 255


def test_a_job_that_fails_has_its_status(lsf: Lsf) -> None:
    assert ended(lsf, run(lsf, "exit 7")) == ["EXIT", "7", "-"]


def test_bkill_ends_by_int_term_and_kill_and_returns_before(lsf: Lsf) -> None:
    lsf.set(terminate_interval_s=0.5, stdout_direct=True)
    out = lsf.slurm.folder / "signals"
    job = running(lsf, "-oo", str(out), f'exec {sys.executable} -c "{CAUTIOUS}"')
    lsf.slurm.until(lambda: out.exists() and out.read_text() == "0\n", "it catches signals")
    done = lsf.call("bkill", job)
    assert (done.returncode, done.stdout) == (0, f"Job <{job}> is being terminated\n")
    assert ended(lsf, job) == ["EXIT", "137", "TERM_OWNER: job killed by owner"]
    assert out.read_text() == "0\n2\n15\n"


def test_a_job_that_catches_nothing_dies_of_the_first_signal(lsf: Lsf) -> None:
    job = running(lsf, "exec sleep 100")
    lsf.call("bkill", job)
    assert ended(lsf, job)[:2] == ["EXIT", "130"]


def test_at_its_run_limit_a_job_gets_usr2_first(lsf: Lsf) -> None:
    lsf.set(minute_s=1.0)
    job = run(lsf, "-W", "1", "exec sleep 100")
    expected = "TERM_RUNLIMIT: job killed after reaching LSF run time limit"
    assert ended(lsf, job) == ["EXIT", "140", expected]


def test_over_its_memory_limit_a_job_is_ended(lsf: Lsf) -> None:
    take = "import time; x = bytearray(200 << 20); time.sleep(300)"
    job = run(lsf, "-M", "50MB", "-R", "rusage[mem=1000]", f'exec {sys.executable} -c "{take}"')
    reason = "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit"
    assert ended(lsf, job) == ["EXIT", "130", reason]


def test_bkill_says_what_it_cannot_do(lsf: Lsf) -> None:
    over, runs = run(lsf, "true"), running(lsf, "exec sleep 100")
    ended(lsf, over)
    done = lsf.call("bkill", over, "99999", runs)
    assert done.returncode == 255
    assert sorted(done.stderr.splitlines()) == sorted([
        f"Job <{over}>: Job has already finished", "Job <99999>: No matching job found",
    ])  # fmt: skip
    assert done.stdout == f"Job <{runs}> is being terminated\n"


def test_a_filter_without_the_0_ends_the_last_job_alone(lsf: Lsf) -> None:
    first, second = (running(lsf, "-J", "twin", "exec sleep 100") for _ in range(2))
    assert lsf.call("bkill", "-J", "twin").stdout == f"Job <{second}> is being terminated\n"
    assert ended(lsf, second)[0] == "EXIT"
    assert lsf.stat(first) == "RUN"
    assert lsf.call("bkill", "-J", "twin", "0").returncode == 0
    assert ended(lsf, first)[0] == "EXIT"


def test_elements_of_an_array_are_ended_alone(lsf: Lsf) -> None:
    job = run(lsf, "-J", "a[1-3]", "exec sleep 100")
    lsf.slurm.until(lambda: lsf.stat(job).split() == ["RUN"] * 3, "all run")
    assert lsf.call("bkill", f"{job}[1-2]").returncode == 0
    lsf.slurm.until(lambda: lsf.stat(job).split() == ["EXIT", "EXIT", "RUN"], "two have ended")


def test_a_job_that_is_killed_while_it_waits_has_no_status(lsf: Lsf) -> None:
    job = run(lsf, "-H", "true")
    assert lsf.stat(job) == "PSUSP"
    lsf.call("bkill", job)
    assert ended(lsf, job) == ["EXIT", "-", "TERM_OWNER: job killed by owner"]


def test_a_lost_host_makes_a_job_unknown_then_a_zombie_until_it_is_removed(lsf: Lsf) -> None:
    job = running(lsf, "exec sleep 100")
    node = lsf.call("bjobs", "-noheader", "-o", "exec_host", job).stdout.strip()
    faults.kill_node(lsf.slurm, node)
    faults.declare_down(lsf.slurm, node)
    lsf.slurm.until(lambda: lsf.stat(job) == "UNKWN", "its host is lost")
    shown = lsf.call("bhosts").stdout
    assert any(line.split()[:2] == [node, "unavail"] for line in shown.splitlines())
    lsf.call("bkill", job)
    assert lsf.stat(job) == "ZOMBI"
    lsf.call("bkill", "-r", job)
    assert ended(lsf, job)[2] == "TERM_REMOVE_HUNG_JOB: job removed from the LSF system"


def test_queues_are_shown_and_unknown_ones_are_named(lsf: Lsf) -> None:
    running(lsf, "-q", "regr_high", "sleep 100")
    lines = lsf.call("bqueues", "regr_high").stdout.splitlines()
    assert lines[1].split()[:3] == ["regr_high", "60", "Open:Active"]
    assert lines[1].split()[-4:] == ["1", "0", "1", "0"]
    done = lsf.call("bqueues", "x")
    assert (done.returncode, done.stderr) == (255, "x: No such queue\n")
