"""What is known of a terminal before it is drawn on."""

import ast
import subprocess
import sys

import pytest

from dfm.cli.monitor.terminal import terminal
from dfm.errors import UsageError


def known(encoding: str = "utf-8", **environ: str) -> tuple[bool, str]:
    """In a process of its own: curses looks a terminal up once."""
    call = f"terminal({environ!r}, is_terminal=True, encoding={encoding!r})"
    script = f"from dfm.cli.monitor.terminal import terminal; print(ascii(tuple({call})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    has_color, ellipsis = ast.literal_eval(done.stdout.decode())
    return has_color, ellipsis


@pytest.mark.parametrize(
    ("environ", "has_color"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({"TERM": "of-the-year-2100"}, True),  # that nobody describes
    ],
)
def test_a_usual_terminal_has_colours_unless_its_user_wants_none(
    environ: dict[str, str], has_color: bool
) -> None:
    assert known(**environ) == (has_color, "…")


def test_a_terminal_without_colours_gets_none() -> None:
    assert known(TERM="vt100") == (False, "~")


def test_a_terminal_that_shows_ascii_gets_ascii() -> None:
    assert known("ANSI_X3.4-1968", TERM="xterm") == (True, "~")


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": ""}, {}])
def test_where_it_cannot_be_drawn_that_is_said(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no cursor addressing") as caught:
        terminal(environ, is_terminal=True, encoding="utf-8")
    assert "dfm daemon status" in str(caught.value)


def test_a_pipe_is_no_terminal() -> None:
    with pytest.raises(UsageError, match="needs a terminal"):
        terminal({"TERM": "xterm"}, is_terminal=False, encoding="utf-8")
