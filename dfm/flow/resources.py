"""The fields of a `std.ResourceTag`, from what a flow file says to a Request (spec, section 3)."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dfm.config.quantities import parse_memory_mib, parse_walltime_s
from dfm.flow.declarations import TagUse
from dfm.flow.document import Where, describe
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import as_text
from dfm.flow.world import Scope
from dfm.graph.resources import Request, Tokens
from dfm.graph.values import Value

_MOST = 2**31 - 1


def request_of(evaluation: Evaluation, name: str, tag: TagUse, scope: Scope) -> Request:
    """What the tag's use says; the defaults of its type count as not said, and so does nothing at all.

    Raises BadValue for an expression; a value that does not fit is said and left out.
    """
    found: dict[str, Any] = {}
    for field, value in tag.fields.items():
        where = tag.where.at(tag.type, field)
        made = evaluation.value(value, scope, where, f"tag of {name}")
        if made is None or made == "" or field not in _FIELDS:
            continue
        target, convert = _FIELDS[field]
        try:
            found[target] = convert(made)
        except _Unfit as unfit:
            where, made = where.at(*unfit.path), unfit.value
            what = f"`{field}` of {name} must be {unfit}, not {describe(made)}"
            evaluation.problems.add(where, what)
    return Request(**found)


def place_of(tag: TagUse, field: str) -> Where:
    """Where a field of the tag is named; the tag itself if it is not."""
    return tag.where.at(tag.type, field).key() if field in tag.fields else tag.where


class _Unfit(Exception):
    """Words that complete "must be ..."; `path` leads to the value inside of the field."""

    def __init__(self, wanted: str, value: Value, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(wanted)
        self.value = value
        self.path = path


def _cores(value: Value) -> int:
    return _whole(value, "a number of cores, 1 or more", least=1)


def _priority(value: Value) -> int:
    return _whole(value, "a whole number", least=-_MOST)


def _whole(value: Value, wanted: str, *, least: int) -> int:
    number = value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,12}", value.strip()):
        number = int(value)
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        raise _Unfit(wanted, value)
    if number > _MOST:
        raise _Unfit(f"at most {_MOST}", value)
    return number


def _memory(value: Value) -> int:
    return _quantity(value, parse_memory_mib)


def _walltime(value: Value) -> int:
    return _quantity(value, parse_walltime_s)


def _quantity(value: Value, parse: Callable[[str], int]) -> int:
    try:
        number = parse(str(value))  # YAML reads 1:30 as 90
    except ValueError as error:
        raise _Unfit(str(error), value) from None
    if not number:
        raise _Unfit("more than 0", value)
    return number


def _line(value: Value) -> str:
    if isinstance(value, bool | list | dict):
        raise _Unfit("text", value)
    text = as_text(value)
    if not text.isprintable():  # no scheduler's command takes such an argument
        raise _Unfit("one line of text without control characters", value)
    return text


def _limits(value: Value) -> Tokens:
    """Counts by name, sorted, so that equal ones are equal; what a task needs none of is left out."""
    counts: dict[str, int] = {}
    for name, count in _counts(value):
        counts[name] = counts.get(name, 0) + count
    return tuple(sorted((name, count) for name, count in counts.items() if count))


def _counts(value: Value) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for name, count in value.items():
            try:
                yield name, _whole(count, "counts of 0 or more", least=0)
            except _Unfit as unfit:
                raise _Unfit(str(unfit), count, (name,)) from None
    elif isinstance(value, list):
        for number, element in enumerate(value):
            if not isinstance(element, str) or not element:
                raise _Unfit("a list of names of limits", element, (number,))
            yield element, 1
    else:
        raise _Unfit("a map of limits to counts, or a list of limits", value)


_FIELDS: Mapping[str, tuple[str, Callable[[Value], object]]] = {
    "cores": ("cores", _cores),
    "memory": ("memory_mib", _memory),
    "queue": ("queue", _line),
    "walltime": ("walltime_s", _walltime),
    "resource_class": ("resource_class", _line),
    "limits": ("limits", _limits),
    "priority": ("priority", _priority),
}
