"""Where the `${{ }}` of a text begin and end. It does not know what is between them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.lexer import QUOTED, WORD

OPENING = "${{"

_FALLBACK = re.compile(rf"\s*+(\$?{WORD}(?:\s*+\.\s*+{WORD})*+)\s*+:-")
_BODY = re.compile(rf"""(?:[^'"}}]++|{QUOTED}|}}(?!}}))*+""", re.DOTALL)


class Span(NamedTuple):
    """An expression between two markers: `text[start:end]`."""

    start: int
    end: int


class Fallback(NamedTuple):
    """The head of `name:-text`."""

    path: tuple[str, ...]
    at: int  # offset of the name
    end: int  # where the text of the fallback begins


def fallback(text: str, start: int, end: int) -> Fallback | None:
    """The head of a fallback, if the expression in `text[start:end]` begins with one."""
    match = _FALLBACK.match(text, start, end)
    if match is None:
        return None
    path = tuple(part.strip() for part in match[1].lstrip("$").split("."))
    return Fallback(path, match.start(1), match.end())


def split(text: str, start: int = 0) -> Iterator[str | Span]:
    """Literal text and expressions, in order, from `start` on; no empty strings.

    Raises ExpressionError for a marker that is not closed.
    """
    while (opening := text.find(OPENING, start)) >= 0:
        if opening > start:
            yield text[start:opening]
        begin = opening + len(OPENING)
        end = _closing(text, begin)
        yield Span(begin, end)
        start = end + len("}}")
    if start < len(text):
        yield text[start:]


def _closing(text: str, begin: int) -> int:
    """Offset of the `}}`: the first that is in no quoted string, in the text of a fallback the first."""
    head = fallback(text, begin, len(text))
    if head is not None:
        # Quotes mean nothing here: `don't` must not reach to the next apostrophe.
        end = text.find("}}", head.end)
    else:
        match = _BODY.match(text, begin)
        end = match.end() if match else begin
        if text.startswith(("'", '"'), end) and text.find("}}", end) >= 0:
            raise ExpressionError("the string is not closed", end)
        if not text.startswith("}}", end):
            end = -1
    if end < 0:
        raise ExpressionError("`${{` is not closed", begin - len(OPENING))
    return end
