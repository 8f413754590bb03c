"""Python tasks as they run: each in a process of its own, started by the executor or forked for it."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from dfm.wire.task import Command, TaskResult, TaskSpec
from dfm_worker import staging
from dfm_worker.warm_python import WarmPython
from tests.dfm_worker.host import Host, is_alive


@pytest.fixture(autouse=True, params=["started", "forked"])
def way(request: pytest.FixtureRequest, host: Host, monkeypatch: pytest.MonkeyPatch) -> str:
    """A task is the same whichever way its process comes to be."""
    name: str = request.param
    if name == "started":
        monkeypatch.setattr(WarmPython, "fork", lambda *_: 0)
    else:
        host.warm_up()
    return name


def run(host: Host, script: str, python: dict[str, str] | None = None) -> TaskResult:
    return host.run(host.spec(script, language="python", python=python))


def written(host: Host, name: str, text: str) -> Path:
    file = host.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def items(result: TaskResult) -> list[object]:
    return [json.loads(line) for line in result.output.split(b"\n")[:-1]]


RETURNS = "from dv_flow.mgr import TaskDataResult, TaskDataItem\n"

# What `run` means

FUNCTIONS = """
def plain(ctxt, input):
    print("plain", input.name)

async def task(ctxt, input):
    print("task", input.name)

class Callable:
    def __call__(self, ctxt, input):
        print("called", input.name)

called = Callable()
number = 7
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("own.task", "task demo.t"),
        ("own.plain", "plain demo.t"),
        (" own.called\n", "called demo.t"),
        ("own:task", "task demo.t"),
        ("pack.age.task", "task demo.t"),
        ("own.py::task", "task demo.t"),
        ("pack/age.py::plain", "plain demo.t"),
        ("print('a line of', input.name)", "a line of demo.t"),
        ("if True:\n  print('lines of', input.name)\n", "lines of demo.t"),
        ("  x = 1\n  # indented\n  print('indented', x)", "indented 1"),
        ("import asyncio\nawait asyncio.sleep(0)\nprint('waited')", "waited"),
        ("print(os.getcwd() == ctxt.rundir)\nreturn\nprint('not this')", "True"),
        ("# nothing\n# at all", ""),
    ],
)
def test_a_task_is_a_function_or_the_body_of_one(host: Host, script: str, said: str) -> None:
    for name in ("own.py", "pack/age.py"):
        written(host, name, FUNCTIONS)
    result = run(host, script)
    assert (result.status, result.failure) == (0, "")
    assert host.log().rstrip("\n") == said
    assert result.console == host.log().encode()


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("nowhere.task", "no Python module `nowhere` on the path"),
        ("own.nowhere.task", "no Python module `own.nowhere` on the path"),
        ("own.nothing", "no function `nothing` in own"),
        ("own.number", "no function `number` in own"),
        ("own.py::nothing", "no function `nothing` in {folder}/own.py"),
        ("nowhere.py::task", "no Python file {folder}/nowhere.py"),
        ("own.txt::task", "no Python file {folder}/own.txt"),
        (".::task", "no Python file {folder}/."),
    ],
)
def test_a_function_that_is_not_there_is_named(host: Host, script: str, failure: str) -> None:
    written(host, "own.py", FUNCTIONS)
    result = run(host, script)
    assert (result.status, result.failure) == (1, failure.format(folder=host.folder))
    assert host.log() == f"{result.failure}\n"


def test_what_a_module_needs_and_is_not_there_is_the_module_s_failure(host: Host) -> None:
    written(host, "own.py", "import no_such_module\n")
    result = run(host, "own.task")
    assert result.failure == "ModuleNotFoundError: No module named 'no_such_module'"
    assert f'File "{host.folder}/own.py", line 1' in host.log()


