"""What `daemon.json` says against what is there."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dfm.client.control import Control
from dfm.client.find import connect, find, is_locked, reach, remove_stale
from dfm.client.line import Elsewhere
from dfm.config.state_folder import StateFolder
from dfm.config.this_host import boot_id
from dfm.errors import DaemonError

LOCKER = """
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    made = StateFolder(str(tmp_path))
    made.make()
    return made


def say(state: StateFolder, **more: object) -> None:
    document = {"pid": 1, "host": socket.gethostname(), "socket": f"{state.path}/daemon.sock",
                "runner": "local"}  # fmt: skip
    Path(state.daemon_json).write_text(json.dumps(document | more))


def test_no_file_is_no_daemon(state: StateFolder) -> None:
    assert find(state) is None
    assert Control.of(state) is None
    assert not is_locked(state)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}'])
def test_a_broken_file_is_an_error_that_says_what_to_do(state: StateFolder, text: str) -> None:
    Path(state.daemon_json).write_text(text)
    with pytest.raises(DaemonError) as caught:
        find(state)
    assert "remove the file" in caught.value.problems[0].hint


def test_a_file_whose_daemon_is_gone_is_stale(state: StateFolder) -> None:
    say(state)
    assert connect(f"{state.path}/daemon.sock") is None
    assert Control.of(state) is None


def test_a_daemon_of_another_host_is_never_taken_for_dead(state: StateFolder) -> None:
    say(state, host="elsewhere")
    with pytest.raises(DaemonError, match="runs on elsewhere"):
        Control.of(state)
    assert Path(state.daemon_json).exists()


def test_a_daemon_that_has_its_lock_and_is_silent_is_not_dead(state: StateFolder) -> None:
    say(state)
    holder = subprocess.Popen(
        [sys.executable, "-c", LOCKER, state.lock],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        assert is_locked(state)
        with pytest.raises(DaemonError, match="does not answer"):
            Control.of(state)
    finally:
        holder.communicate()
    assert not is_locked(state)


def test_something_else_at_the_socket_is_no_daemon(state: StateFolder) -> None:
    say(state)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{state.path}/daemon.sock")
        listener.listen()
        connection = connect(f"{state.path}/daemon.sock")
        assert connection is not None
        peer, _ = listener.accept()
        peer.sendall(b"\x00\x00\x00\x03abc")
        with pytest.raises(DaemonError), peer:
            Control(connection)
        connection.close()


@contextmanager
def answering(state: StateFolder) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{state.path}/daemon.sock")
        listener.listen()
        yield


def test_a_pid_that_lives_proves_nothing(state: StateFolder) -> None:
    say(state, pid=os.getpid(), boot=boot_id())
    assert reach(state) is None


def test_after_another_boot_of_this_host_a_daemon_is_gone(state: StateFolder) -> None:
    say(state, boot="the one before")
    assert reach(state) is None


def test_a_host_that_got_another_name_still_finds_its_daemon(state: StateFolder) -> None:
    say(state, host="before", boot=boot_id())
    with answering(state):
        line = reach(state)
        assert line is not None
        assert line.is_here
        line.open().close()


def test_the_socket_of_another_host_is_not_asked(state: StateFolder) -> None:
    """A file of that name may be here, and anybody's."""
    say(state, host="elsewhere", boot="its", addresses=[["10.0.0.1", 5]])
    with answering(state):
        line = reach(state)
    assert isinstance(line, Elsewhere)
    assert line.addresses == [("10.0.0.1", 5)]
    assert line.credentials == f"{state.credentials}/client.pem"


@pytest.mark.parametrize(
    "addresses", [[], [["127.0.0.1", 5]], [["::1", 5], ["localhost", 5]], [5], "x", [["a", "b"]]]
)
def test_a_daemon_that_only_its_own_host_can_reach_says_so(
    state: StateFolder, addresses: object
) -> None:
    say(state, host="elsewhere", addresses=addresses)
    with pytest.raises(DaemonError, match=r"runs on elsewhere .* and listens only there"):
        reach(state)


def test_what_is_stale_can_be_removed_twice(state: StateFolder) -> None:
    say(state)
    remove_stale(state)
    remove_stale(state)
    assert find(state) is None
