"""The process that forks those of Python tasks: what its tasks are, and what becomes of it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dfm_worker import processes, warm_python
from dfm_worker.executor import Executor
from dfm_worker.warm_python import WarmPython
from tests.dfm_worker.host import Host, is_alive, wait_until

WHO = """
import json, os, signal, sys
fields = open('/proc/self/stat').read().rpartition(')')[2].split()
print(json.dumps({
    'pid': os.getpid(), 'parent': int(fields[1]), 'group': int(fields[2]), 'session': int(fields[3]),
    'fds': sorted(os.listdir('/proc/self/fd')), 'cwd': os.getcwd(), 'argv': sys.argv[:1],
    'files': [os.readlink(f'/proc/self/fd/{fd}') for fd in range(3)],
    'path': sys.path, 'environ': dict(os.environ), 'modules': sorted(sys.modules),
    'signals': [signal.getsignal(n) == signal.SIG_DFL for n in (15, 1, 17)],
    'mask': sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    'main': os.environ['DFM_TASK_NAME'], 'zone': __import__('time').tzname,
}))
"""


@pytest.fixture
def warm(host: Host) -> int:
    return host.warm_up()


def forked(host: Host, script: str = WHO, name: str = "demo.t", **variables: str) -> str:
    """The log of a task that must be forked."""
    asked: list[int] = []

    def fork(self: WarmPython, *words: Any) -> int:
        asked.append(forks(self, *words))
        return asked[-1]

    forks = WarmPython.fork
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WarmPython, "fork", fork)
        result = host.run(host.spec(script, name, language="python", environment=variables))
    assert asked[0], "it was started instead"
    assert (result.status, result.failure) == (0, "")
    assert result.warnings == []
    return host.log(name)


def started(host: Host, script: str = WHO, **variables: str) -> str:
    """The log of a task that is not forked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WarmPython, "fork", lambda *_: 0)
        result = host.run(host.spec(script, language="python", environment=variables))
    assert result.status == 0
    return host.log()


@pytest.mark.usefixtures("warm")
def test_a_forked_process_is_as_one_that_was_started(host: Host) -> None:
    one, other = (
        json.loads(forked(host, TZ="Asia/Tokyo")),
        json.loads(started(host, TZ="Asia/Tokyo")),
    )
    for who in (one, other):
        assert who.pop("parent") == os.getpid()
        assert who.pop("group") == who.pop("session") == who.pop("pid")
    assert len(one.pop("fds")) <= len(other.pop("fds"))
    one.pop("modules"), other.pop("modules")
    assert one == other
    assert one["zone"] == ["JST", "JST"]


def test_it_is_no_child_of_a_task_and_forks_each_task_anew(host: Host, warm: int) -> None:
    pids = {json.loads(forked(host))["pid"] for _ in range(3)}
    assert len(pids) == 3
    assert host.executor.kept() == {warm}
    assert not any(map(is_alive, pids))


@pytest.mark.usefixtures("warm")
def test_nothing_of_one_task_is_seen_by_the_next(host: Host) -> None:
    (host.folder / "own.py").write_text("value = 1\n")
    script = (
        "import sys, os\nassert 'own' not in sys.modules and 'LEFT' not in os.environ\n"
        "import json, own\nassert not hasattr(json, 'left')\njson.left = 1\nown.value += 1\n"
        "os.environ['LEFT'] = '1'\nos.umask(0)\nos.chdir('/')\nprint(own.value)"
    )
    assert [forked(host, script) for _ in range(3)] == ["2\n"] * 3


@pytest.mark.usefixtures("warm")
def test_a_module_that_has_just_been_written_is_found(host: Host) -> None:
    for number in range(10):
        (host.folder / f"made{number}.py").write_text("")
        forked(host, f"import made{number}\npass")


def test_its_environment_is_seen_from_outside(host: Host, warm: int) -> None:
    """What a task leaves behind is found by it, and so is what belongs to a job."""
    ready = host.signal()
    script = f"import os, time\nos.fork()\nos.setsid() if os.getsid(0) != os.getpid() else 0\nopen('{ready}', 'w').write('ready')\ntime.sleep(100)"
    spec = host.spec(script, language="python", environment={"LONG": "x" * 120_000})
    ticket = host.start(spec)
    host.wait_for(ready)
    marks = ticket.running.marks()
    pids = processes.tree([ticket.running.pid])
    wait_until(lambda: len(processes.tree([ticket.running.pid])) == 2)
    assert all(processes.has_variables(pid, marks) for pid in pids)
    assert not processes.has_variables(warm, marks[:1])
    shown = Path(f"/proc/{ticket.running.pid}/environ").read_bytes()
    assert b"DFM_PADDING" not in shown
    assert f"PATH={os.environ['PATH']}".encode() in shown.split(b"\0")


