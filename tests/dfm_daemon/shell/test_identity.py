"""One project has one daemon at a time, and says so in one piece."""

import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError
from dfm_daemon.shell import identity
from dfm_daemon.shell.identity import Lock

# Says whether it has the lock; goes at the end of its input, as a daemon does at its own end.
CONTENDER = """
import sys
from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError
from dfm_daemon.shell.identity import Lock
sys.stdin.readline()
try:
    lock = Lock(StateFolder(sys.argv[1]))
except DaemonError:
    print("lost", flush=True)
else:
    print("won", flush=True)
    sys.stdin.readline()
    lock.release()
"""

Contender = subprocess.Popen[str]


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    made = StateFolder(str(tmp_path))
    made.make()
    return made


@pytest.fixture
def contend(state: StateFolder) -> Iterator[Callable[[], Contender]]:
    """Starts a process that takes the lock at its first line of input."""
    made: list[Contender] = []

    def start() -> Contender:
        made.append(
            subprocess.Popen(
                [sys.executable, "-c", CONTENDER, state.project],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        )
        return made[-1]

    yield start
    for process in made:
        if process.poll() is None:
            process.kill()
        process.communicate()


def go(contender: Contender) -> None:
    assert contender.stdin is not None
    contender.stdin.write("go\n")


def verdict(contender: Contender) -> str:
    assert contender.stdout is not None
    return contender.stdout.readline().strip()


def test_of_daemons_that_start_at_once_one_has_the_lock(
    contend: Callable[[], Contender],
) -> None:
    contenders = [contend() for _ in range(5)]
    for contender in contenders:
        go(contender)
    assert sorted(map(verdict, contenders)) == ["lost"] * 4 + ["won"]


def test_whoever_comes_second_is_told_what_is_held(
    state: StateFolder, contend: Callable[[], Contender]
) -> None:
    first = contend()
    go(first)
    assert verdict(first) == "won"
    with pytest.raises(DaemonError, match=f"another daemon .* holds {state.lock}"):
        Lock(state)


def test_the_lock_of_a_killed_daemon_is_free(
    state: StateFolder, contend: Callable[[], Contender]
) -> None:
    first = contend()
    go(first)
    assert verdict(first) == "won"
    first.kill()
    first.wait()
    assert os.path.exists(state.lock)
    Lock(state).release()


def test_a_lock_that_was_given_back_leaves_no_file_and_can_be_taken_again(
    state: StateFolder, contend: Callable[[], Contender]
) -> None:
    for _ in range(2):
        lock = Lock(state)
        lock.release()
        assert not os.path.exists(state.lock)
    later = contend()
    go(later)
    assert verdict(later) == "won"


def test_one_daemon_after_the_other_has_it_and_never_two(
    contend: Callable[[], Contender],
) -> None:
    """Each ends while others begin."""
    holder = contend()
    go(holder)
    assert verdict(holder) == "won"
    for _ in range(3):
        rivals = [contend(), contend()]
        go(holder)
        for rival in rivals:
            go(rival)
        verdicts = [verdict(rival) for rival in rivals]
        assert verdicts.count("won") <= 1
        holder.wait()
        if "won" in verdicts:
            holder = rivals[verdicts.index("won")]
        else:
            holder = contend()
            go(holder)
            assert verdict(holder) == "won"


def test_a_lock_on_a_file_that_was_removed_just_then_counts_for_nothing(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = fcntl.lockf

    def take_too_late(fd: int, how: int) -> None:
        monkeypatch.undo()
        os.unlink(state.lock)  # by a daemon that ended between our two calls
        take(fd, how)

    monkeypatch.setattr(fcntl, "lockf", take_too_late)
    lock = Lock(state)
    assert os.path.exists(state.lock)
    lock.release()


def test_the_lock_file_of_another_daemon_is_left_where_it_is(
    state: StateFolder, contend: Callable[[], Contender]
) -> None:
    lock = Lock(state)
    os.unlink(state.lock)  # by whoever thought that the daemon was gone
    other = contend()
    go(other)
    assert verdict(other) == "won"
    lock.release()
    assert os.path.exists(state.lock)


def test_the_lock_file_is_the_owners_alone(state: StateFolder) -> None:
    lock = Lock(state)
    assert stat.S_IMODE(os.stat(state.lock).st_mode) == 0o600
    lock.release()


def test_what_a_daemon_says_of_itself_is_whole_and_its_owners(state: StateFolder) -> None:
    identity.write(state, {"pid": 1, "socket": "long" * 1000})
    identity.write(state, {"pid": 2})
    assert json.loads(Path(state.daemon_json).read_text()) == {"pid": 2}
    assert stat.S_IMODE(os.stat(state.daemon_json).st_mode) == 0o600
    assert os.listdir(state.path) == ["daemon.json"]


def test_a_reader_never_sees_a_part_of_it(state: StateFolder) -> None:
    """Each is another file: whoever has the old one open reads all of that."""
    identity.write(state, {"pid": 1})
    with open(state.daemon_json) as file:
        identity.write(state, {"pid": 2})
        assert json.load(file) == {"pid": 1}


def test_what_a_daemon_leaves_is_removed_but_for_its_logs(state: StateFolder) -> None:
    os.mkdir(state.workers)
    os.mkdir(state.credentials)
    kept = [state.log, f"{state.workers}/job.log", state.config]
    gone = [state.daemon_json, f"{state.path}/daemon.sock", f"{state.credentials}/worker.pem"]
    for path in [*kept, *gone]:
        Path(path).touch()
    identity.remove(state, gone[1])
    identity.remove(state, gone[1])
    assert all(map(os.path.exists, kept))
    assert not any(map(os.path.exists, [*gone, state.credentials]))
