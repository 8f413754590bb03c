"""The built-in functions: what they do, and which may be piped into or called.

A function takes the piped value first. Faults are ExpressionErrors without a place.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from dfm.flow.expressions import command
from dfm.flow.expressions.errors import ExpressionError, near_matches
from dfm.flow.expressions.values import as_text, equal, identity, is_number, kind, truth
from dfm.graph.values import Value


class Builtin(NamedTuple):
    function: Callable[..., Value]
    least: int = 0  # arguments in brackets
    most: int = 0
    per_element: bool = False  # the argument is a function of an element, not a value
    expands: bool = False  # quoted strings in the arguments may hold `${{ }}`


def _elements(value: Value, function: str) -> list[Value]:
    if isinstance(value, list):
        return value
    hint = "`x[]` is the list of a map's values" if isinstance(value, dict) else ""
    raise ExpressionError(f"`{function}` needs a list, not {kind(value)}", hint=hint)


def length(value: Value) -> int:
    if value is None:
        return 0
    if isinstance(value, (str, list, dict)):
        return len(value)
    raise ExpressionError(f"{kind(value)} has no length")


def keys(value: Value) -> list[Value]:
    if isinstance(value, dict):
        return [*sorted(value)]
    if isinstance(value, list):
        return [*range(len(value))]
    raise ExpressionError(f"`keys` needs a map or a list, not {kind(value)}")


def values(value: Value) -> list[Value]:
    if isinstance(value, dict):
        return list(value.values())
    raise ExpressionError(f"`values` needs a map, not {kind(value)}")


def sort(value: Value) -> list[Value]:
    elements = _elements(value, "sort")
    strings = [element for element in elements if isinstance(element, str)]
    numbers = [element for element in elements if is_number(element)]
    if len(strings) == len(elements):
        return [*sorted(strings)]
    if len(numbers) == len(elements):
        return [*sorted(numbers)]
    kinds = " and ".join(dict.fromkeys(map(kind, elements)))
    raise ExpressionError(f"cannot sort a list of {kinds}", hint="all numbers, or all strings")


def unique(value: Value) -> list[Value]:
    first: dict[Hashable, Value] = {}
    for element in _elements(value, "unique"):
        first.setdefault(identity(element), element)
    return list(first.values())


def reverse(value: Value) -> list[Value]:
    return _elements(value, "reverse")[::-1]


def first(value: Value) -> Value:
    elements = _elements(value, "first")
    return elements[0] if elements else None


def last(value: Value) -> Value:
    elements = _elements(value, "last")
    return elements[-1] if elements else None


def flatten(value: Value, levels: Value = 1) -> list[Value]:
    elements = _elements(value, "flatten")
    if not isinstance(levels, int) or isinstance(levels, bool) or levels < 0:
        raise ExpressionError("`flatten` needs a number of levels, 0 or more")
    for _ in range(levels):
        if not any(isinstance(element, list) for element in elements):
            break  # the number may be large
        flat: list[Value] = []
        for element in elements:
            flat += element if isinstance(element, list) else [element]
        elements = flat
    return elements


_JSON_NAMES = {
    "list": "array",
    "map": "object",
    "str": "string",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "null": "null",
}


def type_of(value: Value) -> str:
    return _JSON_NAMES[kind(value)]


def split(value: Value, separator: Value) -> list[Value]:
    if not isinstance(value, str) or not isinstance(separator, str):
        raise ExpressionError(f"cannot split {kind(value)} by {kind(separator)}")
    if not separator:
        raise ExpressionError("`split` needs a separator that is not empty")
    return [*value.split(separator)]


def contains(value: Value, wanted: Value) -> bool:
    if isinstance(value, list):
        return any(equal(element, wanted) for element in value)
    if isinstance(value, dict):
        return isinstance(wanted, str) and wanted in value
    if isinstance(value, str) and isinstance(wanted, str):
        return wanted in value
    raise ExpressionError(f"{kind(value)} cannot contain {kind(wanted)}")


def to_int(value: Value) -> int:
    try:
        if isinstance(value, str):
            # A prefix gives the base, as in `-D`; without one `010` is ten.
            prefixed = value.strip().lstrip("+-")[:2].lower() in {"0x", "0o", "0b"}
            return int(value, 0 if prefixed else 10)
        if isinstance(value, (int, float)):
            return int(value)
    except (ValueError, OverflowError):
        raise ExpressionError(f"there is no int in {as_text(value)[:40]!r}") from None
    raise ExpressionError(f"there is no int in {kind(value)}")


def map_each(value: Value, function: Callable[[Value], Value]) -> Value:
    return [function(element) for element in _elements(value, "map")]


def select(value: Value, function: Callable[[Value], Value]) -> Value:
    return [element for element in _elements(value, "select") if truth(function(element))]


def group_by(value: Value, function: Callable[[Value], Value]) -> Value:
    groups: dict[Hashable, list[Value]] = {}
    for element in _elements(value, "group_by"):
        groups.setdefault(identity(function(element)), []).append(element)
    return [*groups.values()]


_CONVERSIONS: Mapping[str, Callable[[Value], Value]] = {
    "length": length,
    "len": length,
    "str": as_text,
    "int": to_int,
    "bool": truth,
}

CALLED: Mapping[str, Builtin] = {
    **{name: Builtin(function, 1, 1) for name, function in _CONVERSIONS.items()},
    "shell": Builtin(command.run, 1, 1, expands=True),
    "resolve": Builtin(lambda *arguments: None, 0, 2),  # evaluate.py asks the scope
}

PIPED: Mapping[str, Builtin] = {
    **{name: Builtin(function) for name, function in _CONVERSIONS.items()},
    "keys": Builtin(keys),
    "values": Builtin(values),
    "sort": Builtin(sort),
    "unique": Builtin(unique),
    "reverse": Builtin(reverse),
    "first": Builtin(first),
    "last": Builtin(last),
    "flatten": Builtin(flatten, 0, 1),
    "type": Builtin(type_of),
    "split": Builtin(split, 1, 1),
    "contains": Builtin(contains, 1, 1),
    "shell": Builtin(command.run_with_input, 1, 1, expands=True),
    "map": Builtin(map_each, 1, 1, per_element=True),
    "select": Builtin(select, 1, 1, per_element=True),
    "group_by": Builtin(group_by, 1, 1, per_element=True),
}


def called(name: str, at: int) -> Builtin:
    """What `name(...)` at offset `at` calls. Raises ExpressionError."""
    if name in CALLED:
        return CALLED[name]
    hint = f"write x | {name}" if name in PIPED else near_matches(name, CALLED)
    raise ExpressionError(f"there is no function `{name}`", at, hint)
