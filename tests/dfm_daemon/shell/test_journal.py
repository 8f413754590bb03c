"""What a daemon that was killed has written down, and what the next one makes of it."""

import os
from pathlib import Path

import pytest

from dfm.errors import DaemonError
from dfm_daemon.core.settings import Survivor
from dfm_daemon.core.state import Shape, WorkerName
from dfm_daemon.shell.journal import Journal

SHAPE = Shape("big", 4, 1024, "regr", "large", ("bigmem",))
ONE, TWO, THREE = map(WorkerName, ("w1", "w2", "w3"))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "jobs.journal")


def killed(path: str) -> Journal:
    """Of a daemon that had three workers: one joined, one is pending, of one nobody knows."""
    journal = Journal(path)
    journal.launching("local", [ONE, TWO], SHAPE, 2)
    journal.launched_as([ONE, TWO], ["j1", "j2"])
    journal.joined(ONE)
    journal.launching("local", [THREE], SHAPE, 1)
    journal.flush()
    return journal


SURVIVORS = (
    Survivor(ONE, SHAPE, 2, "j1", has_joined=True),
    Survivor(TWO, SHAPE, 2, "j2", has_joined=False),
    Survivor(THREE, SHAPE, 1, "", has_joined=False),
)


def test_the_next_daemon_knows_the_workers_of_one_that_was_killed(path: str) -> None:
    killed(path)
    journal = Journal(path)
    assert journal.was_there
    assert journal.survivors("local") == SURVIVORS
    assert journal.launched == 3


def test_a_third_daemon_knows_them_too(path: str) -> None:
    killed(path)
    Journal(path).close()
    assert Journal(path).survivors("local") == SURVIVORS


def test_a_worker_whose_job_is_over_is_forgotten_and_its_number_is_not(path: str) -> None:
    journal = killed(path)
    journal.over([ONE, THREE])
    journal.flush()
    again = Journal(path)
    assert again.survivors("local") == SURVIVORS[1:2]
    assert again.launched == 3


def test_workers_of_another_runner_say_whose_they_are(path: str) -> None:
    killed(path)
    others = Journal(path).survivors("slurm")
    assert [other.shape.runner for other in others] == ["local"] * 3


def test_a_first_daemon_knows_nobody(path: str) -> None:
    journal = Journal(path)
    assert not journal.was_there
    assert (journal.survivors("local"), journal.launched) == ((), 0)


@pytest.mark.parametrize("end", ['["over", ["w1"]]', '["over"', '["over", [\n', "\x00\n", "7\n"])
def test_a_last_line_that_is_not_whole_says_nothing(path: str, end: str) -> None:
    killed(path)
    with open(path, "a") as file:
        file.write(end)
    assert Journal(path).survivors("local") == SURVIVORS


def test_nothing_is_written_before_it_is_to_be(path: str) -> None:
    journal = killed(path)
    journal.over([ONE])
    assert Journal(path).survivors("local") == SURVIVORS


def test_it_does_not_grow_for_ever(path: str) -> None:
    journal = killed(path)
    for number in range(4, 3000):
        name = WorkerName(f"w{number}")
        journal.launching("local", [name], SHAPE, 1)
        journal.over([name])
        journal.flush()
    assert Path(path).stat().st_size < 200_000
    again = Journal(path)
    assert again.survivors("local") == SURVIVORS
    assert again.launched == 2999
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(DaemonError, match="cannot read and write"):
        Journal(str(tmp_path / "nowhere" / "jobs.journal"))


def test_what_a_full_disk_did_not_take_is_written_later(path: str) -> None:
    journal = killed(path)
    kept = os.dup(journal._fd)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._fd)
    journal.over([ONE])
    journal.flush()
    os.dup2(kept, journal._fd)
    journal.flush()
    os.close(kept)
    os.close(full)
    assert Journal(path).survivors("local") == SURVIVORS[1:]