@pytest.mark.parametrize("name", ["signal", "queue", "json", "dfm", "dfm_worker", "msgpack"])
def test_a_file_of_the_user_s_does_not_stand_for_one_of_ours(host: Host, name: str) -> None:
    written(host, f"{name}.py", "raise ImportError('of the user')\n")
    result = run(host, "print('fine')", python={"cwd": str(host.folder)})
    assert (result.status, host.log()) == (0, "fine\n")


@pytest.mark.parametrize("safe", ["", "1"])
def test_what_the_environment_puts_on_the_path_stays_there(host: Host, safe: str) -> None:
    written(host, "lib/library.py", "VALUE = 7\n")
    host.environment = {
        **host.environment, "PYTHONPATH": f"{host.folder}/lib", "PYTHONSAFEPATH": safe,
    }  # fmt: skip
    assert run(host, "import library\nprint(library.VALUE)").status == 0


# Where it works


def test_it_works_where_dfm_does_if_that_folder_is_there(host: Host) -> None:
    for cwd, expected in ((host.folder, host.folder), ("/no/where", host.folder / "demo.t")):
        assert run(host, "print(os.getcwd())", python={"cwd": str(cwd)}).status == 0
        assert host.log() == f"{expected}\n"


# What goes wrong


def test_what_a_function_raises_is_its_result_and_the_place_is_in_the_log(host: Host) -> None:
    file = written(
        host, "own.py", "def task(ctxt, input):\n    inner()\n\ndef inner():\n    1 / 0\n"
    )
    result = run(host, "own.task")
    assert (result.status, result.failure) == (1, "ZeroDivisionError: division by zero")
    assert host.log().split("\n")[:2] == [
        "Traceback (most recent call last):", f'  File "{file}", line 2, in task',
    ]  # fmt: skip
    assert f'File "{file}", line 5, in inner' in host.log()
    assert result.log_tail == host.log().encode()


def test_the_lines_of_a_body_count_as_the_user_wrote_them(host: Host) -> None:
    result = run(host, "x = 0\n\n1 / x\n")
    assert result.failure == "ZeroDivisionError: division by zero"
    assert 'File "<run of demo.t>", line 3, in task\n    1 / x\n' in host.log()
    result = run(host, "x = 0\nx = = 1\n")
    assert result.failure == "SyntaxError: invalid syntax (<run of demo.t>, line 2)"


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ("import sys\nsys.exit(0)", "SystemExit: 0"),
        ("import sys\nsys.exit('why')", "SystemExit: why"),
        ("raise Exception", "Exception: "),
        ("import asyncio\nraise asyncio.CancelledError('x')", "CancelledError: x"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        (RETURNS + "return TaskDataResult(status='x')", "ValueError: invalid literal for int"),
        (RETURNS + "x = []\nx.append(x)\nreturn TaskDataResult(memento=x)", "RecursionError: "),
        (RETURNS + "return TaskDataResult(status=2**70)", "OverflowError: "),
    ],
)
def test_whatever_it_raises_or_returns_there_is_a_result(
    host: Host, script: str, failure: str
) -> None:
    result = run(host, script)
    assert result.status == 1
    assert result.failure.startswith(failure)
    assert "Traceback" in host.log()


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("os._exit(5)", 5),
        ("os._exit(0)\npass", 1),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.abort()", -signal.SIGABRT),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
)
def test_a_process_that_does_not_come_to_its_end_has_failed(
    host: Host, script: str, status: int
) -> None:
    result = run(host, script)
    assert result.status == status
    words = result.commands[0].words
    assert (words[0], words[-1]) == (sys.executable, "dfm_worker.python_task")


def test_a_fork_that_returns_as_well_makes_the_result_unreadable_and_no_more(host: Host) -> None:
    result = run(host, "pid = os.fork()\nif pid:\n    os.waitpid(pid, 0)")
    assert result.status == 1
    assert result.failure.startswith("its result cannot be read: ")
    assert run(host, "pass\npass").status == 0


