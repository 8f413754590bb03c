"""TOML as plain data (https://toml.io/en/v1.0.0). Only this file knows the TOML library."""

import re
import tomllib
from typing import Any

from dfm.errors import FlowError, Place
from dfm.flow.document import MOST_BITS, MOST_NESTED, Path, Position
from dfm.graph.values import Value

_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)")
_HEADER = re.compile(r"^[ \t]*(\[\[?)([^\]\n]+)\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)
_NAME = re.compile(r"\"([^\"]*)\"|'([^']*)'|([^.\s]+)")
_TEXT_OR_COMMENT = re.compile(
    r"""\"{3}(?:\\.|[^\\])*?\"{3} | '{3}.*?'{3} | \"(?:\\.|[^\"\\\n])*\" | '[^'\n]*' | \#[^\n]*""",
    re.DOTALL | re.VERBOSE,
)


def read(text: str, file: str) -> Value:
    """The document in `text`. Raises FlowError."""
    try:
        return _plain(tomllib.loads(text), 0)
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        place = Place(file, int(where[1]), int(where[2])) if where else Place(file)
        raise FlowError(f"not valid TOML: {error}", place=place) from None
    except ValueError as error:  # an integer of a million digits
        raise FlowError(f"not valid TOML: {error}", place=Place(file)) from None
    except RecursionError:
        what = f"nested more than {MOST_NESTED} levels deep"
        raise FlowError(what, place=Place(file)) from None


def find(text: str, path: Path, is_key: bool) -> Position:
    """Line and column of the key at `path`, or of the nearest header or key around it.

    The library keeps no positions: the headers are followed in their order, keys found by eye.
    """
    text = _TEXT_OR_COMMENT.sub(_blank, text)
    start, after, known = 0, 0, 0
    counts: dict[Path, int] = {}  # of arrays of tables: the element that is being written
    for header in _HEADER.finditer(text):
        here = _path(header, counts)
        if len(here) > known and path[: len(here)] == here:
            start, after, known = header.start(1), header.end(), len(here)
    following = _HEADER.search(text, after)
    end = following.start() if following else len(text)
    if known < len(path):
        start = _key(text, after, end, str(path[known])) or start
    line = text.count("\n", 0, start)
    return line + 1, start - (text.rfind("\n", 0, start) + 1) + 1


def _blank(text: re.Match[str]) -> str:
    """Lines of a long text could look like headers; all else stays."""
    is_long = text[0].startswith(('"""', "'''"))
    return re.sub(r"[^\n]", " ", text[0]) if is_long else text[0]


def _path(header: re.Match[str], counts: dict[Path, int]) -> Path:
    """What the keys after a header belong to, with the elements of arrays that are open there."""
    path: Path = ()
    names = ["".join(parts) for parts in _NAME.findall(header[2])]
    for depth, name in enumerate(names, 1):
        path += (name,)
        if depth == len(names) and header[1] == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def _key(text: str, start: int, end: int, key: str) -> int | None:
    written = re.compile(rf"^[ \t]*[\"']?({re.escape(key)})(?=[\"' \t.=])", re.MULTILINE)
    match = written.search(text, start, end)
    return match.start(1) if match else None


def _plain(value: Any, depth: int) -> Value:
    if depth > MOST_NESTED:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _plain(element, depth + 1) for key, element in value.items()}
    if isinstance(value, list):
        return [_plain(element, depth + 1) for element in value]
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ValueError("an integer is too large")
    if isinstance(value, bool | int | float | str):
        return value
    return str(value)  # a date or a time
