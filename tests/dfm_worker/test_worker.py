"""The process of a worker and what it does for its daemon. How it ends is in test_worker_ends.py."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dfm.version import VERSION
from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.task import RESULT, SPEC
from dfm.wire.worker import Held
from tests.dfm_worker.conftest import Launch
from tests.dfm_worker.host import is_alive, wait_until


def test_it_says_who_it_is(launch: Launch) -> None:
    worker = launch("--cores", "8", "--slots", "3", "--deadline", "2e9", DFM_JOB="job-7")
    hello = worker.peer.hear()
    assert hello == wire.Hello(
        MAJOR, MINOR, VERSION, "w1", socket.gethostname(), worker.process.pid, "job-7", 8, 3, 2e9,
        [], [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "job"),
    [
        ({}, ""),
        ({"LSB_JOBID": "12"}, "12"),
        ({"SLURM_JOB_ID": "13"}, "13"),
        ({"SLURM_JOB_ID": "13", "DFM_JOB": "local-1"}, "local-1"),
        ({"LSB_JOBID": "12", "LSB_JOBINDEX": "0"}, "12"),
        ({"LSB_JOBID": "12", "LSB_JOBINDEX": "3"}, "12[3]"),
        ({"SLURM_JOB_ID": "14", "SLURM_ARRAY_JOB_ID": "13", "SLURM_ARRAY_TASK_ID": "2"}, "13_2"),
    ],
)
def test_its_job_is_the_scheduler_s(launch: Launch, environment: dict[str, str], job: str) -> None:
    assert launch(**environment).peer.hear().job == job


@pytest.mark.parametrize("variable", ["LSB_JOBINDEX", "SLURM_ARRAY_TASK_ID"])
def test_of_the_names_of_an_array_its_own_is_at_its_index(launch: Launch, variable: str) -> None:
    hello = launch("--worker", "w5,w7,w9", **{variable: "2"}).peer.hear()
    assert hello.worker == "w7"


@pytest.mark.parametrize("index", ["", "0", "4", "x"])
def test_without_an_index_of_the_array_it_says_so(index: str) -> None:
    words = ["--connect", "h:1", "--credentials", "x", "--worker", "w1,w2,w3"]
    done = subprocess.run(
        [sys.executable, "-m", "dfm_worker", *words],
        env={**os.environ, "SLURM_ARRAY_TASK_ID": index},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "names none of 3 workers" in done.stderr


def test_its_host_is_called_as_its_scheduler_calls_it(launch: Launch) -> None:
    assert launch(SLURMD_NODENAME="node7").peer.hear().host == "node7"
    assert launch(LSB_HOSTS="lsf3 lsf3").peer.hear().host == "lsf3"


def test_its_deadline_is_what_slurm_says_if_it_does(launch: Launch) -> None:
    """Since 23.02. A person may have given the job another limit than it was submitted with."""
    assert launch("--walltime", "3600", SLURM_JOB_END_TIME="2000000000").peer.hear().deadline == 2e9


def test_its_deadline_is_its_walltime_from_now_on(launch: Launch) -> None:
    before = time.time()
    deadline = launch("--walltime", "3600").peer.hear().deadline
    assert before + 3600 <= deadline <= time.time() + 3600


def test_it_runs_what_it_is_given_and_says_what_came_of_it(launch: Launch) -> None:
    worker = launch()
    peer = worker.peer
    peer.welcome(PATH=os.environ["PATH"])
    held = peer.assign(worker.spec('echo \'{"type": "t"}\' >> $DFM_OUTPUT; exit 3'))
    finished = peer.hear_of(wire.Finished)
    result = RESULT.unpack(finished.result)
    assert Held(*finished[:3]) == held
    assert (finished.status, result.status) == (3, 3)
    assert finished.wall_ms == result.wall_ms > 0
    assert result.output == b'{"type": "t"}\n'


@pytest.mark.parametrize(
    ("script", "status"), [("kill -9 $$", -9), ("exit 255", 255), ("no-such-program", 127), ("true", 0)]
)  # fmt: skip
def test_it_outlives_its_tasks(launch: Launch, script: str, status: int) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    for number in range(3):
        worker.peer.assign(worker.spec(script), number)
        assert worker.peer.result().status == status


def test_a_task_that_is_killed_from_outside_is_reported_and_the_next_one_runs(
    launch: Launch,
) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("echo $$ > pid; sleep 100; true"), 1)
    os.kill(worker.pid_in("demo.t/pid"), signal.SIGKILL)
    assert worker.peer.result().status == -9
    worker.peer.assign(worker.spec("true"), 2)
    assert worker.peer.result().status == 0


def test_a_task_that_cannot_start_is_reported(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome()
    worker.peer.assign(worker.spec("true", rundir="/dev/null/x"))
    result = worker.peer.result()
    assert result.status == 1
    assert result.failure.startswith("cannot start in /dev/null/x: ")


def test_a_python_task_runs_in_a_process_of_its_own(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("print('says', os.getppid())\nos._exit(5)", language="python"))
    result = worker.peer.result()
    assert result.status == 5
    assert result.console == b"says %d\n" % worker.process.pid


def test_tasks_find_the_environment_of_their_run_and_what_is_the_job_s(launch: Launch) -> None:
    worker = launch(
        "--cores", "4", "--slots", "2",
        LSB_JOBID="12", LSB_QUEUE="regr", CUDA_VISIBLE_DEVICES="1", OF_THE_WORKER="x",
    )  # fmt: skip
    worker.peer.welcome(PATH="/bin:/usr/bin", CUDA_VISIBLE_DEVICES="0", RUN="b\udcffd", LSB_X="run")
    worker.peer.assign(worker.spec("env -0"))
    assert worker.peer.result().status == 0
    data = (worker.folder / "demo.t" / "demo.t.log").read_bytes()
    found = dict(pair.split(b"=", 1) for pair in data.rstrip(b"\0").split(b"\0"))
    assert found[b"RUN"] == b"b\xffd"
    assert (found[b"LSB_JOBID"], found[b"LSB_QUEUE"]) == (b"12", b"regr")
    assert found[b"LSB_X"] == b"run"
    assert found[b"CUDA_VISIBLE_DEVICES"] == b"1"
    assert found[b"DFM_JOB"] == b"12"
    assert found[b"DFM_CORES"] == b"2"
    assert b" -j4 --jobserver-auth=" in found[b"MAKEFLAGS"]
    assert b"OF_THE_WORKER" not in found


def test_outside_of_a_batch_job_its_own_places_are_not_the_tasks(launch: Launch) -> None:
    worker = launch(CUDA_VISIBLE_DEVICES="1")
    worker.peer.welcome(PATH="/bin:/usr/bin", CUDA_VISIBLE_DEVICES="0")
    worker.peer.assign(worker.spec("exit $CUDA_VISIBLE_DEVICES"))
    assert worker.peer.result().status == 0


def test_it_runs_as_many_at_once_as_it_has_slots(launch: Launch) -> None:
    worker = launch("--slots", "2")
    worker.peer.welcome(PATH=os.environ["PATH"])
    meets = "touch ../{0}; until [ -e ../{1} ]; do sleep 0.01; done"
    worker.peer.assign(worker.spec(meets.format("a", "b"), name="t1"), 1)
    worker.peer.assign(worker.spec(meets.format("b", "a"), name="t2"), 2)
    worker.peer.assign(worker.spec("[ -e ../a -a -e ../b ]", name="t3"), 3)
    assert [worker.peer.result().status for _ in range(3)] == [0, 0, 0]


def test_many_short_tasks_are_each_answered(launch: Launch) -> None:
    worker = launch("--slots", "2")
    worker.peer.welcome(PATH=os.environ["PATH"])
    for number in range(100):
        worker.peer.assign(worker.spec(f"exit {number}", name=f"t{number}"), number)
    ends = [worker.peer.hear_of(wire.Finished) for _ in range(100)]
    assert {end.task: end.status for end in ends} == {number: number for number in range(100)}


def test_a_task_that_goes_on_is_said_to_have_started(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    held = worker.peer.assign(worker.spec("until [ -e ../go ]; do sleep 0.01; done"))
    started = worker.peer.hear()
    assert isinstance(started, wire.Started)
    assert Held(*started[:3]) == held
    (worker.folder / "go").touch()
    result = worker.peer.result()
    assert result.status == 0
    assert started.started_at == result.started_at


def test_inputs_come_as_a_blob_of_their_own(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    spec = worker.spec("cp $DFM_INPUTS $DFM_MEMENTO_OUT", inputs=None)
    worker.peer.say(wire.Blob("r", 1, b'["shared"]'))
    worker.peer.say(wire.Run("r", 1, 1, SPEC.pack(spec), [0, 1]))
    assert worker.peer.result().memento == b'["shared"]'


def test_a_result_of_many_megabytes_arrives_whole(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("head -c 20000000 /dev/zero > $DFM_OUTPUT"))
    assert worker.peer.result().output == bytes(20_000_000)


@pytest.mark.parametrize("grace_s", [0.0, 20.0])
def test_a_cancelled_task_is_gone_with_what_it_started(launch: Launch, grace_s: float) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    held = worker.peer.assign(worker.spec("setsid sleep 100 & echo $! > pid; sleep 100"))
    child = worker.pid_in("demo.t/pid")
    worker.peer.say(wire.Cancel(*held, grace_s))
    result = worker.peer.result()
    assert (result.status, result.ended_by) == (-15 if grace_s else -9, "cancel")
    assert not is_alive(child)


def test_what_waits_for_a_slot_can_be_recalled(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("until [ -e ../go ]; do sleep 0.01; done", name="t1"), 1)
    second = worker.peer.assign(worker.spec("true", name="t2"), 2)
    worker.peer.say(wire.Recall(*second))
    assert Held(*worker.peer.hear_of(wire.Returned)) == second
    (worker.folder / "go").touch()
    assert worker.peer.result().status == 0
    assert not (worker.folder / "t2").exists()


def test_a_dropped_task_is_killed_and_not_heard_of(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    held = worker.peer.assign(worker.spec("echo $$ > pid; sleep 100; true"))
    pid = worker.pid_in("demo.t/pid")
    worker.peer.say(wire.Drop(*held))
    wait_until(lambda: not is_alive(pid))
    worker.peer.assign(worker.spec("true"), 2)
    assert worker.peer.hear_of(wire.Finished).task == 2


def test_nothing_secret_is_where_others_can_see_it(launch: Launch) -> None:
    worker = launch()
    worker.peer.welcome(PATH=os.environ["PATH"])
    worker.peer.assign(worker.spec("ls -l /proc/self/fd; env"))
    worker.peer.result()
    secrets = Path(worker.daemon.credentials.worker).read_text().split("\n")[1:3]
    log = worker.folder / "demo.t" / "demo.t.log"
    shown = log.read_text() + worker.log()
    for name in ("cmdline", "environ"):
        shown += Path(f"/proc/{worker.process.pid}/{name}").read_bytes().decode(errors="replace")
    for secret in secrets:
        assert len(secret) > 40
        assert secret not in shown
    assert "socket:" not in log.read_text(), "a task has no hold of the connection"
