"""Reads a flow file's `package:` (section 5)."""

from dfm.errors import FlowError
from dfm.flow.declarations import Context, Package
from dfm.flow.document import Document, Where, describe
from dfm.flow.fields import Reader
from dfm.flow.fragments import add_fragments
from dfm.flow.language import PACKAGE
from dfm.flow.parse_contents import read_contents
from dfm.flow.parse_imports import parse_maps
from dfm.flow.parse_overrides import parse_map
from dfm.flow.parse_parameters import parse_parameters
from dfm.flow.parse_task import parse_tags
from dfm.graph.values import Value


def parse_package(reader: Reader, document: Document, *, inherited_by: str = "") -> Package:
    """The package of a document, with its fragments. Raises FlowError if there is none in it.

    With the name of a package that inherits it, what it declares is declared under that name.
    """
    where = Where(document, ("package",))
    fields = _fields(document, where)
    if "name" in fields:
        name = reader.name(where.at("name"), fields["name"])
    else:
        name = ""
        reader.problems.add(where, "a package needs a `name`")
    context = Context(name, document.directory)
    if inherited_by:
        context = Context(inherited_by, document.directory, base=name)
        name = inherited_by
    package = Package(name, where, context)
    reader.only_known(where, fields, PACKAGE, "a package")
    for key in ("desc", "doc"):
        if key in fields:
            setattr(package, key, reader.text(where.at(key), fields[key]))
    package.params = parse_parameters(reader, where.at("with"), fields.get("with"), context)
    if "uses" in fields:
        package.uses = reader.name(where.at("uses"), fields["uses"])
    for parameter in package.params.values():
        if parameter.kind is None and not package.uses:
            reader.problems.add(
                parameter.where.key(), f"the package variable `{parameter.name}` needs a `type`",
                hint="write {type: str, value: ...}",
            )  # fmt: skip
            parameter.kind = "list" if parameter.changes_list else "str"
    if "tags" in fields:
        package.tags = parse_tags(reader, where.at("tags"), fields["tags"])
    package.overrides = parse_map(reader, where.at("overrides"), fields.get("overrides"), package)
    package.maps = parse_maps(reader, where.at("package-map"), fields.get("package-map"), context)
    add_fragments(reader, package, read_contents(reader, where, fields, package, context))
    return package


def _fields(document: Document, where: Where) -> dict[str, Value]:
    root = document.data
    if not isinstance(root, dict):
        raise FlowError(f"not a flow file: it is {describe(root)}", place=document.place(()))
    if "package" not in root:
        what = "a fragment is no flow to start from" if "fragment" in root else "not a flow file"
        raise FlowError(f"{what}: there is no `package:` in it", place=document.place(()))
    fields = root["package"]
    if not isinstance(fields, dict):
        raise FlowError(f"`package` must be a map, not {describe(fields)}", place=where.place())
    return fields
