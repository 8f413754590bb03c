"""The cluster that other tests rely on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import faults, owned
from tests.cluster.slurm import Slurm, remove_stale

pytestmark = pytest.mark.slurm
SLEEP = ("--mem=100", "--output=/dev/null", "--wrap", "exec sleep 300")


def submit(slurm: Slurm, *words: str) -> str:
    """A job that runs."""
    job = slurm.run("sbatch", "--parsable", *words, *SLEEP)
    slurm.until(lambda: slurm.state(job).startswith("RUNNING"), "it runs")
    return job


def test_several_clusters_are_up_at_once_and_leave_nothing(slurm: Slurm) -> None:
    with Slurm() as other:
        assert other.folder != slurm.folder
        job = submit(other)
        assert owned.owned(other.folder)
        assert job not in slurm.jobs()
    assert not owned.owned(other.folder)
    assert not other.folder.exists()
    assert slurm.controller_answers()


def test_a_cluster_whose_owner_was_killed_is_removed_by_the_next(slurm: Slurm) -> None:
    script = (
        "from tests.cluster.slurm import Slurm; s = Slurm(); s.start(); print(s.folder, flush=True);"
        " input()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin
    assert owner.stdout
    folder = Path(owner.stdout.readline().strip())
    remove_stale()
    assert owned.owned(folder), "its owner lives"
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    remove_stale()
    assert not folder.exists()
    assert not owned.owned(folder)
    assert slurm.controller_answers(), "this one has an owner"


def test_a_node_that_is_killed_takes_its_jobs_along(slurm: Slurm) -> None:
    job = submit(slurm, "--no-requeue", "--nodelist=node3")
    other = submit(slurm, "--nodelist=node2")
    faults.kill_node(slurm, "node3")
    assert not owned.owned(slurm.folder, "node3")
    assert owned.owned(slurm.folder, "node2")
    faults.declare_down(slurm, "node3")
    slurm.until(lambda: slurm.state(job) == "NODE_FAIL NodeDown", "the job is lost")
    assert slurm.state(other) == "RUNNING None"
    slurm.clear()


def test_a_suspended_job_is_stopped_and_goes_on(slurm: Slurm) -> None:
    job = submit(slurm)
    faults.suspend(slurm, job)
    slurm.until(lambda: slurm.state(job).startswith("SUSPENDED"), "it is suspended")
    faults.resume(slurm, job)
    slurm.until(lambda: slurm.state(job).startswith("RUNNING"), "it goes on")


def test_a_job_over_its_memory_is_killed(slurm: Slurm) -> None:
    take = f"exec {sys.executable} -c 'import time; x = bytearray(200 << 20); time.sleep(300)'"
    words = ("--mem=50", "--output=/dev/null", "--wrap", take)
    job = slurm.run("sbatch", "--parsable", *words)
    slurm.until(lambda: slurm.state(job).startswith("FAILED"), "it is killed")


def test_jobs_outlive_their_controller(slurm: Slurm) -> None:
    job = submit(slurm)
    slurm.stop_controller()
    assert owned.owned(slurm.folder, "node1")
    slurm.start_controller()
    assert slurm.state(job).startswith("RUNNING")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_cluster_needs_no_root(slurm: Slurm, tmp_path: Path) -> None:
    script = (
        "from tests.cluster.slurm import Slurm\n"
        "with Slurm() as s: print(s.run('srun', '--mem=100', 'id', '-un'))"
    )
    done = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            sys.executable,
            "-c",
            script,
        ],
        env={**os.environ, "TMPDIR": "/tmp", "HOME": "/tmp"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "nobody\n", done.stderr
