"""What a killed daemon was submitting."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm.runners.abandoned import end_submissions
from dfm.runners.command import SUBMITS_FOR
from tests.dfm_worker.host import wait_until

MARK = f"mark{os.getpid()}"
# Says that it has begun, with all of its processes.
SLEEPS = "setsid sleep 1000 & sleep 1000 & echo $! > begun; wait"


@pytest.fixture
def begun(tmp_path: Path) -> Iterator["Begun"]:
    made = Begun(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


class Begun:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, script: str, **more: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script], cwd=self.folder, env={"PATH": os.environ["PATH"], **more}
        )
        self.processes.append(process)
        wait_until((self.folder / "begun").exists)
        return process


def test_a_submission_is_ended_with_all_that_it_has_started(begun: Begun) -> None:
    process = begun(SLEEPS, **{SUBMITS_FOR: MARK})
    assert end_submissions(MARK) == 3
    assert process.wait() == -9
    assert end_submissions(MARK) == 0


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {SUBMITS_FOR: f"{MARK}x"},
        {SUBMITS_FOR: MARK, "SLURM_JOB_ID": "7"},
        {SUBMITS_FOR: MARK, "LSB_JOBID": "7"},
    ],
    ids=["nobody's", "of another daemon", "a job of Slurm", "a job of LSF"],
)
def test_nothing_else_is_touched(begun: Begun, environment: dict[str, str]) -> None:
    process = begun("echo > begun; exec sleep 1000", **environment)
    assert end_submissions(MARK) == 0
    assert process.poll() is None


def test_a_command_that_submits_has_the_mark_and_no_other_has(tmp_path: Path) -> None:
    import asyncio

    from dfm.runners.command import run

    script = f"import os; print(os.environ.get('{SUBMITS_FOR}'))"
    command = [sys.executable, "-c", script]
    assert asyncio.run(run(command, submits_for=MARK)).out == f"{MARK}\n"
    assert asyncio.run(run(command)).out == "None\n"
