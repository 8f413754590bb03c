"""How a worker's process ends, and that its tasks end with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from tests.dfm_worker.conftest import Launch, Launched
from tests.dfm_worker.host import DEADLINE_S, is_alive

LEAVES_TWO = "setsid sleep 100 & echo $! > pid; sleep 100; true"


def busy(launch: Launch, *words: str) -> tuple[Launched, int]:
    """A worker whose one slot is taken, with another task behind; and the pid of a process of it."""
    worker = launch(*words)
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec(LEAVES_TWO), 1)
    worker.peer.assign(worker.spec("touch ../second", name="t2"), 2)
    return worker, worker.pid_in("demo.t/pid")


def ended(worker: Launched, pid: int) -> tuple[int, str]:
    """Its status and its last words, once it has ended; none of its tasks is left."""
    status = worker.process.wait(DEADLINE_S)
    assert not is_alive(pid)
    assert not (worker.folder / "second").exists()
    return status, worker.last_words()


def test_when_its_daemon_is_gone_for_good_it_ends_and_takes_its_tasks_along(launch: Launch) -> None:
    worker, pid = busy(launch)
    os.unlink(worker.daemon.credentials.worker)
    worker.peer.close()
    assert ended(worker, pid) == (1, "ends: its project's daemon has ended")


def test_one_that_runs_nothing_does_not_wait_for_ever(launch: Launch) -> None:
    worker = launch("--lost-timeout", "0.3")
    worker.peer.welcome()
    worker.daemon.close()
    assert worker.process.wait(DEADLINE_S) == 1
    assert worker.last_words() == "ends: no daemon has answered for 0 s"


RUN_OUT = "SIGUSR2: its job has reached its run limit"


def test_at_the_run_limit_of_lsf_what_runs_may_end_and_nothing_more_begins(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    until_told = "echo $$ > pid; until [ -e ../go ]; do sleep 0.05; done; echo done > ../done"
    worker.peer.assign(worker.spec(until_told), 1)
    worker.peer.assign(worker.spec("touch ../second", name="t2"), 2)
    pid = worker.pid_in("demo.t/pid")
    worker.process.send_signal(signal.SIGUSR2)
    assert worker.peer.hear_of(wire.Draining).reason == RUN_OUT
    assert worker.peer.hear_of(wire.Returned).task == 2
    worker.peer.assign(worker.spec("touch ../second", name="t3"), 3)
    assert worker.peer.hear_of(wire.Returned).task == 3
    (worker.folder / "go").touch()
    assert worker.peer.result().status == 0
    assert worker.peer.hear_all() == [wire.Leaving(RUN_OUT)]
    assert ended(worker, pid) == (140, f"ends: {RUN_OUT}")
    assert (worker.folder / "done").exists()


def test_at_the_run_limit_what_does_not_end_in_time_is_killed_and_counts_as_lost(
    launch: Launch,
) -> None:
    worker, pid = busy(launch, "--grace", "0.3")
    worker.process.send_signal(signal.SIGUSR2)
    assert worker.peer.hear_all() == [wire.Draining(RUN_OUT), wire.Returned("r", 2, 1)]
    assert ended(worker, pid) == (140, f"ends: {RUN_OUT}")


@pytest.mark.parametrize("first", ["the worker", "the task"])
def test_a_task_that_the_signal_of_the_run_limit_kills_too_counts_as_lost(
    launch: Launch, first: str
) -> None:
    worker = launch(LSB_JOBID="7")
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("echo $$ > pid; exec sleep 100"))
    pids = [worker.process.pid, worker.pid_in("demo.t/pid")]
    for pid in pids if first == "the worker" else reversed(pids):
        os.kill(pid, signal.SIGUSR2)
    assert worker.peer.hear_all() == [wire.Draining(RUN_OUT), wire.Leaving(RUN_OUT)]
    assert ended(worker, pids[1]) == (140, f"ends: {RUN_OUT}")


def test_a_task_that_ends_itself_by_the_same_signal_has_failed(launch: Launch) -> None:
    worker = launch(LSB_JOBID="7")
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("kill -USR2 $$"))
    assert worker.peer.result().status == -signal.SIGUSR2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_when_its_job_is_ended_its_tasks_end_and_count_as_lost(
    launch: Launch, number: signal.Signals
) -> None:
    worker, pid = busy(launch)
    worker.process.send_signal(number)
    assert ended(worker, pid) == (1, f"ends: ended by {number.name}")
    assert worker.peer.hear_all() == [], "no task is said to have ended"


def test_when_it_is_told_to_stop_it_ends_at_once_with_its_tasks(launch: Launch) -> None:
    worker, pid = busy(launch)
    worker.peer.say(wire.Stop("the daemon ends"))
    assert ended(worker, pid) == (0, "ends: the daemon ends")


def test_when_it_is_drained_it_ends_after_what_it_runs(launch: Launch) -> None:
    worker, pid = busy(launch)
    worker.peer.say(wire.Drain("old"))
    assert worker.peer.hear_of(wire.Returned).task == 2
    os.kill(worker.pid_in("demo.t/pid"), signal.SIGTERM)
    worker.peer.say(wire.Cancel("r", 1, 1, 20.0))
    assert worker.peer.result().ended_by == "cancel"
    assert worker.peer.hear_all() == [wire.Leaving("old")]
    assert ended(worker, pid) == (0, "ends: old")


def test_when_it_is_idle_and_drained_it_ends(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome()
    worker.peer.say(wire.Drain("idle for too long"))
    assert worker.peer.hear_all() == [wire.Leaving("idle for too long")]
    assert worker.process.wait(DEADLINE_S) == 0


def test_when_it_is_refused_it_says_why(launch: Launch) -> None:
    worker = launch()
    worker.peer.hear()
    worker.peer.say(wire.Refused("it speaks protocol 1.0, this daemon 2.0"))
    assert worker.process.wait(DEADLINE_S) == 1
    refusal = "the daemon refused this worker: it speaks protocol 1.0, this daemon 2.0"
    assert worker.last_words() == f"ends: {refusal}"


def test_when_there_is_nothing_to_say_it_says_that_it_is_there(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome()
    worker.peer.say(wire.Welcome(MAJOR, MINOR, "1", 3.0))
    assert isinstance(worker.peer.hear_of(wire.Beat), wire.Beat)
    assert worker.process.poll() is None


# Its command line

RIGHT = {"--connect": "127.0.0.1:1", "--credentials": "/nowhere/worker.pem", "--worker": "w1"}


def refused(*words: str, **changed: str | None) -> tuple[int, str]:
    """Status and standard error of a worker that does not come to be."""
    given = {**RIGHT, **{f"--{name}": value for name, value in changed.items()}}
    for name, value in given.items():
        words += (name, value) if value is not None else ()
    done = subprocess.run(
        [sys.executable, "-m", "dfm_worker", *words],
        capture_output=True, text=True, check=False, timeout=DEADLINE_S,
    )  # fmt: skip
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"connect": None}, "the following arguments are required: --connect"),
        ({"credentials": None}, "the following arguments are required: --credentials"),
        ({"worker": None}, "the following arguments are required: --worker"),
        ({"connect": "host"}, "argument --connect: `host` is not HOST:PORT"),
        ({"connect": ":1"}, "argument --connect: `:1` is not HOST:PORT"),
        ({"connect": "host:x"}, "argument --connect: `host:x` is not HOST:PORT"),
        ({"connect": "host:0"}, "argument --connect: `host:0` is not HOST:PORT"),
        ({"connect": "host:65536"}, "argument --connect: `host:65536` is not HOST:PORT"),
        ({"connect": "host:\u00b2"}, "argument --connect: `host:\u00b2` is not HOST:PORT"),
        ({"connect": "a:1,,b:2"}, "argument --connect: `` is not HOST:PORT"),
        ({"lost-timeout": "x"}, "argument --lost-timeout: invalid float value: 'x'"),
        ({"cores": "0"}, "argument --cores: `0` is not a number above 0"),
        ({"slots": "0"}, "argument --slots: `0` is not a number above 0"),
        ({"slots": "-1"}, "argument --slots: `-1` is not a number above 0"),
        ({"slots": "two"}, "argument --slots: `two` is not a number above 0"),
        ({"deadline": "soon"}, "argument --deadline: invalid float value: 'soon'"),
        ({"nonsense": "1"}, "unrecognized arguments: --nonsense 1"),
    ],
)
def test_a_wrong_command_line_is_refused_in_a_line(
    changed: dict[str, str | None], said: str
) -> None:
    status, errors = refused(**changed)
    usage, _, last = errors.removesuffix("\n").rpartition("\n")
    assert (status, last) == (2, f"dfm worker: error: {said}")
    assert usage.startswith("usage: dfm worker [-h] --connect")


def test_what_it_cannot_read_is_named_in_a_line() -> None:
    status, errors = refused()
    assert status == 3
    assert errors.count("\n") == 1
    assert "credentials /nowhere/worker.pem cannot be used: " in errors


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "a..b:1", "no.such.host.invalid:1"])
def test_a_daemon_that_is_not_there_is_named_in_a_line(
    address: str, worker_file: Callable[[], str]
) -> None:
    status, errors = refused("--lost-timeout", "0", connect=address, credentials=worker_file())
    assert status == 3
    assert errors.count("\n") == 1
    assert f"no daemon answers at {address.replace('[', '').replace(']', '')}: " in errors