def test_it_is_not_counted_as_left_by_a_task(host: Host, warm: int) -> None:
    assert host.run("true").warnings == []
    assert host.run("sleep 100 &\ntrue").warnings == [
        "1 process that the task left running was ended"
    ]
    assert is_alive(warm)


def test_a_cancelled_task_is_ended_and_the_next_is_forked(host: Host, warm: int) -> None:
    ready = host.signal()
    script = f"import time\nopen('{ready}', 'w').write('ready')\ntime.sleep(100)"
    ticket = host.start(host.spec(script, language="python"))
    host.wait_for(ready)
    host.executor.end(ticket.running)
    assert host.result(ticket).status == -15
    forked(host, "pass\npass")
    assert host.executor.kept() == {warm}


@pytest.mark.usefixtures("warm")
def test_a_place_where_it_cannot_work_is_named(host: Host) -> None:
    (host.folder / "demo.t" / "demo.t.log").unlink()
    (host.folder / "demo.t" / "demo.t.log").mkdir()
    for _ in range(2):
        result = host.run(host.spec("pass\npass", language="python"))
        assert result.status == 1
        assert "demo.t.log" in result.failure + result.log_tail.decode()


def test_it_ends_as_python_does(host: Host, warm: int) -> None:
    (host.folder / "own.py").write_text(
        "import atexit, threading, time\n"
        "file = open('of-a-module', 'w')\nfile.write('written')\n"
        "atexit.register(lambda: open('at-exit', 'w').write('written'))\n"
        "def late():\n  time.sleep(0.1)\n  open('of-a-thread', 'w').write('written')\n"
        "threading.Thread(target=late).start()\n"
        "def task(ctxt, input): pass\n"
    )
    forked(host, "own.task")
    for name in ("of-a-module", "at-exit", "of-a-thread"):
        assert (host.folder / "demo.t" / name).read_text() == "written"


# Its ends


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_one_that_dies_or_hangs_is_replaced_and_the_task_runs(
    host: Host, warm: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = host.executor.python
    assert python is not None
    monkeypatch.setattr(warm_python, "_ANSWER_S", 0.2)
    python.warm.close()
    warm = host.warm_up()
    os.kill(warm, number)
    ran = host.folder / "ran"
    result = host.run(f"open('{ran}', 'a').write('x')\npass", language="python")
    assert (result.status, result.warnings, ran.read_text()) == (0, [], "x")
    assert host.warm_up() != warm
    assert not is_alive(warm)
    forked(host, "pass\npass")


def test_a_task_that_was_forked_for_nobody_does_nothing(
    host: Host, warm: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of the process that forks is lost, and the task started elsewhere."""
    python = host.executor.python
    assert python is not None
    received = python.warm._received
    monkeypatch.setattr(python.warm, "_received", lambda: (received(), b"")[1])
    ran = host.folder / "ran"
    result = host.run(f"open('{ran}', 'a').write('x')\npass", language="python")
    assert (result.status, ran.read_text()) == (0, "x")
    assert not is_alive(warm)


def test_one_that_cannot_be_started_is_not_tried_for_ever(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Executor(host.loop)
    alone = Host(host.loop, executor, host.folder)
    starts: list[object] = []
    alone.run("pass\npass", language="python")
    python = executor.python
    assert python is not None
    python.warm.close()
    spawn = python.warm._spawn

    def failing(program: str, words: list[str], *more: object) -> int:
        starts.append(words)
        return spawn("/bin/false", ["false"], *more)  # type: ignore[arg-type]

    monkeypatch.setattr(python.warm, "_spawn", failing)
    for _ in range(8):
        assert alone.run("pass\npass", language="python").status == 0
        alone.serve_until(lambda: True)
        wait_until(lambda: not python.warm.pid or not is_alive(python.warm.pid))
        alone.run("true")
    assert len(starts) == 2  # and one before
    executor.close()


def test_it_is_replaced_when_the_tasks_need_another(host: Host, warm: int) -> None:
    variables = {"PYTHONPATH": f"{host.folder}/lib"}
    (host.folder / "lib").mkdir()
    (host.folder / "lib" / "library.py").write_text("")
    for number in range(4):
        assert host.executor.kept() == {warm}, number
        host.run("import library\npass", language="python", environment=variables)
    assert host.executor.kept() != {warm}
    python = host.executor.python
    assert python is not None
    while not python.warm.is_ready:
        host.run("import library\npass", language="python", environment=variables)
    forked(host, "import library\npass", **variables)


def test_it_ends_with_its_executor_even_if_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import os, sys
from pathlib import Path
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from tests.dfm_worker.host import Host
loop = Loop()
host = Host(loop, Executor(loop), Path({str(tmp_path)!r}))
print(host.warm_up(), flush=True)
loop.run()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        warm = int(one.stdout.readline())
        assert is_alive(warm)
        one.kill()
        wait_until(lambda: not is_alive(warm))
