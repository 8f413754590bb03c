"""The monitor, seen on real terminals, beside real daemons that work, die and come back."""

import os
import re
import shlex
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.integration.conftest import DFM, Project, until
from tests.integration.terminal import Terminal

MONITOR = f"{shlex.join(DFM)} daemon --monitor; echo status $?"
HOLD = "touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done"
FLOW = f"""
  tasks:
  - {{name: bad, run: 'exit 3'}}
  - name: verification_of_the_module_with_the_longest_of_all_names
    strategy: {{matrix: {{seed: [11, 12]}}}}
    body:
    - {{name: simulation_with_everything, run: '{HOLD}'}}
  - {{root: all, needs: [bad, verification_of_the_module_with_the_longest_of_all_names], run: 'true'}}
"""
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)[;m]")
Open = Callable[..., Terminal]


@pytest.fixture
def opened(daemon: Project) -> Iterator[Open]:
    """Opens terminals in the project; a daemon that was started is stopped afterwards."""
    terminals: list[Terminal] = []

    def open_one(columns: int = 80, rows: int = 24, environment: str = "TERM=xterm-256color") -> Terminal:  # fmt: skip
        terminals.append(Terminal(daemon, columns, rows, environment))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.close()


def shows(terminal: Terminal, *texts: str) -> None:
    """Waits until the screen has all of them."""

    def has_all() -> bool:
        screen = "\n".join(terminal.screen())
        return all(text in screen for text in texts)

    until(has_all, f"{texts} on the screen")


def pid_of(daemon: Project) -> int:
    return int(daemon.status()["pid"])


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 10)], ids=str)
def test_it_shows_what_runs_and_what_has_ended_and_leaves_the_daemon_alone(
    opened: Open, daemon: Project, size: tuple[int, int]
) -> None:
    daemon.flow(FLOW)
    terminal = opened(*size)
    start = f"{shlex.join(DFM)} daemon start --pool-size 2 --monitor"
    terminal.type(f"{start}; echo status $?")
    shows(terminal, "uptime", "0 total", "q: detach")
    run = daemon.start("run", "all", "-k")
    shows(terminal, "2 total, 2 busy", "2 running, 1 completed", "everything_0", "everything_1")
    screen = terminal.screen()
    assert len(screen) == size[1], "the whole screen is used"
    assert all(len(line) <= size[0] for line in screen)
    assert screen[0].split()[0] == "ELAPSED"
    assert [line.split()[0] for line in screen[-4:]] == ["uptime", "workers", "tasks", "pools"]
    (failed,) = (line for line in screen if "FAIL 3" in line)
    assert failed.endswith("p.bad")
    terminal.press("q")
    shows(terminal, "status 0", f"detached; the daemon runs on (pid {pid_of(daemon)})")
    assert terminal.is_as_it_was()
    daemon.write("go", "")
    assert daemon.end(run).status == 1


def test_it_keeps_up_with_a_flood(opened: Open, daemon: Project) -> None:
    count = 2000
    values = ", ".join(map(str, range(count)))
    daemon.flow(
        f"  tasks:\n  - name: t\n    strategy: {{matrix: {{n: [{values}]}}}}\n"
        "    body:\n    - {name: s, run: 'true'}\n"
    )
    daemon.ok("daemon", "start", "--pool-size", "2")
    terminal = opened(200, 60)
    terminal.type(MONITOR)
    shows(terminal, "uptime")
    assert daemon.end(daemon.start("run", "t")).status == 0
    shows(terminal, "0 running, 2,000 completed (0 failed)", "0 queued", "pass")
    terminal.press("q")
    shows(terminal, "status 0")


