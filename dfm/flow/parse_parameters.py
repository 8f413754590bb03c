"""Reads `with:` of packages, tasks and types (section 13.1)."""

from dfm.flow.declarations import KINDS, MISSING, Cli, Context, Parameter
from dfm.flow.document import Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import ACCEPTED, CLI, PARAMETER
from dfm.flow.problems import did_you_mean
from dfm.graph.values import Value

_PARTS = {
    "append": "append",
    "prepend": "prepend",
    "path-append": "path_append",
    "path-prepend": "path_prepend",
}


def parse_parameters(
    reader: Reader, where: Where, value: Value, context: Context
) -> dict[str, Parameter]:
    """All of a `with:`."""
    fields = reader.mapping(where, value)
    return {name: _parse(reader, where, name, fields[name], context) for name in fields}


def _parse(reader: Reader, around: Where, name: str, value: Value, context: Context) -> Parameter:
    where = around.at(name)
    if not isinstance(value, dict) or PARAMETER.keys().isdisjoint(value):
        return Parameter(name, where, context, value=value)
    parameter = Parameter(name, where, context)
    for key, given in value.items():
        match key:
            case "type":
                parameter.kind = _kind(reader, where.at(key), given)
            case "value":
                parameter.value = given
            case "doc" | "desc":
                parameter.doc = parameter.doc or reader.text(where.at(key), given)
            case "values":
                _read_accepted(reader, where.at(key), given, parameter)
            case "cli":
                parameter.says_cli = True
                parameter.cli = _cli(reader, where.at(key), given)
            case _ if key in _PARTS:
                setattr(parameter, _PARTS[key], given)
            case _:
                reader.problems.warn(
                    where.at(key).key(), f"a parameter has no `{key}`; it is ignored",
                    hint=did_you_mean(key, PARAMETER),
                )  # fmt: skip
    return parameter


def _kind(reader: Reader, where: Where, value: Value) -> str:
    """`int`, or `{list: {item: T}}` and `{map: {key: K, val: V}}`, whose element types are prose."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("list", "map"):
        return next(iter(value))
    if isinstance(value, str) and value in KINDS:
        return value
    what = f"`{value}`" if isinstance(value, str) else describe(value)
    reader.problems.add(
        where, f"{what} is no type of a parameter", hint=did_you_mean(str(value), KINDS)
    )
    return "str"


def _cli(reader: Reader, where: Where, value: Value) -> Cli | None:
    if isinstance(value, bool):
        return Cli() if value else None
    fields = reader.mapping(where, value)
    reader.ignore_unknown(where, fields, CLI, "`cli`")
    texts = {key: reader.text(where.at(key), fields[key]) for key in ("name", "short")
             if key in fields}  # fmt: skip
    short = texts.get("short", "").lstrip("-")
    if len(short) > 1:
        reader.problems.add(where.at("short"), "`short` is one letter")
    hidden = reader.flag(where.at("hidden"), fields["hidden"]) if "hidden" in fields else False
    return Cli(texts.get("name", "").lstrip("-"), short[:1], hidden)


def _read_accepted(reader: Reader, where: Where, value: Value, parameter: Parameter) -> None:
    if isinstance(value, dict):
        reader.ignore_unknown(where, value, ACCEPTED, "`values`")
        parameter.accepts_others = bool(value.get("open", False))
        value = value.get("of", MISSING)
    if not isinstance(value, list):
        reader.problems.add(where, "`values` must be a list, or a map with `of`")
        return
    parameter.accepted = [
        element["value"] if isinstance(element, dict) and "value" in element else element
        for element in value
    ]
