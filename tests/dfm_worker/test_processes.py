"""Processes as /proc shows them, and the ends of whole trees of them: all with real ones."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfm_worker import processes
from dfm_worker.processes import Children, Process, has_variables, look, marked, reap, send, tree
from tests.dfm_worker.host import is_alive, wait_until

Start = Callable[..., subprocess.Popen[bytes]]
NOBODY = 2**22 + 1  # more than a pid can be


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a shell script. In the end all of them are killed, with what they started."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one(script: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["/bin/bash", "-c", script], env={**os.environ, **environment}, start_new_session=True
        )
        started.append(process)
        return process

    yield start_one
    pids = [process.pid for process in started]
    below: set[int] = set()
    while alive := set(filter(is_alive, below | tree(pids, pids))):  # they may fork meanwhile
        below |= alive
        send(alive, signal.SIGKILL)
    for process in started:
        process.wait()
    for pid in below:
        reap(pid)


def zombie(start: Start) -> int:
    pid = start("exit 3").pid
    wait_until(lambda: (process := look(pid)) is not None and process.state == "Z")
    return pid


def pid_in(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


# Looking


def test_a_process_has_a_parent_and_a_session(start: Start) -> None:
    pid = start("exec sleep 100").pid
    process = look(pid)
    assert process is not None
    assert process[:3] == (pid, os.getpid(), pid)
    me = look(os.getpid())
    assert me == Process(os.getpid(), os.getppid(), os.getsid(0), "R")


def test_what_has_ended_is_a_zombie_until_somebody_asks(start: Start) -> None:
    pid = zombie(start)
    assert reap(pid)
    assert look(pid) is None
    assert not reap(pid)


@pytest.mark.parametrize("name", ["a) R 1 (b", "((", ") Z 9 9 9", "a\nb", "\xff"])
def test_a_name_may_hold_anything(start: Start, tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.symlink_to("/bin/sleep")
    pid = start(f"exec '{program}' 100").pid
    wait_until(lambda: Path(f"/proc/{pid}/comm").read_bytes() == os.fsencode(name) + b"\n")
    process = look(pid)
    assert process is not None
    assert process[:3] == (pid, os.getpid(), pid)
    assert process.state in "RS"


def test_who_is_not_there_is_none() -> None:
    assert look(NOBODY) is None
    assert not reap(NOBODY)
    assert not has_variables(NOBODY, [b"A=1"])


def test_the_table_has_all(start: Start) -> None:
    pid = start("exec sleep 100").pid
    found = processes.table()
    assert {pid, os.getpid(), 1} <= set(found)
    assert all(number == process.pid for number, process in found.items())


# Children


@pytest.mark.parametrize("has_list", [True, False])
def test_children_are_those_of_this_process_dead_ones_too(
    start: Start, monkeypatch: pytest.MonkeyPatch, has_list: bool
) -> None:
    if not has_list:  # a kernel without CONFIG_PROC_CHILDREN
        real = os.open

        def fails(path: str, *flags: int) -> int:
            if path.endswith("/children"):
                raise FileNotFoundError(path)
            return real(path, *flags)

        monkeypatch.setattr(os, "open", fails)
    children = Children()
    before = set(children.pids())
    alive, dead = start("exec sleep 100").pid, zombie(start)
    assert set(children.pids()) - before == {alive, dead}
    reap(dead)
    assert set(children.pids()) - before == {alive}


def test_a_list_longer_than_a_read_is_whole(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PAGE", 7)
    children = Children()
    before = set(children.pids())
    started = {start("exec sleep 100").pid for _ in range(5)}
    assert set(children.pids()) - before == started


# Trees


def test_a_tree_is_a_process_and_all_below_it(start: Start, tmp_path: Path) -> None:
    grandchild, other = tmp_path / "grandchild", start("exec sleep 100").pid
    root = start(f"bash -c 'sleep 100 & echo $! > {grandchild}; wait' & wait").pid
    pid = pid_in(grandchild)
    process = look(pid)
    assert process is not None
    assert tree([root]) == {root, process.parent, pid}
    assert tree([root, process.parent, NOBODY]) == {root, process.parent, pid}
    assert other in tree([root, other])
    assert tree([]) == set()


def test_a_session_is_found_when_its_leader_is_gone(start: Start, tmp_path: Path) -> None:
    leader = start(f"sleep 100 & echo $! > {tmp_path}/pid; exit")
    pid = pid_in(tmp_path / "pid")
    leader.wait()
    assert tree([], [leader.pid]) == {pid}
    assert tree([leader.pid]) == set()
    send([pid], signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    reap(pid)


def test_processes_are_known_by_what_their_environment_holds(start: Start) -> None:
    pid = start("exec sleep 100", DFM_A="1", DFM_B="x\udcff").pid
    wait_until(lambda: has_variables(pid, [b"DFM_A=1"]))
    assert has_variables(pid, [])
    assert has_variables(pid, [b"DFM_B=x\xff", b"DFM_A=1"])
    for other in ([b"DFM_A=2"], [b"DFM_A=1", b"DFM_C=1"], [b"DFM_A="], [b"FM_A=1"], [b"DFM_A=11"]):
        assert not has_variables(pid, other)


def test_a_mark_finds_what_took_it_off_below_one_that_has_it(start: Start, tmp_path: Path) -> None:
    mark = f"DFM_JOB={tmp_path}"
    bare = f"env -i bash -c 'echo $$ > {tmp_path}/pid; exec sleep 100'"
    root = start(f"setsid {bare} & exec sleep 100", DFM_JOB=str(tmp_path)).pid
    other = start("exec sleep 100", DFM_JOB=f"{tmp_path}/other").pid
    pid = pid_in(tmp_path / "pid")
    wait_until(lambda: root in marked(mark.encode()))
    assert marked(mark.encode()) == {root, pid}
    assert other not in marked(mark.encode())
    assert marked(b"DFM_JOB=nobody's") == set()


# Ends


def test_a_signal_reaches_all_who_are_there(start: Start) -> None:
    started = [start("exec sleep 100") for _ in range(3)]
    send([started[0].pid, NOBODY, started[1].pid, started[2].pid], signal.SIGTERM)
    assert [process.wait() for process in started] == [-signal.SIGTERM] * 3
    send([NOBODY], signal.SIGKILL)


def test_a_living_child_and_anothers_are_not_reaped(start: Start) -> None:
    assert not reap(start("exec sleep 100").pid)
    assert not reap(os.getppid())
    assert not reap(1)


IS_ADOPTED = """
import os, subprocess
from dfm_worker import processes
processes.become_subreaper()
reader, writer = os.pipe()
words = f"(setsid bash -c 'echo $$ >&{writer}; exec sleep 100' &) &"
subprocess.run(["/bin/bash", "-c", words], pass_fds=[writer])
pid = int(os.read(reader, 100))
while processes.look(pid).parent != os.getpid():
    pass
print(pid in processes.Children().pids())
os.kill(pid, 9)
while processes.Children().pids():
    os.wait()
"""


def test_an_orphan_comes_to_the_subreaper_above_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IS_ADOPTED], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "True\n"
