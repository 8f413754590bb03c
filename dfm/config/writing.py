"""The merged configuration as it would be written by hand: what it says, and where that is from.

What is written here and read back gives the same configuration.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from dfm.config.config import Config
from dfm.config.fields import (
    CLASS_FIELDS,
    CLASSES,
    LIMIT,
    LIMITS,
    SETTINGS,
    Field,
    Kind,
    Value,
)
from dfm.config.merge import DEFAULT, Origin

Written: TypeAlias = "str | int | bool | list[str] | dict[str, Written]"

_PLAIN = re.compile(r"[A-Za-z_/][\w./-]*", re.ASCII)
_WORDS_OF_YAML = frozenset("y n yes no on off true false null".split())
_UNITS = (("T", 2**40), ("G", 2**30), ("M", 2**20))


def fields(config: Config) -> dict[str, Field]:
    """The table's line of every key that has a value, in the order of the tables."""
    table = {field.key: field for field in SETTINGS}
    for name, section in config.sections.items():
        table |= {f"runner.{name}.{field.key}": field for field in section.fields}
    for name in config.resource_classes:
        table |= {f"{CLASSES}.{name}.{field.key}": field for field in CLASS_FIELDS}
    table |= {f"{LIMITS}.{name}": LIMIT for name in config.limits}
    return {key: field for key, field in table.items() if key in config.values}


def written(field: Field, value: Value) -> str | int | bool | list[str]:
    """A value in the words of a configuration file."""
    match field.kind:
        case Kind.MEMORY:
            return _size(_number(value) * 2**20)
        case Kind.SIZE:
            return _size(_number(value))
        case Kind.WALLTIME:
            minutes = _number(value) // 60
            return f"{minutes // 60}:{minutes % 60:02}" if minutes else ""
        case Kind.PORTS:
            text = str(value)
            return int(text) if text.isdecimal() else text
        case Kind.TEXTS:
            assert isinstance(value, tuple)
            return [str(element) for element in value]
        case Kind.TEXT | Kind.INTEGER | Kind.BOOLEAN:
            assert isinstance(value, str | int)
            return value


def document(config: Config) -> dict[str, Written]:
    """The whole configuration as one nested mapping."""
    root: dict[str, Written] = {}
    for key, field in fields(config).items():
        *parents, name = _steps(key)
        group = root
        for parent in parents:
            below = group.setdefault(parent, {})
            assert isinstance(below, dict)
            group = below
        group[name] = written(field, config.values[key])
    return root


def yaml_lines(config: Config, origin: Callable[[str], str] | None = None) -> Iterator[str]:
    """The same as YAML. `origin`: words for a key's origin, put behind its value as a comment."""
    lines = list(_lines(document(config), (), 0))
    width = max(len(text) for text, _ in lines) if origin else 0
    for text, path in lines:
        said = origin(".".join(path)) if origin and path else ""
        yield f"{text:<{width}}  # {said}" if said else text


def _lines(
    group: Mapping[str, Written], above: tuple[str, ...], depth: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Lines, each with the key whose origin it shows; () of one that has none of its own."""
    indent = "  " * depth
    for name, value in group.items():
        path = (*above, name)
        if isinstance(value, dict):
            yield f"{indent}{scalar(name)}:", ()
            yield from _lines(value, path, depth + 1)
        elif isinstance(value, list) and value:
            yield f"{indent}{scalar(name)}:", ()
            for number, element in enumerate(value):
                yield f"{indent}- {scalar(element)}", (*above, f"{name}[{number}]")
        else:
            yield f"{indent}{scalar(name)}: {'[]' if value == [] else _scalar(value)}", path


def scalar(text: str) -> str:
    """A text as YAML: bare where nothing can take it for anything else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)


def _scalar(value: Written) -> str:
    return scalar(value) if isinstance(value, str) else json.dumps(value)


def _steps(key: str) -> Sequence[str]:
    """A dotted key's parts; the names of classes and limits may have dots themselves."""
    if key.startswith(f"{LIMITS}."):
        return [*LIMITS.split("."), key.removeprefix(f"{LIMITS}.")]
    if key.startswith(f"{CLASSES}."):
        name, _, field = key.removeprefix(f"{CLASSES}.").rpartition(".")
        return [*CLASSES.split("."), name, field]
    return key.split(".")


def origin_of(config: Config, key: str) -> Origin:
    """Where a key, or an element of a list (`key[0]`), was set; a default list has no elements' origins."""
    return config.origins.get(key) or config.origins.get(key.partition("[")[0], DEFAULT)


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _size(size: int) -> str:
    """Bytes with the largest unit that divides them; else in K, to 9 decimals, which are rounded up
    when they are read."""
    for suffix, unit in _UNITS:
        if size % unit == 0:
            return f"{size // unit}{suffix}"
    whole, rest = divmod(size, 1024)
    decimals = f"{rest * 10**9 // 1024:09}".rstrip("0")
    return f"{whole}.{decimals}K" if decimals else f"{whole}K"
