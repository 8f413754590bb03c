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
    takes: str = ""  # the arguments, for people
    help: str = ""


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


_LENGTH = "elements of a list or map, characters of a text; 0 for null"
_CONVERSIONS: Mapping[str, tuple[Callable[[Value], Value], str]] = {
    "length": (length, _LENGTH),
    "len": (length, _LENGTH),
    "str": (as_text, "as text; lists and maps as JSON"),
    "int": (to_int, "the integer that a text or number says; 0x20, 0o7 and 0b1 too"),
    "bool": (truth, "false for false, null, 0 and what is empty; else true"),
}
_SHELL = "what the command prints, stripped; run when the graph is built"

CALLED: Mapping[str, Builtin] = {
    **{
        name: Builtin(function, 1, 1, takes="X", help=help)
        for name, (function, help) in _CONVERSIONS.items()
    },
    "shell": Builtin(command.run, 1, 1, expands=True, takes="COMMAND", help=_SHELL),
    "resolve": Builtin(  # evaluate.py asks the scope
        lambda *arguments: None, 0, 2, takes="[NAME,] [DEFAULT]",
        help="what `let` or a package along `uses` says of the name, else the default",
    ),
}  # fmt: skip

PIPED: Mapping[str, Builtin] = {
    **{name: Builtin(function, help=help) for name, (function, help) in _CONVERSIONS.items()},
    "keys": Builtin(keys, help="sorted keys of a map; indexes of a list"),
    "values": Builtin(values, help="values of a map, as `x[]`"),
    "sort": Builtin(sort, help="a list of numbers, or of texts, in order"),
    "unique": Builtin(unique, help="each element once, in the order of first occurrence"),
    "reverse": Builtin(reverse, help="the list from its end"),
    "first": Builtin(first, help="the first element; null of an empty list"),
    "last": Builtin(last, help="the last element; null of an empty list"),
    "flatten": Builtin(
        flatten, 0, 1, takes="[LEVELS]", help="lists in the list taken apart; one level"
    ),
    "type": Builtin(type_of, help="array, object, string, number, boolean or null"),
    "split": Builtin(split, 1, 1, takes="SEPARATOR", help="the parts of a text"),
    "contains": Builtin(
        contains, 1, 1, takes="X", help="whether X is an element, a part of a text, or a key"
    ),
    "shell": Builtin(
        command.run_with_input, 1, 1, expands=True, takes="COMMAND",
        help=f"{_SHELL}; the value is its input",
    ),
    "map": Builtin(
        map_each, 1, 1, per_element=True, takes="E", help="E for each element, which E calls `input` or `item`"
    ),
    "select": Builtin(
        select, 1, 1, per_element=True, takes="E", help="the elements for which E is true"
    ),
    "group_by": Builtin(
        group_by, 1, 1, per_element=True, takes="E", help="a list of lists: elements with an equal E together"
    ),
}  # fmt: skip


def called(name: str, at: int) -> Builtin:
    """What `name(...)` at offset `at` calls. Raises ExpressionError."""
    if name in CALLED:
        return CALLED[name]
    hint = f"write x | {name}" if name in PIPED else near_matches(name, CALLED)
    raise ExpressionError(f"there is no function `{name}`", at, hint)
