"""Locks between runs, which are processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm.engine.locks import Locks
from dfm.errors import RunnerError

HOLDER = """
import sys
from dfm.engine.locks import Locks
locks = Locks(sys.argv[1])
print(locks.take(sys.argv[2]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another run that holds `a`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), "a"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "None\n"
    yield process
    process.communicate()


def test_a_lock_is_held_by_one_run_and_names_it(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    locks = Locks(str(tmp_path))
    assert locks.take("a") == other.pid
    assert locks.take("b") is None
    assert locks.others_run()
    locks.release("b")
    locks.close()


def test_a_lock_goes_with_its_holder(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    locks = Locks(str(tmp_path))
    other.kill()
    other.wait()
    assert locks.take("a") is None
    assert not locks.others_run()
    locks.close()


def test_a_run_alone_sees_no_others(tmp_path: Path) -> None:
    locks = Locks(str(tmp_path))
    assert not locks.others_run()
    assert locks.take("x") is None
    assert locks.take("x") is None, "again by the same run"
    locks.close()


def test_a_run_directory_that_cannot_be_made_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "rundir").write_text("")
    with pytest.raises(RunnerError, match="rundir"):
        Locks(str(tmp_path / "rundir"))
    assert os.listdir(tmp_path) == ["rundir"]
