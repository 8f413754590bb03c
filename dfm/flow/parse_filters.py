"""Reads `filters:` of a package or fragment (section 15.6)."""

from dfm.flow.declarations import Context, Filter, Package
from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError, parse, template
from dfm.flow.fields import Reader
from dfm.flow.language import FILTER, FILTER_SHELLS, SCOPED_NAMES
from dfm.flow.parse_parameters import parse_parameters
from dfm.flow.templates import report
from dfm.graph.values import Value


def read_filters(
    reader: Reader, where: Where, value: Value, package: Package, context: Context
) -> None:
    """Adds them to the package; no two of one name."""
    for place, fields in reader.list_of_maps(where, value):
        made = _filter(reader, place, fields, context)
        if made is None:
            continue
        if made.name in package.filters:
            reader.problems.add(
                place, f"filter `{made.name}` is declared twice",
                hint=f"first at {package.filters[made.name].where.place()}",
            )  # fmt: skip
        package.filters[made.name] = made


def _filter(
    reader: Reader, where: Where, fields: dict[str, Value], context: Context
) -> Filter | None:
    named = [key for key in SCOPED_NAMES if key in fields]
    if len(named) != 1:
        reader.problems.add(
            where, "a filter has one name: one of `name`, `root`, `export`, `local`"
        )
        return None
    key = named[0]
    short = reader.name(where.at(key), fields[key])
    reader.only_known(where, fields, {*FILTER, *SCOPED_NAMES}, "a filter")
    scopes = {key} & {"root", "export", "local"} | _scopes(reader, where, fields)
    prefix = context.fragment or context.package
    made = Filter(f"{prefix}.{short}", where, context, frozenset(scopes))
    made.params = parse_parameters(reader, where.at("with"), fields.get("with"), context)
    for prose in ("desc", "doc"):
        if prose in fields:
            reader.text(where.at(prose), fields[prose])
    if ("expr" in fields) == ("run" in fields):
        reader.problems.add(where, f"filter `{short}` needs one of `expr` and `run`")
    elif "expr" in fields:
        made.expr = reader.text(where.at("expr"), fields["expr"])
        _check(reader, where.at("expr"), made)
    else:
        made.run = reader.text(where.at("run"), fields["run"])
    if "shell" in fields:
        word = reader.one_of(where.at("shell"), fields["shell"], FILTER_SHELLS)
        made.shell = FILTER_SHELLS.get(word, "bash")
    return made if short else None


def _scopes(reader: Reader, where: Where, fields: dict[str, Value]) -> set[str]:
    value = fields.get("scope")
    return {value} if isinstance(value, str) else {*reader.texts(where.at("scope"), value)}


def _check(reader: Reader, where: Where, made: Filter) -> None:
    try:
        made.expression = template(made.expr) or parse(made.expr)
    except ExpressionError as error:
        report(error, where, made.expr, reader.problems, f"filter {made.name}")
