"""What the terminal can do: whether the monitor works on it, with colours or without."""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from dfm.errors import UsageError

_HINT = "`dfm daemon status` shows the same numbers once, as plain lines"


class Terminal(NamedTuple):
    has_color: bool
    ellipsis: str  # one column, for what is cut off


def are_terminals() -> bool:
    """Whether all standard streams are."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def terminal(environ: Mapping[str, str], *, is_terminal: bool, encoding: str) -> Terminal:
    """Raises UsageError if the monitor cannot be shown."""
    if not is_terminal:
        raise UsageError("the monitor needs a terminal, and this is a pipe or a file", hint=_HINT)
    name = environ.get("TERM", "")
    can_move, color_count = _abilities(name)
    if not can_move:
        what = f"a terminal of the type `{name}`" if name else "a terminal without TERM"
        raise UsageError(f"the monitor cannot be shown on {what}: no cursor addressing", hint=_HINT)
    return Terminal(
        has_color=color_count >= 8 and not environ.get("NO_COLOR"),
        ellipsis="…" if encoding.lower().startswith("utf") and color_count >= 8 else "~",
    )


def _abilities(name: str) -> tuple[bool, int]:
    """Whether the cursor can be sent to a place, and the number of colours: terminfo(5)."""
    if name in ("", "dumb", "unknown"):
        return False, 0
    try:
        import curses

        curses.setupterm(name, os.open(os.devnull, os.O_WRONLY))
    except (ImportError, curses.error):  # not described on this host: most can what xterm can
        return True, 8
    return curses.tigetstr("cup") is not None, curses.tigetnum("colors")
