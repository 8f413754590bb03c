"""Reads `imports:` and `package-map:` (section 7)."""

from dfm.flow.declarations import Context, Import, Listed
from dfm.flow.document import Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import IMPORT
from dfm.flow.parse_parameters import parse_parameters
from dfm.graph.values import Value


def parse_imports(reader: Reader, where: Where, value: Value, context: Context) -> list[Import]:
    """All of an `imports:`."""
    if value is None:
        return []
    if not isinstance(value, list):
        reader.problems.add(where, f"`imports` must be a list, not {describe(value)}")
        return []
    found = [_parse(reader, where.at(number), one, context) for number, one in enumerate(value)]
    return [one for one in found if one is not None]


def _parse(reader: Reader, where: Where, value: Value, context: Context) -> Import | None:
    if isinstance(value, str) and value.strip():
        return Import(value, where, context)
    if not isinstance(value, dict):
        what = f"an import is a name, a path, or a map, not {describe(value)}"
        reader.problems.add(where, what)
        return None
    reader.ignore_unknown(where, value, IMPORT, "an import")
    made = Import("", where, context)
    for key, attribute in (("name", "name"), ("from", "path"), ("as", "alias"), ("config", "configuration")):  # fmt: skip
        if key in value:
            setattr(made, attribute, reader.name(where.at(key), value[key]))
    made.params = parse_parameters(reader, where.at("with"), value.get("with"), context)
    if "name" not in value and "from" not in value:
        reader.problems.add(where, "an import needs a `name`, a `from`, or both")
    return made if made.name or made.path else None


def parse_maps(reader: Reader, where: Where, value: Value, context: Context) -> list[Listed]:
    """`package-map:` of a package, a path or a list of them."""
    if isinstance(value, str):
        return [Listed(value, where, context.srcdir)]
    paths = reader.texts(where, value)
    return [
        Listed(path, where.at(number), context.srcdir) for number, path in enumerate(paths) if path
    ]
