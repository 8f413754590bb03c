"""TOML as plain data (https://toml.io/en/v1.0.0). Only this file knows the TOML library."""

import re
import tomllib
from typing import Any

from dfm.errors import FlowError, Place
from dfm.flow.document import Path, Position
from dfm.graph.values import Value

_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)")
_HEADER = re.compile(r"^[ \t]*(\[\[?)([^\]\n]+)\]\]?", re.MULTILINE)


def read(text: str, file: str) -> Value:
    """The document in `text`. Raises FlowError."""
    try:
        return _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))
        place = Place(file, int(where[1]), int(where[2])) if where else Place(file)
        raise FlowError(f"not valid TOML: {error}", place=place) from None
    except RecursionError:
        raise FlowError("nested too deep", place=Place(file)) from None


def find(text: str, path: Path) -> Position:
    """The library keeps no positions: the nearest header or key before the value is found by eye."""
    start, names = 0, [step for step in path if isinstance(step, str)]
    counts = [step for step in path if isinstance(step, int)]
    for depth in range(len(names), 0, -1):
        header = ".".join(names[:depth])
        found = [match for match in _HEADER.finditer(text) if _same(match[2], header)]
        if found:
            number = counts[0] if counts and found[0][1] == "[[" else 0
            match = found[min(number, len(found) - 1)]
            start = match.start(1)
            if depth < len(names):
                start = _key(text, match.end(), names[depth]) or start
            break
    line = text.count("\n", 0, start)
    return line + 1, start - (text.rfind("\n", 0, start) + 1) + 1


def _same(written: str, header: str) -> bool:
    return re.sub(r"[\s\"']", "", written) == header


def _key(text: str, start: int, key: str) -> int | None:
    following = _HEADER.search(text, start)
    end = following.start() if following else len(text)
    match = re.compile(rf"^[ \t]*[\"']?({re.escape(key)})\b", re.MULTILINE).search(text, start, end)
    return match.start(1) if match else None


def _plain(value: Any) -> Value:
    if isinstance(value, dict):
        return {key: _plain(element) for key, element in value.items()}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, bool | int | float | str):
        return value
    return str(value)  # a date or a time