def test_a_cancelled_task_has_not_succeeded_whatever_it_returns(host: Host) -> None:
    ready = host.signal()
    script = (
        "import signal, asyncio\n"
        "asked = asyncio.Event()\n"
        "asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)\n"
        f"open('{ready}', 'w').write('ready')\n"
        "await asked.wait()\n"
        "print('asked')"
    )
    ticket = host.start(host.spec(script, language="python"))
    host.wait_for(ready)
    host.executor.end(ticket.running)
    result = host.result(ticket)
    assert (result.status, result.ended_by, result.console) == (-15, "cancel", b"asked\n")


def test_what_it_started_ends_with_it(host: Host) -> None:
    result = run(host, "import subprocess\nprint(subprocess.Popen(['sleep', '100']).pid)")
    assert result.status == 0
    assert not is_alive(int(host.log()))
    assert result.warnings == ["1 process that the task left running was ended"]


# What it says


def test_prints_and_errors_are_in_the_log_in_their_order(host: Host) -> None:
    script = (
        "import sys\nprint('one')\nprint('two', file=sys.stderr)\nos.system('echo three')\n"
        "print('four')\nraise ValueError('five')"
    )
    run(host, script)
    assert host.log().startswith("one\ntwo\nthree\nfour\nTraceback ")


def test_what_was_printed_before_it_was_killed_is_there(host: Host) -> None:
    assert run(host, "print('so far')\nos.kill(os.getpid(), 9)").console == b"so far\n"


def test_of_much_output_the_end_is_shown(host: Host) -> None:
    result = run(host, "for i in range(20000):\n  print(i)")
    assert result.console.endswith(b"\n19998\n19999\n")
    assert len(result.console) <= 64 * 1024
    assert host.log().count("\n") == 20_000


# What it returns


def test_what_it_returns_is_its_result(host: Host) -> None:
    script = RETURNS + (
        "return TaskDataResult(status=4, changed=False, memento={'a': 1},\n"
        "    output=[TaskDataItem('p.T', x=1), {'type': 'p.U'}])"
    )
    result = run(host, script)
    assert (result.status, result.changed, result.failure) == (4, False, "")
    assert json.loads(result.memento or b"") == {"a": 1}
    assert items(result) == [{"type": "p.T", "src": None, "seq": -1, "x": 1}, {"type": "p.U"}]


@pytest.mark.parametrize("script", ["pass\npass", "return None\n", "return 0\n"])
def test_without_a_result_all_went_well(host: Host, script: str) -> None:
    result = run(host, script)
    assert (result.status, result.changed, items(result), result.memento) == (0, True, [], None)


def test_a_large_result_comes_whole_and_one_that_is_too_large_is_refused(host: Host) -> None:
    script = RETURNS + "return TaskDataResult(memento='x' * {size})"
    assert run(host, script.format(size=10_000_000)).memento == b'"%s"' % (b"x" * 10_000_000)
    result = run(host, script.format(size=staging.COLLECTED_LIMIT))
    assert result.status == 1
    assert result.failure.startswith("its result has 50331")
    assert result.failure.endswith(" bytes, more than the 50331648 that travel")


def test_large_inputs_arrive(host: Host) -> None:
    spec: TaskSpec = host.spec("print(len(input.inputs[0].text))\n", language="python")
    inputs = json.dumps([{"type": "p.T", "text": "x" * 5_000_000}]).encode()
    assert host.result(host.start(spec, inputs)).console == b"5000000\n"


def test_commands_are_those_that_it_executed(host: Host) -> None:
    script = "await ctxt.exec(['true'])\nawait ctxt.exec(['sh', '-c', 'exit 3'])\n"
    result = run(host, script)
    assert result.status == 0
    assert result.commands == [Command(["true"], 0), Command(["sh", "-c", "exit 3"], 3)]
    assert os.path.exists(f"{host.folder}/demo.t/cmd_2.log")
