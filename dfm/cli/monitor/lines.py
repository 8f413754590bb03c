"""Lines of a given width, and how each is to look. What is too long loses its front: tasks of one
matrix differ in their tails."""

import enum
from typing import NamedTuple


class Look(enum.Enum):
    PLAIN = "plain"
    HEAD = "head"
    BAD = "bad"
    ALARM = "alarm"


class Line(NamedTuple):
    text: str
    look: Look = Look.PLAIN


def keep_tail(text: str, width: int, ellipsis: str) -> str:
    """At most `width` columns of it: the last ones."""
    if len(text) <= width:
        return text
    return ellipsis + text[len(text) - width + 1 :] if width > 0 else ""


def keep_head(text: str, width: int, ellipsis: str) -> str:
    """At most `width` columns of it: the first ones."""
    if len(text) <= width:
        return text
    return text[: width - 1] + ellipsis if width > 0 else ""


def one_line(text: str) -> str:
    """Without line ends and control characters."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
