"""A flow file as plain data, and where in the file a piece of that data stands.

The data carries no positions: they are wanted for errors only, and then the file is looked at a
second time. A path is the keys and indexes that lead to a value: ("package", "tasks", 3, "needs").
"""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from dfm.errors import Place
from dfm.graph.values import Value

Path: TypeAlias = tuple[str | int, ...]
Position: TypeAlias = tuple[int, int]  # line and column, from 1


class Document:
    """One flow file that was read."""

    def __init__(
        self, file: str, text: str, data: Value, find: Callable[[str, Path, bool], Position]
    ) -> None:
        self.file = file  # absolute
        self.directory = os.path.dirname(file)
        self.data = data
        self._text = text
        self._find = find

    def place(self, path: Path, within: str = "", *, is_key: bool = False) -> Place:
        """Where a value stands, or its key; `within` is a part of its text to point at."""
        line, column = self._find(self._text, path, is_key)
        if within:
            lines = self._text.splitlines()
            for number in range(line - 1, min(len(lines), line + _SEARCH_LINES)):
                start = column - 1 if number == line - 1 else 0
                found = lines[number].find(within, start)
                if found >= 0:
                    return Place(self.file, number + 1, found + 1)
        return Place(self.file, line, column)


_SEARCH_LINES = 2000
MOST_NESTED = 200  # levels of lists and maps in a file: what is done with values recurses
MOST_BITS = 10_000  # of an integer: the bound of expressions; Python prints no longer ones


class Where(NamedTuple):
    """A value in a document. Cheap to carry along; only errors ask for the place."""

    document: Document
    path: Path
    is_key: bool = False

    def at(self, *more: str | int) -> "Where":
        return Where(self.document, self.path + more)

    def key(self) -> "Where":
        """The name before the value, for what is wrong with that."""
        return self._replace(is_key=True)

    def place(self, within: str = "") -> Place:
        return self.document.place(self.path, within, is_key=self.is_key)


def describe(value: object) -> str:
    """A value in words, as the end of "must be a list, not"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {_short(value)!r}"
        case dict():
            return "a map"
        case Sequence():
            return "a list"
        case _:
            return type(value).__name__


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
