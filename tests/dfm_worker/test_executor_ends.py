"""How a task and everything that it has started comes to its end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from dfm.wire.task import TaskResult
from dfm_worker import executor
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from tests.dfm_worker.host import Host, Signal, Ticket, is_alive, wait_until

# How a script leaves a process behind; each says its pid.
LEAVES = {
    "in the background": "sleep 100 & echo $!",
    "in a session of its own": "setsid bash -c 'echo $$; exec sleep 100' &",
    "forked twice": "(setsid bash -c 'echo $$; exec sleep 100' &) &",
    "without its environment": "(env -i setsid bash -c 'echo $$; exec sleep 100' &) &",
    "without its environment, in the background": "env -i bash -c 'echo $$; exec sleep 100' &",
}
leaves = pytest.mark.parametrize("leaving", LEAVES.values(), ids=LEAVES)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "GRACE_S", 0.05)


def pids(text: str) -> list[int]:
    found = [int(word) for word in text.split()]
    assert found
    return found


def start_leaving(
    host: Host, leaving: str, after: str = "sleep 100", name: str = "demo.t"
) -> tuple[Ticket, int]:
    """Starts a task that leaves a process behind and then does something else; and the pid."""
    said = host.signal(f"signal-{name}")
    ticket = host.start(host.spec(f"{{ {leaving}\n}} > {said}\n{after}", name=name))
    (pid,) = pids(host.wait_for(said))
    assert is_alive(pid)
    return ticket, pid


def finish_leaving(host: Host, leaving: str, name: str = "demo.t") -> tuple[TaskResult, int]:
    """The result of a task that left a process behind; and the pid."""
    go_on = host.signal(f"go-on-{name}")
    ticket, pid = start_leaving(host, leaving, f"read < {go_on}", name)
    go_on.say()
    return host.result(ticket), pid


# A task that is told to end


@pytest.mark.parametrize("script", ["sleep 100", "sleep 100; true", "sleep 100\n"])
def test_a_cancelled_task_is_ended_by_sigterm(host: Host, script: str) -> None:
    ticket = host.start(host.spec(script))
    host.executor.end(ticket.running)
    result = host.result(ticket)
    assert (result.status, result.ended_by, result.warnings) == (-15, "cancel", [])


def test_a_task_may_use_its_grace(host: Host) -> None:
    ready = host.signal()
    script = f"trap 'echo 1 > $DFM_MEMENTO_OUT; exit 5' TERM\necho > {ready}\nwhile :; do sleep 0.01; done"
    ticket = host.start(host.spec(script))
    host.wait_for(ready)
    host.executor.end(ticket.running, 20.0)
    result = host.result(ticket)
    assert (result.status, result.ended_by, result.memento) == (5, "cancel", b"1\n")


def ignores_sigterm(ready: Signal) -> str:
    return f"trap '' TERM\necho > {ready}\nwhile :; do sleep 0.01; done"


def test_a_task_that_ignores_sigterm_is_killed_after_its_grace(host: Host) -> None:
    ready = host.signal()
    ticket = host.start(host.spec(ignores_sigterm(ready)))
    host.wait_for(ready)
    host.executor.end(ticket.running, 0.05)
    result = host.result(ticket)
    assert (result.status, result.ended_by) == (-9, "cancel")


def test_without_a_grace_a_task_is_killed_at_once(host: Host) -> None:
    ready = host.signal()
    script = f"trap 'echo asked' TERM\necho > {ready}\nwhile :; do sleep 0.01; done"
    ticket = host.start(host.spec(script))
    host.wait_for(ready)
    host.executor.end(ticket.running, 0.0)
    assert host.result(ticket).status == -9
    assert host.log() == ""


def test_a_second_end_shortens_the_grace(host: Host) -> None:
    ready = host.signal()
    ticket = host.start(host.spec(ignores_sigterm(ready)))
    host.wait_for(ready)
    host.executor.end(ticket.running, 1000.0)
    host.executor.end(ticket.running, 0.0)
    assert host.result(ticket).status == -9


def test_a_task_that_was_told_to_end_has_not_succeeded(host: Host) -> None:
    ready = host.signal()
    script = f"trap 'exit 0' TERM\necho > {ready}\nwhile :; do sleep 0.01; done"
    ticket = host.start(host.spec(script))
    host.wait_for(ready)
    host.executor.end(ticket.running)
    result = host.result(ticket)
    assert (result.status, result.ended_by) == (-15, "cancel")
    assert [command.status for command in result.commands] == [-15]


@leaves
def test_a_cancelled_task_takes_everything_with_it(host: Host, leaving: str) -> None:
    ticket, pid = start_leaving(host, leaving)
    host.executor.end(ticket.running)
    result = host.result(ticket)
    assert not is_alive(pid)
    assert result.status in (-15, 128 + 15), "or bash hears of its child's end first"
    assert result.warnings == []


@leaves
def test_a_killed_task_takes_everything_with_it(host: Host, leaving: str) -> None:
    ticket, pid = start_leaving(host, f"trap '' TERM; {leaving}", "while :; do sleep 0.01; done")
    host.executor.end(ticket.running, 0.0)
    host.result(ticket)
    assert not is_alive(pid)


def test_processes_that_start_while_others_are_killed_do_not_get_away(host: Host) -> None:
    ready = host.signal()
    script = f"""
    trap '' TERM
    spread() {{ for i in 1 2 3 4 5; do setsid sleep 100 & done; sleep 0.002; }}
    (while :; do spread; done) &
    (setsid bash -c 'trap "" TERM; while :; do setsid sleep 100 & sleep 0.002; done' &) &
    echo > {ready}
    for i in 1 2 3 4 5 6 7 8 9 10; do spread; done
    exec sleep 100
    """
    ticket = host.start(host.spec(script))
    host.wait_for(ready)
    host.executor.end(ticket.running, 0.01)
    assert host.result(ticket).status == -9


# Walltime


@pytest.mark.parametrize("script", ["sleep 100", "setsid sleep 100; sleep 100\n"])
def test_a_task_over_its_walltime_is_ended(host: Host, script: str) -> None:
    result = host.run(script, walltime_s=1)
    assert (result.status, result.ended_by) == (-15, "walltime")


def test_a_task_within_its_walltime_is_left_alone(host: Host) -> None:
    result = host.run("exit 3", walltime_s=1)
    assert (result.status, result.ended_by) == (3, "")


def test_a_walltime_that_ends_during_the_grace_changes_nothing(host: Host) -> None:
    ready = host.signal()
    ticket = host.start(host.spec(ignores_sigterm(ready), walltime_s=1))
    host.wait_for(ready)
    host.executor.end(ticket.running, 1.2)
    result = host.result(ticket)
    assert (result.status, result.ended_by) == (-9, "cancel")


# What a task leaves running


@leaves
def test_what_a_task_leaves_running_is_ended_with_it_and_counted(host: Host, leaving: str) -> None:
    result, pid = finish_leaving(host, leaving)
    assert not is_alive(pid)
    assert (result.status, result.ended_by) == (0, "")
    assert result.warnings == ["1 process that the task left running was ended"]


def test_all_that_a_task_leaves_is_counted(host: Host) -> None:
    said, go_on = host.signal(), host.signal("go-on")
    script = "".join(f"{leaving}\n" for leaving in LEAVES.values())
    ticket = host.start(host.spec(f"{{ {script}}} > {said}\nread < {go_on}\nexit 7"))
    found: list[int] = []
    while len(found) < len(LEAVES):
        found += pids(host.wait_for(said))
    go_on.say()
    result = host.result(ticket)
    assert result.status == 7
    assert result.warnings == ["5 processes that the task left running were ended"]
    assert not any(map(is_alive, found))


def test_a_plain_command_may_leave_processes_too(host: Host) -> None:
    result = host.run("setsid --fork sleep 100")
    assert result.warnings == ["1 process that the task left running was ended"]


def test_what_is_left_is_asked_before_it_is_killed(host: Host) -> None:
    ready, go_on = host.signal(), host.signal("go-on")
    script = f"(trap 'echo asked; exit' TERM; echo > {ready}; while :; do sleep 0.01; done) &"
    ticket = host.start(host.spec(f"{script}\nread < {go_on}"))
    host.wait_for(ready)
    go_on.say()
    assert len(host.result(ticket).warnings) == 1
    assert "asked\n" in host.log()


@pytest.mark.usefixtures("short_grace")
def test_what_is_left_and_ignores_sigterm_is_killed(host: Host) -> None:
    result, pid = finish_leaving(host, "(trap '' TERM; echo $BASHPID; exec sleep 100) &")
    assert result.status == 0
    assert not is_alive(pid)


def test_a_task_may_be_cancelled_while_what_it_left_has_its_grace(host: Host) -> None:
    ready = host.signal()
    script = (
        f"(trap 'echo asked > {ready}' TERM; echo ready > {ready}; while :; do sleep 0.01; done) &"
    )
    ticket = host.start(host.spec(f"{script}\nread < {host.signal('go')}"))
    host.wait_for(ready)
    (host.folder / "go").write_text("go\n")
    assert host.wait_for(ready) == "asked"
    host.executor.end(ticket.running, 0.0)
    assert host.result(ticket).ended_by == "cancel"


def test_what_a_task_left_and_ended_by_itself_is_not_counted(host: Host) -> None:
    said, go_on = host.signal(), host.signal("go-on")
    script = f"(setsid bash -c 'echo $$ > {said}' &)\ntrue & wait\nread < {go_on}"
    ticket = host.start(host.spec(script))
    (pid,) = pids(host.wait_for(said))
    wait_until(lambda: not is_alive(pid))
    go_on.say()
    assert host.result(ticket).warnings == []


def test_what_starts_while_the_rest_is_asked_is_asked_too(host: Host) -> None:
    """Without the grace that SIGKILL waits for: the test would take as long."""
    for _ in range(20):
        assert len(host.run("(setsid bash -c 'sleep 100; true' &) &\ntrue").warnings) <= 1


# Two at once


@leaves
def test_what_one_task_leaves_does_not_touch_another(host: Host, leaving: str) -> None:
    other, others_child = start_leaving(host, leaving, name="demo.other")
    result, pid = finish_leaving(host, LEAVES["forked twice"], name="demo.one")
    assert len(result.warnings) == 1
    assert not is_alive(pid)
    assert other.result is None
    assert is_alive(others_child)
    host.executor.end(other.running)
    assert host.result(other).warnings == []
    assert not is_alive(others_child)


def test_cancelling_one_task_does_not_touch_another(host: Host) -> None:
    other, others_child = start_leaving(host, LEAVES["forked twice"], name="demo.a")
    ticket, pid = start_leaving(host, LEAVES["forked twice"], name="demo.b")
    host.executor.end(ticket.running, 0.0)
    host.result(ticket)
    assert not is_alive(pid)
    assert is_alive(others_child)
    assert is_alive(other.running.pid)


def test_a_process_that_nobody_knows_ends_with_the_last_task(host: Host) -> None:
    """It has neither a session nor the environment of its task, which is not the only one."""
    other, _ = start_leaving(host, LEAVES["in the background"], name="demo.other")
    result, pid = finish_leaving(host, LEAVES["without its environment"], name="demo.one")
    assert result.warnings == []
    assert is_alive(pid)
    host.executor.end(other.running)
    host.result(other)
    assert not is_alive(pid)


def test_children_that_are_no_tasks_are_left_alone(tmp_path: Path) -> None:
    """`Xvfb & exec dfm run`: they were there before."""
    with subprocess.Popen(["sleep", "100"]) as before:
        loop = Loop()
        host = Host(loop, Executor(loop), tmp_path)
        assert host.run("true").warnings == []
        assert len(host.run("sleep 100 & true").warnings) == 1
        ticket = host.start(host.spec("sleep 100"))
        host.executor.end(ticket.running, 0.0)
        host.result(ticket)
        assert is_alive(before.pid)
        before.kill()
        wait_until(lambda: not is_alive(before.pid))
        assert host.run("true").warnings == []
        assert before.wait() == -signal.SIGKILL  # nobody else has taken its status


def test_a_process_that_stops_itself_is_killed(host: Host) -> None:
    ticket, pid = start_leaving(host, "sleep 100 & kill -STOP $!; echo $!", "kill -STOP $$")
    stopped = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
    wait_until(lambda: os.waitid(os.P_PID, ticket.running.pid, stopped) is not None)
    host.executor.end(ticket.running, 0.05)
    assert host.result(ticket).status == -9
    assert not is_alive(pid)
