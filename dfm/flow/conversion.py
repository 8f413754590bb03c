"""From the value that a flow or a command line gives to the value that a parameter has (13.2)."""

import re
from collections.abc import Sequence

from dfm.flow.declarations import Kind
from dfm.flow.document import describe
from dfm.flow.expressions import as_text
from dfm.graph.values import Value

_TRUE = frozenset({"1", "true", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "off", ""})


class Unfit(Exception):
    """A value that a parameter of this type cannot have; says what was met."""


def convert(value: Value, kind: Kind) -> Value:
    """A value of a flow file. Raises Unfit."""
    match kind:
        case "str":
            return value if isinstance(value, str) or value is None else as_text(value)
        case "list":
            if isinstance(value, dict):
                raise Unfit(f"must be a list, not {describe(value)}")
        case "map":
            if isinstance(value, list):
                raise Unfit(f"must be a map, not {describe(value)}")
        case "int" | "float" if isinstance(value, str):
            return _number(value, kind)
        case "bool" if isinstance(value, str):
            return _truth(value)
    return value


def from_text(text: str, kind: Kind) -> Value:
    """A value of the command line (14.1). Raises Unfit."""
    match kind:
        case "int" | "float":
            return _number(text, kind)
        case "bool":
            return text.lower() in _TRUE
        case "list":
            if text.lstrip().startswith("["):
                return convert(_parsed(text), kind)
            return list[Value](text.split(","))
        case "map":
            value = _parsed(text)
            if not isinstance(value, dict):
                raise Unfit(f"must be a map, not {describe(value)}")
            return value
        case _:
            return text


def is_accepted(value: Value, accepted: Sequence[Value]) -> bool:
    """Whether a value is in a set, which may be written in another type: `values: [1, 2]` of a str."""
    return value in accepted or as_text(value) in map(as_text, accepted)


def _number(text: str, kind: Kind) -> Value:
    stripped = text.strip()
    try:
        if kind == "float":
            return float(stripped)
        if re.fullmatch(r"[+-]?0\d+", stripped):  # Python takes no leading zeros, people write them
            return int(stripped, 10)
        return int(stripped, 0)
    except ValueError:
        what = "an integer" if kind == "int" else "a number"
        raise Unfit(f"must be {what}, not {describe(text)}") from None


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Unfit(f"must be true or false, not {describe(text)}")


def _parsed(text: str) -> Value:
    """YAML, of which JSON is a part."""
    from dfm.errors import FlowError
    from dfm.flow.yaml_reader import read

    try:
        return read(text, "")
    except FlowError as error:
        raise Unfit(error.problems[0].what) from None
