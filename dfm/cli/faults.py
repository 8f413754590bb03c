"""How a fault is said at the prompt: with its file as seen from here, and its line marked."""

import os

from dfm.errors import Place, Problem

_INDENT = "     "  # as hints have it
_WIDTH = 90  # of a source line; of a longer one what is around the column


def said(problem: Problem) -> str:
    """`FILE:LINE:COLUMN: what`, the line of the file with a mark below it, the hint."""
    near = shortened(problem)
    first = str(near._replace(hint=""))
    hint = [_INDENT + line for line in problem.hint.splitlines()]
    return "\n".join([first, *_marked(problem.place), *hint])


def shortened(problem: Problem) -> Problem:
    """The same with its file as seen from here, if that is below this folder."""
    if problem.place is None:
        return problem
    path = os.path.relpath(problem.place.file)
    if path.startswith(".."):
        return problem
    return problem._replace(place=Place(path, problem.place.line, problem.place.column))


def _marked(place: Place | None) -> list[str]:
    """The source line and the mark; nothing if the file has no such line (any more)."""
    if place is None or not place.column:
        return []
    try:
        with open(place.file, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return []
    if not 0 < place.line <= len(lines) or not lines[place.line - 1].strip():
        return []
    line = "".join(letter if letter.isprintable() else " " for letter in lines[place.line - 1])
    at = min(place.column - 1, len(line.rstrip()))
    begin = len(line) - len(line.lstrip()) if at < _WIDTH else at - _WIDTH // 2
    begin = min(begin, at)
    shown = line[begin : begin + _WIDTH].rstrip()
    return [_INDENT + shown, f"{_INDENT}{' ' * (at - begin)}^"]
