"""How a task is started, and what its result says. Its ends are in test_executor_ends.py, what can go
wrong on a host in test_executor_faults.py."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest
import uvloop

from dfm.wire.task import Command, TaskResult
from dfm_worker.attempt import Attempt
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from tests.dfm_worker.host import Host


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("true", 0),
        ("false", 1),
        ("exit 3", 3),
        ("exit 255", 255),
        ("kill -9 $$", -9),
        ("kill -TERM $$", -15),
        ("kill -SEGV $$", -11),
        ("false\ntrue", 0),  # no -e
        ("echo $nowhere\nfalse | true", 0),  # no -u, no pipefail
        ("set -e\nfalse\ntrue\n", 1),
        ("no-such-program", 127),
        ("no-such-program --with words", 127),
        ("./no-such-script.sh", 127),
        ("no-such-program\n", 127),
        ("/tmp", 126),
        ("/etc/passwd", 126),
        ("syntax (", 2),
    ],
)
def test_the_status_is_the_script_s(host: Host, script: str, status: int) -> None:
    result = host.run(script)
    assert result.status == status
    assert [command.status for command in result.commands] == [status]
    assert (result.ended_by, result.failure, result.warnings) == ("", "", [])


@pytest.mark.parametrize("script", ["no-such-program", "no-such-program\n", "./no-such-program"])
def test_a_missing_program_has_the_shell_s_message_in_the_log(host: Host, script: str) -> None:
    host.run(script)
    assert "no-such-program: " in host.log()
    assert ("demo.t_cmd.sh: line 2" if "\n" in script else "bash: ") in host.log()
    assert ("command not found" in host.log()) is ("./" not in script)


def test_a_plain_command_is_started_as_it_is_and_all_else_by_bash(host: Host) -> None:
    assert host.run("env A=1 true").commands == [Command(["env", "A=1", "true"], 0)]
    assert host.run("exit 3").commands == [Command(["/bin/bash", "-c", "exit 3"], 3)]
    file = f"{host.folder}/demo.t/demo.t_cmd.sh"
    assert host.run("true\nexit 3\n").commands == [Command(["/bin/bash", file], 3)]


def test_a_program_without_its_first_line_is_run_by_bash(host: Host) -> None:
    (host.folder / "demo.t").mkdir()
    program = host.folder / "demo.t" / "x.sh"
    program.write_text("echo from $0\n")
    program.chmod(0o755)
    assert host.run("./x.sh").status == 0
    assert host.log() == "from ./x.sh\n"


def test_a_program_is_found_on_the_task_s_path(host: Host) -> None:
    folder = host.folder / "bin"
    folder.mkdir()
    (folder / "tool").write_text("#!/bin/sh\necho mine $1\n")
    (folder / "tool").chmod(0o755)
    assert host.run(host.spec("tool x", path_prefix=[str(folder)])).status == 0
    assert host.log() == "mine x\n"
    assert host.run("tool x").status == 127


def test_a_program_that_has_gone_is_looked_for_again(host: Host) -> None:
    for name in ("a", "b"):
        (host.folder / name).mkdir()
        (host.folder / name / "tool").write_text(f"#!/bin/sh\necho {name}\n")
        (host.folder / name / "tool").chmod(0o755)
    spec = host.spec("tool", path_prefix=[f"{host.folder}/a", f"{host.folder}/b"])
    assert (host.run(spec).status, host.log()) == (0, "a\n")
    (host.folder / "a" / "tool").unlink()
    assert (host.run(spec).status, host.log()) == (0, "b\n")


@pytest.mark.parametrize("script", ["cat", "cat; readlink /proc/self/fd/0"])
def test_standard_input_is_empty(host: Host, script: str) -> None:
    assert host.run(script).status == 0
    assert host.log() in ("", "/dev/null\n")


@pytest.mark.parametrize("script", ["grep SigIgn /proc/self/status", "grep SigIgn /proc/$$/status"])
def test_no_signal_that_python_ignores_is_ignored_by_a_task(host: Host, script: str) -> None:
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    host.run(script)
    ignored = int(host.log().split()[1], 16)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        assert not ignored >> (number - 1) & 1


def test_a_pipe_that_nobody_reads_ends_its_writer(host: Host) -> None:
    host.run("yes | head -n 1; echo ${PIPESTATUS[0]}")
    assert host.log() == f"y\n{128 + signal.SIGPIPE}\n"


@pytest.mark.parametrize("script", ["cat /proc/self/stat", "exec cat /proc/$$/stat"])
def test_a_task_has_a_session_and_a_group_of_its_own(host: Host, script: str) -> None:
    ticket = host.start(host.spec(script))
    pid = ticket.running.pid
    host.result(ticket)
    _pid, _name, _state, _parent, group, session = host.log().split()[:6]
    assert (int(group), int(session)) == (pid, pid)


@pytest.mark.parametrize(
    "script", ["/bin/pwd", "pwd", "echo $PWD", "echo $DFM_RUNDIR $TASK_RUNDIR"]
)
def test_a_task_works_in_its_run_directory(host: Host, script: str) -> None:
    host.run(script)
    assert set(host.log().split()) == {f"{host.folder}/demo.t"}


def test_the_log_has_output_and_errors_in_their_order(host: Host) -> None:
    host.run("echo one; echo two >&2; echo three; ls /nowhere/at/all")
    assert host.log().startswith("one\ntwo\nthree\nls: ")


def test_the_log_is_that_of_the_last_execution(host: Host) -> None:
    host.run("echo a long first line")
    host.run("echo b")
    assert host.log() == "b\n"


def test_a_task_inherits_no_descriptor_of_ours(host: Host) -> None:
    meant = {fd for fd in map(int, os.listdir("/proc/self/fd")) if is_inheritable(fd)}
    host.run("ls /proc/self/fd")
    assert len(set(map(int, host.log().split())) - meant - {0, 1, 2}) == 1  # the folder it lists


def is_inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:  # that of the listing itself
        return False


def test_an_executor_keeps_no_descriptor_of_a_task(host: Host) -> None:
    host.warm_up()
    before = set(os.listdir("/proc/self/fd"))
    for script in ("true", "exit 1", "no-such\n", "kill -9 $$", "sleep 100 & exit 0", "a\0b"):
        host.run(script)
    host.run("pass\npass", language="python")
    host.run(host.spec("true", rundir="/dev/null/x", language="python"))
    assert set(os.listdir("/proc/self/fd")) == before


# What it is given


def test_what_a_task_finds_in_its_environment(host: Host) -> None:
    host.environment = {"PATH": "/bin:/usr/bin", "MINE": "1", "DFM_MEMENTO": "of an outer task"}
    spec = host.spec("env -0", environment={"DFM_PARAM_X": "a b\nc"}, path_prefix=["/p", "/q"])
    assert host.run(spec).status == 0
    found = dict(pair.split("=", 1) for pair in host.log().rstrip("\0").split("\0"))
    rundir = f"{host.folder}/demo.t"
    assert found == {
        "PATH": "/p:/q:/bin:/usr/bin",
        "MINE": "1",
        "PWD": rundir,
        "DFM_PARAM_X": "a b\nc",
        "DFM_CORES": "1",
        "DFM_TASK_NAME": "demo.t",
        "DFM_RUNDIR": rundir,
        "TASK_RUNDIR": rundir,
        "DFM_SRCDIR": str(host.folder),
        "TASK_SRCDIR": str(host.folder),
        "DFM_PARAMS": f"{rundir}/dfm.params.json",
        "DFM_INPUTS": f"{rundir}/dfm.inputs.json",
        "DFM_OUTPUT": f"{rundir}/dfm.output.jsonl",
        "DFM_ENV": f"{rundir}/dfm.env",
        "DFM_PATH": f"{rundir}/dfm.path",
        "DFM_MARKERS": f"{rundir}/dfm.markers.jsonl",
        "DFM_MEMENTO_OUT": f"{rundir}/dfm.memento.out.json",
    }


@pytest.mark.parametrize(("asked", "told"), [(0, "8"), (1, "1"), (3, "3")])
def test_a_task_is_told_the_cores_that_it_may_use(tmp_path: Path, asked: int, told: str) -> None:
    loop = Loop()
    host = Host(loop, Executor(loop, default_cores=8), tmp_path)
    host.run("echo $DFM_CORES", cores=asked)
    assert host.log() == f"{told}\n"


def test_the_job_s_variables_go_before_the_run_s_and_behind_the_task_s(tmp_path: Path) -> None:
    loop = Loop()
    host = Host(loop, Executor(loop, {"A": "job", "B": "job"}), tmp_path)
    host.environment = {**host.environment, "A": "run", "B": "run", "C": "run"}
    host.run(host.spec("echo $A $B $C", environment={"B": "task"}))
    assert host.log() == "job task run\n"


def test_params_inputs_and_memento_are_files(host: Host) -> None:
    spec = host.spec(
        "cat $DFM_PARAMS $DFM_INPUTS $DFM_MEMENTO", params=b'{"a": 1}', memento=b'{"m": 2}'
    )
    host.result(host.start(spec, b'[{"type": "x"}]'))
    assert host.log() == '{"a": 1}[{"type": "x"}]{"m": 2}'
    assert host.run("cat $DFM_INPUTS; echo ${DFM_MEMENTO-none}").status == 0
    assert host.log() == "[]none\n"


# What it hands back

HANDS_BACK = """
echo '{"type": "std.FileSet"}' >> $DFM_OUTPUT
echo A=1 >> $DFM_ENV
echo /tools >> $DFM_PATH
echo '{"msg": "m"}' >> $DFM_MARKERS
echo 7 > $DFM_MEMENTO_OUT
"""


@pytest.mark.parametrize(
    ("end", "status"), [("", 0), ("exit 4", 4), ("kill -9 $$", -9), ("no-such", 127)]
)
def test_what_a_task_hands_back_is_taken_whatever_its_status(
    host: Host, end: str, status: int
) -> None:
    result = host.run(HANDS_BACK + end)
    assert result.status == status
    assert result.output == b'{"type": "std.FileSet"}\n'
    assert result.environment == b"A=1\n"
    assert result.path == b"/tools\n"
    assert result.markers == b'{"msg": "m"}\n'
    assert result.memento == b"7\n"


def test_what_an_earlier_execution_handed_back_is_gone(host: Host) -> None:
    host.run(HANDS_BACK)
    result = host.run("true")
    assert (result.output, result.environment, result.path, result.markers, result.memento) == (
        b"", b"", b"", b"", None,
    )  # fmt: skip


def test_the_end_of_the_log_travels_with_a_failure_only(host: Host) -> None:
    assert host.run("seq 2000").log_tail == b""
    tail = host.run("seq 2000; exit 1").log_tail
    assert tail.endswith(b"\n1999\n2000\n")
    assert len(tail) <= 4096


def test_a_result_says_when_it_began_and_how_long_it_took(host: Host) -> None:
    first = host.run("true")
    second = host.run("true")
    assert second.started_at >= first.started_at > 1e9
    assert second.wall_ms > 0


# Several, and in other loops


def test_many_tasks_at_once_each_have_their_own_result(host: Host) -> None:
    tickets = [host.start(host.spec(f"exit {n}", name=f"demo.t{n}")) for n in range(30)]
    assert [host.result(ticket).status for ticket in tickets] == list(range(30))


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_executor_lives_in_an_asyncio_loop_too(
    tmp_path: Path, factory: "type[asyncio.AbstractEventLoop]"
) -> None:
    async def scene() -> list[TaskResult]:
        loop = asyncio.get_running_loop()
        host = Host(Loop(), Executor(loop), tmp_path)
        ends: list[asyncio.Future[TaskResult]] = []
        for number, script in enumerate(["exit 3", "sleep 100 & exit 4", "sleep 100"]):
            end: asyncio.Future[TaskResult] = loop.create_future()
            spec = host.spec(script, name=f"demo.t{number}")
            attempt = host.executor.start(spec, host.environment, b"[]", end.set_result)
            ends.append(end)
        assert isinstance(attempt, Attempt)
        host.executor.end(attempt)
        async with asyncio.timeout(20):
            return await asyncio.gather(*ends)

    with asyncio.Runner(loop_factory=factory) as runner:
        results = runner.run(scene())
    assert [result.status for result in results] == [3, 4, -15]
    assert [len(result.warnings) for result in results] == [0, 1, 0]
    assert [result.ended_by for result in results] == ["", "", "cancel"]


def test_python_is_the_interpreter_that_runs_dfm(host: Host) -> None:
    host.run("import sys\nprint(sys.executable, *sys.argv)", language="python")
    executable, program, *descriptors = host.log().split()
    assert executable == sys.executable
    assert program.endswith("dfm_worker/python_task.py")
    assert all(re.fullmatch(r"\d+", word) for word in descriptors)
