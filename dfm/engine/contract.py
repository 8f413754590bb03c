"""What a task handed back, read as items, markers and a memento (section 29.3)."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dfm.engine.records import Marker
from dfm.engine.signatures import FILE_SET
from dfm.graph.dataflow import ENV
from dfm.graph.values import Fields, Value
from dfm.wire.task import TaskResult

_SEVERITIES = frozenset({"error", "warning", "info"})
_MOST_OF_MESSAGE = 4096  # characters
_OF_EVERY_ITEM = frozenset({"type", "src", "seq", "name", "params"})


class HandedBack(NamedTuple):
    """The parts of a result that its files held."""

    items: list[Fields]  # without src and seq
    markers: list[Marker]
    memento: Any
    is_sound: bool  # False: the task is to fail for what it emitted


def read(result: TaskResult, rundir: str, types: Mapping[str, Fields]) -> HandedBack:
    """Reads what a task emitted. What cannot be read is left out, with a warning marker."""
    items: list[Fields] = []
    markers = [_marker(line, number) for number, line in _lines(result.markers)]
    is_sound = True
    for number, line in _lines(result.output):
        fields = _object(line)
        if fields is None or not isinstance(fields.get("type"), str):
            markers.append(_malformed("DFM_OUTPUT", number, "a JSON object with a `type`", line))
        elif not fields["type"]:
            markers.append(
                Marker("error", f"DFM_OUTPUT, line {number}: an item with an empty type")
            )
            is_sound = False
        else:
            items.append(_complete(fields, rundir, types, markers))
    env = _env_item(result, markers)
    if env is not None:
        items.append(env)
    return HandedBack(items, markers, _memento(result, markers), is_sound)


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    text = data.decode(errors="replace")
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _object(line: str) -> Fields | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _malformed(file: str, number: int, wanted: str, line: str) -> Marker:
    shown = line if len(line) <= 60 else line[:57] + "..."
    return Marker("warning", f"{file}, line {number} is ignored: not {wanted}: {shown}")


def _complete(
    fields: Fields, rundir: str, types: Mapping[str, Fields], markers: list[Marker]
) -> Fields:
    """An item with its type's defaults. What the type does not know is passed on, with a warning."""
    name = str(fields["type"])
    defaults = types.get(name)
    if defaults is None:
        markers.append(
            Marker("warning", f"an item of the type `{name}`, which no flow file declares")
        )
        return fields
    for field in fields:
        if field not in defaults and field not in _OF_EVERY_ITEM:
            markers.append(Marker("warning", f"type {name} has no field `{field}`"))
    base = fields.get("basedir")
    if name == FILE_SET and isinstance(base, str) and base:
        fields["basedir"] = rundir if base == "." else posixpath.join(rundir, base)
    return {**defaults, **fields}


def _env_item(result: TaskResult, markers: list[Marker]) -> Fields | None:
    """One std.Env of DFM_ENV and DFM_PATH together; None if both are empty."""
    values: dict[str, Value] = {}
    lines = list(_lines_of_env(result.environment))
    position = 0
    while position < len(lines):
        number, line = lines[position]
        position += 1
        name, equals, value = line.partition("=")
        word_name, here, word = line.partition("<<")
        if here and (not equals or len(word_name) < len(name)):
            block = [text for _, text in lines[position:]]
            if word not in block:
                markers.append(_malformed("DFM_ENV", number, f"ended by a line `{word}`", line))
                break
            end = block.index(word)
            values[word_name] = "\n".join(block[:end])
            position += end + 1
        elif equals and name:
            values[name] = value
        elif line.strip():
            markers.append(_malformed("DFM_ENV", number, "KEY=VALUE", line))
    folders = [line for _, line in _lines(result.path)]
    if not values and not folders:
        return None
    prepend: Fields = {"PATH": ":".join(folders)} if folders else {}
    return {"type": ENV, "vals": values, "append_path": {}, "prepend_path": prepend}


def _lines_of_env(data: bytes) -> Iterator[tuple[int, str]]:
    """All lines, empty ones too: a block may hold them."""
    text = data.decode(errors="surrogateescape")
    yield from enumerate(text.removesuffix("\n").split("\n") if text else (), 1)


def _marker(line: str, number: int) -> Marker:
    fields = _object(line)
    if fields is None or "msg" not in fields:
        return _malformed("DFM_MARKERS", number, "a JSON object with a `msg`", line)
    severity = str(fields.get("severity", "info")).lower()
    location = fields.get("loc")
    return Marker(
        severity if severity in _SEVERITIES else "info",
        _short(str(fields["msg"])),
        location if isinstance(location, dict) else None,
    )


def _short(message: str) -> str:
    """A message is for people: what a program has poured into one is not."""
    if len(message) <= _MOST_OF_MESSAGE:
        return message
    return f"{message[:_MOST_OF_MESSAGE]}... ({len(message)} characters)"


def _memento(result: TaskResult, markers: list[Marker]) -> Any:
    if not result.memento:
        return None
    try:
        return json.loads(result.memento)
    except (ValueError, RecursionError) as error:
        markers.append(Marker("warning", f"DFM_MEMENTO_OUT is ignored: not JSON: {error}"))
        return None
