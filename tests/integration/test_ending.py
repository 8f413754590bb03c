"""What `dfm daemon stop` says while somebody waits for it."""

import shlex

import pytest

from tests.integration.conftest import DFM, Project, until
from tests.integration.terminal import Terminal

FLOW = """
  tasks:
  - {name: t, run: 'touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done'}
  - name: more
    strategy: {matrix: {n: [1, 2, 3]}}
    body: [{name: s, run: 'true'}]
  - {root: all, needs: [t, more], run: 'true'}
"""


def test_a_drain_shows_what_it_waits_for_and_leaves_two_lines(project: Project) -> None:
    project.flow(FLOW)
    project.ok("daemon", "start", "--pool-size", "1")
    run = project.start("run", "t")
    until((project.folder / "on").exists)
    terminal = Terminal(project, 80, 24)
    try:
        terminal.type(f"{shlex.join(DFM)} daemon stop --drain; echo status $?")
        until(lambda: any("1 task still running, 1 s" in line for line in terminal.screen()))
        project.write("go", "")
        until(lambda: any("status 0" in line for line in terminal.screen()))
        screen = terminal.screen()
        assert "still running" not in "\n".join(screen)
        at = screen.index("waiting for 1 running task")
        assert screen[at + 1 : at + 3] == ["daemon stopped", "status 0"]
    finally:
        terminal.close()
    assert project.end(run).status == 0


@pytest.mark.parametrize("drain", [True, False])
def test_in_a_file_there_are_two_lines(project: Project, drain: bool) -> None:
    project.flow(FLOW)
    project.ok("daemon", "start", "--pool-size", "1")
    run = project.start("run", "t")
    until((project.folder / "on").exists)
    stop = project.start("daemon", "stop", *(["--drain"] if drain else []))
    if drain:
        assert stop.stdout is not None
        assert stop.stdout.readline() == "waiting for 1 running task\n"
        project.write("go", "")
    done = project.end(stop)
    said = "" if drain else "ending 1 running task\n"
    assert (done.status, done.out, done.err) == (0, f"{said}daemon stopped\n", "")
    project.end(run)


def test_a_drain_that_takes_too_long_is_given_up_and_goes_on(project: Project) -> None:
    project.flow(FLOW)
    project.ok("daemon", "start", "--pool-size", "1")
    run = project.start("run", "t")
    until((project.folder / "on").exists)
    done = project.dfm("daemon", "stop", "--drain", "--timeout", "0.6")
    assert done.status == 3
    assert "has not ended within 0.6 s: 1 task still running" in done.err
    project.write("go", "")
    assert project.end(run).status == 0
    until(lambda: project.dfm("daemon", "status").status == 3)


def test_a_daemon_with_nothing_to_do_ends_without_many_words(project: Project) -> None:
    project.flow(FLOW)
    project.ok("daemon", "start")
    assert project.ok("daemon", "stop").out == "daemon stopped\n"
