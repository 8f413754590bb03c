"""One command of a scheduler: its answer, its timeout, its environment."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from dfm.errors import RunnerError
from dfm.runners import command
from dfm.runners.command import NoAnswer, environment, run, unusable


def test_the_answer_is_whole_whatever_the_status() -> None:
    done = asyncio.run(run(["sh", "-c", "echo out; echo err >&2; exit 7"]))
    assert (done.status, done.out, done.err) == (7, "out\n", "err\n")
    assert done.words() == "err"
    quiet = asyncio.run(run(["sh", "-c", "exit 255"]))
    assert quiet.words() == "exit status 255, without a word"


def test_a_command_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    script = f"echo LSF is down >&2; sleep 1000 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(NoAnswer, match=r"sh did not answer in 0\.5 s: LSF is down") as caught:
        asyncio.run(run(["sh", "-c", script], timeout_s=0.5))
    assert caught.value.retryable
    assert "command: sh -c" in str(caught.value)
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_loop_turns_while_a_command_runs() -> None:
    async def scene() -> int:
        turns = 0
        asked = asyncio.ensure_future(run(["sleep", "0.3"]))
        while not asked.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(scene()) > 3


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(RunnerError, match="cannot run bsub-of-nobody: No such file") as caught:
        asyncio.run(run(["bsub-of-nobody", "x y"]))
    assert not caught.value.retryable
    assert "command: bsub-of-nobody 'x y'" in str(caught.value)


def test_what_would_change_the_meaning_of_a_command_is_not_inherited() -> None:
    environ = {
        "SBATCH_PARTITION": "x", "SLURM_JOB_ID": "1", "SQUEUE_FORMAT": "%i", "LSB_JOBID": "1",
        "BSUB_QUIET": "1", "DFM_JOB": "j", "MAKEFLAGS": "-j", "SLURM_CONF": "/c", "LSF_ENVDIR": "/e",
        "LSB_DEFAULTPROJECT": "p", "PATH": "/bin", "HOME": "/h",
    }  # fmt: skip
    kept = {"SLURM_CONF", "LSF_ENVDIR", "LSB_DEFAULTPROJECT", "PATH", "HOME"}
    assert set(environment(environ)) == kept


def test_a_command_finds_no_terminal_and_no_input() -> None:
    done = asyncio.run(run(["sh", "-c", "read line || echo end"]))
    assert done.out == "end\n"


def test_an_endless_answer_is_quoted_by_its_end() -> None:
    done = command.Output(("x",), 1, "", "a" * 100_000 + "the end")
    assert done.words().endswith("the end")
    assert len(done.words()) == 2000


def test_unusable_says_what_is_missing(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.touch(0o755)
    assert unusable("sh -x", str(tool)) is None
    assert unusable("sh", "nothing-such --x") == "nothing-such: not found on PATH"
    os.unlink(tool)
    assert unusable(str(tool)) == f"{tool}: not found"
    assert unusable("sh 'x") == "`sh 'x`: No closing quotation"
