"""The values of the language, which are JSON's: their kinds, truth, equality and text."""

from collections.abc import Hashable
from typing import TypeGuard

from dfm.flow.expressions.errors import ExpressionError
from dfm.graph.values import Value


def kind(value: Value) -> str:
    """The kind by the name that a parameter's `type` gives it, for messages."""
    if value is None:
        return "null"
    for type_ in (bool, int, float, str, list):  # bool first: Python takes it for an int
        if isinstance(value, type_):
            return type_.__name__
    return "map"


def truth(value: Value) -> bool:
    """False for `false`, `null`, 0, "", [] and {}."""
    return bool(value)


def is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_text(value: Value) -> str:
    """How a value is written inside text: strings raw, everything else as JSON.

    Raises ExpressionError for a value that has no JSON text: one that holds itself.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _digits(value)
    import json  # 2 ms, which a flow without lists in its texts should not cost

    try:
        # Letters stay as they are: the text goes into scripts and file names.
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        raise ExpressionError(f"this {kind(value)} cannot be written as text") from None


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python's limit of decimal digits; a hexadecimal number of YAML has none
        raise ExpressionError("the number is too long to be written as text") from None


def equal(left: Value, right: Value) -> bool:
    """JSON's equality: `1 == 1.0`, and `true` is not 1, at any depth."""
    return left == right and identity(left) == identity(right)


def identity(value: Value) -> Hashable:
    """Something hashable that is the same for equal values only."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, list):
        return list, tuple(map(identity, value))
    if isinstance(value, dict):
        return dict, frozenset((key, identity(element)) for key, element in value.items())
    return value
