"""The live display, seen on a real terminal."""

import shlex
from collections.abc import Iterator

import pytest

from tests.integration.conftest import DFM, Project, until
from tests.integration.terminal import Terminal


@pytest.fixture(params=[(80, 24), (200, 60), (40, 8)], ids=["80x24", "200x60", "40x8"])
def terminal(request: pytest.FixtureRequest, project: Project) -> Iterator[Terminal]:
    opened = Terminal(project, *request.param)
    yield opened
    opened.close()


FLOW = """
  tasks:
  - {name: bad, run: 'echo the reason; exit 3'}
  - name: sims
    strategy: {matrix: {seed: [11, 12, 13]}}
    body:
    - {name: s, run: 'touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done'}
  - {root: all, needs: [bad, sims], run: 'true'}
"""


def test_the_display_shows_what_runs_and_goes_away_at_the_end(
    terminal: Terminal, project: Project
) -> None:
    project.flow(FLOW)
    terminal.type(f"{shlex.join(DFM)} run all -k -j 4; echo status $?")
    until(lambda: any("3 running  1 failed" in line for line in terminal.screen()))
    screen = terminal.screen()
    status = next(line for line in screen if "running" in line)
    assert status.startswith("1/5 done")
    shown = "\n".join(screen[screen.index(status) :])
    assert "p.sims.s_0 (seed=11)" in shown
    assert "\n".join(screen).count("FAILED p.bad: status 3") == 1
    project.write("go", "")
    until(lambda: any(line.startswith("status 1") for line in terminal.screen()))
    screen = terminal.screen()
    assert not any("running" in line for line in screen), "the display is gone"
    assert screen[-2].startswith("status 1") or screen[-1].startswith("ready>")
    assert any(line.split() == ["5", "3", "0", "1", "1", *line.split()[5:]] for line in screen)


def test_ctrl_c_leaves_a_usable_terminal(terminal: Terminal, project: Project) -> None:
    project.flow(FLOW)
    terminal.type(f"{shlex.join(DFM)} run sims -j 4; echo status $?")
    until(lambda: any("3 running" in line for line in terminal.screen()))
    terminal.press("C-c")
    until(lambda: any(line.startswith("status 130") for line in terminal.screen()))
    terminal.type("echo still $((40 + 2))")
    until(lambda: any(line.startswith("still 42") for line in terminal.screen()))


def test_a_quick_run_draws_nothing(terminal: Terminal, project: Project) -> None:
    project.flow("  tasks:\n  - {root: t, run: 'true'}\n")
    terminal.type(f"{shlex.join(DFM)} run t; echo status $?")
    until(lambda: any(line.startswith("status 0") for line in terminal.screen()))
    assert not any("running" in line for line in terminal.screen())
