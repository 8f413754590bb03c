"""One field's value from a node of a file or from the command line, or why it does not fit."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dfm.config.fields import Field, Kind, Value
from dfm.config.quantities import (
    parse_bytes,
    parse_memory_mib,
    parse_ports,
    parse_walltime_s,
)

if TYPE_CHECKING:
    from dfm.config.reading import Node  # it would load the YAML library

MOST = 2**31 - 1  # of an INTEGER
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_QUANTITIES: Mapping[Kind, tuple[Callable[[str], int], str]] = {
    Kind.MEMORY: (parse_memory_mib, "MiB"),
    Kind.SIZE: (parse_bytes, "bytes"),
    Kind.WALLTIME: (parse_walltime_s, "seconds"),
}
_WRITTEN = ("text", "integer", "number")
_SHAPES = {
    Kind.TEXT: ("text",),
    Kind.TEXTS: ("text",),
    Kind.INTEGER: ("integer",),
    Kind.BOOLEAN: ("boolean",),
    **dict.fromkeys((*_QUANTITIES, Kind.PORTS), _WRITTEN),
}


class Unfit(ValueError):
    """Words that complete "`key` must be ..."; `hint` says how to write it."""

    def __init__(self, wanted: str, hint: str = "") -> None:
        super().__init__(wanted)
        self.hint = hint


def from_node(field: Field, node: "Node") -> Value:
    """A scalar's value; of a list field, one element's. Raises Unfit."""
    if node.shape not in _SHAPES[field.kind]:
        raise _misshapen(field.kind, node)
    try:
        if field.kind is Kind.INTEGER:
            return _bounded(field, node.integer(), "")
        if field.kind is Kind.BOOLEAN:
            return node.boolean()
    except Unfit:
        raise
    except ValueError as error:
        raise Unfit(_wanted(field.kind)) from error
    # As written, not as YAML reads it: 1:30 without quotes is the number 90 there.
    return from_text(field, node.text)


def from_text(field: Field, text: str) -> Value:
    """The same, as `--runner-opt` has it. Raises Unfit."""
    match field.kind:
        case Kind.TEXT | Kind.TEXTS:
            return _line(field, text)
        case Kind.BOOLEAN:
            if text.lower() not in _BOOLEANS:
                raise Unfit(_wanted(field.kind))
            return _BOOLEANS[text.lower()]
        case Kind.WALLTIME if not text and not field.minimum:
            return 0
    try:
        if field.kind is Kind.PORTS:
            return parse_ports(text)
        parse, unit = _QUANTITIES.get(field.kind, (int, ""))
        number = parse(text)
    except ValueError as error:
        wanted = _wanted(field.kind) if field.kind is Kind.INTEGER else str(error)
        raise Unfit(wanted) from error
    return _bounded(field, number, unit)


def _line(field: Field, text: str) -> str:
    if len(text) < field.minimum:
        raise Unfit(f"text of {field.minimum} or more characters")
    if (
        not text.isprintable()
    ):  # no scheduler's command takes such an argument, none can carry a NUL
        raise Unfit("one line of text without control characters")
    return text


def _bounded(field: Field, number: int, unit: str) -> int:
    most = MOST if field.kind is Kind.INTEGER else number
    if field.minimum <= number <= most:
        return number
    bound = f"at least {field.minimum}" if number < field.minimum else f"at most {most}"
    raise Unfit(f"{bound} {unit}".rstrip())


def _misshapen(kind: Kind, node: "Node") -> Unfit:
    hint = ""
    if kind in (Kind.TEXT, Kind.TEXTS) and node.shape in ("integer", "number", "boolean"):
        hint = "write it in quotes"
    elif kind is Kind.TEXT and node.shape == "nothing":
        hint = 'leave the line out, or write ""'
    elif kind in (Kind.INTEGER, Kind.BOOLEAN) and node.shape == "text":
        hint = "write it without quotes" if _reads_as(kind, node.text) else ""
    return Unfit(_wanted(kind), hint)


def _reads_as(kind: Kind, text: str) -> bool:
    return text.lower() in _BOOLEANS if kind is Kind.BOOLEAN else text.isdecimal()


def _wanted(kind: Kind) -> str:
    return "text" if kind is Kind.TEXTS else kind.words
