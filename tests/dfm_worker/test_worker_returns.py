"""A worker whose daemon dies: its tasks go on, and the next daemon hears of all of them."""

import json
import os
from pathlib import Path

import pytest

from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import Held
from tests.dfm_worker.conftest import Launch, Launched
from tests.dfm_worker.daemon import Daemon, Peer
from tests.dfm_worker.host import is_alive, wait_until

ONE, TWO = Held("r", 1, 1), Held("r", 2, 1)
GATE = "echo $$ > pid; while [ ! -e ../go ]; do sleep 0.01; done"


def busy(launch: Launch) -> Launched:
    """A worker that runs a task, with another behind it."""
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec(GATE), 1)
    worker.peer.assign(worker.spec("true", name="t2"), 2)
    worker.pid_in("demo.t/pid")
    return worker


def back(worker: Launched) -> tuple[Peer, wire.Hello]:
    """The worker at its next daemon's door."""
    peer = worker.daemon.accept()
    return peer, peer.hear_of(wire.Hello)


def test_it_says_what_it_runs_and_goes_on(launch: Launch) -> None:
    worker = busy(launch)
    worker.peer.close()
    peer, hello = back(worker)
    assert (hello.running, hello.finished) == ([ONE, TWO], [])
    assert is_alive(worker.pid_in("demo.t/pid"))
    peer.say(wire.Welcome(MAJOR, MINOR, "1", 30.0))
    assert peer.hear_of(wire.Started)[:3] == ONE
    (worker.folder / "go").touch()
    assert peer.hear_of(wire.Finished)[:3] == ONE
    assert peer.hear_of(wire.Finished)[:3] == TWO


def test_what_finished_without_a_daemon_is_said_to_the_next(launch: Launch) -> None:
    worker = busy(launch)
    port = worker.daemon.address[1]
    worker.peer.close()
    worker.daemon.close()
    (worker.folder / "go").touch()
    wait_until(lambda: (worker.folder / "t2/t2.log").exists())
    again = Daemon(worker.folder / "credentials", port=port)
    try:
        peer = again.accept()
        hello = peer.hear_of(wire.Hello)
        while not {ONE, TWO} <= {*hello.finished, *hello.running}:
            pytest.fail(f"something is lost: {hello}")
        peer.say(wire.Welcome(MAJOR, MINOR, "1", 30.0))
        assert {peer.hear_of(wire.Finished)[:3] for _ in range(2)} == {ONE, TWO}
    finally:
        again.close()


def test_it_looks_where_the_state_of_the_project_says_that_the_daemon_is(
    launch: Launch, tmp_path: Path
) -> None:
    worker = busy(launch)
    elsewhere = Daemon(tmp_path / "credentials")
    try:
        addresses = [["127.0.0.1", 1], list(elsewhere.address)]
        (tmp_path / "daemon.json").write_text(json.dumps({"addresses": addresses}))
        worker.daemon.close()
        assert elsewhere.accept().hear_of(wire.Hello).running == [ONE, TWO]
    finally:
        elsewhere.close()


@pytest.mark.parametrize("how", ["silence", "nonsense"])
def test_a_daemon_that_is_no_good_any_more_is_looked_for_again(launch: Launch, how: str) -> None:
    worker = busy(launch)
    if how == "silence":
        worker.peer.say(wire.Welcome(MAJOR, MINOR, "1", 0.5))
    else:
        worker.peer.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    _, hello = back(worker)
    assert hello.running == [ONE, TWO]


def test_what_the_next_daemon_does_not_want_is_killed_at_once(launch: Launch) -> None:
    worker = busy(launch)
    pid = worker.pid_in("demo.t/pid")
    worker.peer.close()
    peer, _ = back(worker)
    peer.say(wire.Welcome(MAJOR, MINOR, "1", 30.0), wire.Drop(*ONE), wire.Drop(*TWO))
    wait_until(lambda: not is_alive(pid))