def test_it_follows_the_size_of_the_terminal(opened: Open, daemon: Project) -> None:
    daemon.flow(FLOW)
    daemon.ok("daemon", "start", "--pool-size", "2")
    terminal = opened(80, 24)
    terminal.type(MONITOR)
    shows(terminal, "uptime")
    for columns, rows in ((120, 50), (50, 12), (80, 24)):
        terminal.resize(columns, rows)

        def fits(columns: int = columns, rows: int = rows) -> bool:
            screen = terminal.screen()
            is_whole = len(screen) == rows and screen[-4].startswith("uptime")
            return is_whole and len(screen[-4]) == columns and screen[0].startswith("  ELAPSED")

        until(fits, f"a screen of {columns} columns and {rows} rows")


def test_it_waits_for_a_daemon_that_was_killed_and_goes_on(opened: Open, daemon: Project) -> None:
    daemon.flow(FLOW)
    daemon.ok("daemon", "start", "--pool-size", "2")
    terminal = opened(80, 24)
    terminal.type(MONITOR)
    shows(terminal, "uptime")
    first = pid_of(daemon)
    os.kill(first, signal.SIGKILL)
    shows(terminal, "THE DAEMON IS GONE, trying again for")
    daemon.ok("daemon", "start", "--pool-size", "2")
    shows(terminal, f"pid {pid_of(daemon)}", "uptime")
    assert daemon.dfm("run", "bad").status == 1
    shows(terminal, "FAIL 3", "1 completed (1 failed)")
    daemon.ok("daemon", "stop")
    shows(terminal, "THE DAEMON IS GONE")
    terminal.press("C-c")
    shows(terminal, "detached; the daemon of", "is gone", "status 0")
    assert terminal.is_as_it_was()


@pytest.mark.parametrize(
    ("environment", "has_colour"),
    [("TERM=xterm-256color", True), ("TERM=xterm-256color NO_COLOR=1", False), ("TERM=vt100", False)],
)  # fmt: skip
def test_colours_are_for_terminals_that_have_them_and_users_who_want_them(
    opened: Open, daemon: Project, environment: str, has_colour: bool
) -> None:
    daemon.flow(FLOW)
    daemon.ok("daemon", "start", "--pool-size", "2")
    terminal = opened(80, 24, environment)
    terminal.type(MONITOR)
    assert daemon.dfm("run", "bad").status == 1
    shows(terminal, "FAIL 3", "1 completed (1 failed)")
    assert bool(COLOUR.search(terminal.styled().replace("\x1b[39m\x1b[49m", ""))) == has_colour


def test_a_terminal_that_cannot_be_drawn_on_is_told_so(opened: Open, daemon: Project) -> None:
    daemon.flow(FLOW)
    daemon.ok("daemon", "start")
    terminal = opened(100, 24, "TERM=dumb")
    terminal.type(MONITOR)
    shows(terminal, "cannot be shown on a terminal of the type `dumb`", "status 2")
    done = daemon.dfm("daemon", "monitor")
    assert done.status == 2
    assert "needs a terminal" in done.err


def test_sigterm_leaves_a_usable_terminal(opened: Open, daemon: Project) -> None:
    daemon.flow(FLOW)
    daemon.ok("daemon", "start")
    terminal = opened(80, 24)
    terminal.type(MONITOR)
    shows(terminal, "uptime")
    (monitor,) = (
        process
        for process in psutil.process_iter(["cmdline", "cwd"])
        if process.info["cwd"] == str(daemon.folder)
        and (process.info["cmdline"] or [])[-1:] == ["--monitor"]
    )
    monitor.terminate()
    shows(terminal, "detached; the daemon runs on")
    assert terminal.is_as_it_was()
    assert pid_of(daemon)


def test_without_a_daemon_there_is_nothing_to_watch(opened: Open, daemon: Project) -> None:
    daemon.flow(FLOW)
    terminal = opened(100, 24)
    terminal.type(MONITOR)
    shows(terminal, "no daemon of", "dfm daemon start --monitor", "status 3")


def test_an_option_in_front_of_the_command_is_a_mistake(project: Project) -> None:
    project.flow(FLOW)
    for words in (("--monitor", "start"), ("start", "--monitor", "--foreground")):
        assert project.dfm("daemon", *words).status == 2
