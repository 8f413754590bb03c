"""Reads a flow file's `package:` (section 5), its types (9) and configurations (22)."""

from dfm.errors import FlowError
from dfm.flow.declarations import Configuration, Context, Extension, Package, Type
from dfm.flow.document import Document, Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import CONFIGURATION, EXTENSION, PACKAGE, TYPE
from dfm.flow.parse_parameters import parse_parameters
from dfm.flow.parse_task import parse_tags, parse_task, twice
from dfm.graph.values import Value

_PACKAGE_LATER = {
    "filters": 15, "imports": 7, "package-map": 7, "fragments": 6, "overrides": 22, "uses": 23,
}  # fmt: skip
_CONFIGURATION_LATER = {"imports": 22, "fragments": 22, "types": 22, "tasks": 22, "overrides": 22}


def parse_package(reader: Reader, document: Document) -> Package:
    """The package of a document. Raises FlowError if there is none in it."""
    where = Where(document, ("package",))
    fields = _fields(document, where)
    if "name" in fields:
        name = reader.name(where.at("name"), fields["name"])
    else:
        name = ""
        reader.problems.add(where, "a package needs a `name`")
    context = Context(name, document.directory)
    package = Package(name, where, context)
    reader.only_known(where, fields, PACKAGE, "a package", later=_PACKAGE_LATER)
    for key in ("desc", "doc"):
        if key in fields:
            setattr(package, key, reader.text(where.at(key), fields[key]))
    package.params = parse_parameters(reader, where.at("with"), fields.get("with"), context)
    for parameter in package.params.values():
        if parameter.kind is None:
            reader.problems.add(
                parameter.where.key(), f"the package variable `{parameter.name}` needs a `type`",
                hint="write {type: str, value: ...}",
            )  # fmt: skip
            parameter.kind = "list" if parameter.changes_list else "str"
    if "tags" in fields:
        package.tags = parse_tags(reader, where.at("tags"), fields["tags"])
    _read_types(reader, where.at("types"), fields.get("types"), package)
    _read_tasks(reader, where.at("tasks"), fields.get("tasks"), package)
    _read_configurations(reader, where.at("configs"), fields.get("configs"), package)
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


def _read_tasks(reader: Reader, where: Where, value: Value, package: Package) -> None:
    for place, fields in reader.list_of_maps(where, value):
        task = parse_task(reader, place, fields, package.context, prefix=package.name)
        if task is None:
            continue
        if task.name in package.tasks:
            twice(reader, task, package.tasks[task.name])
        package.tasks[task.name] = task


def _read_types(reader: Reader, where: Where, value: Value, package: Package) -> None:
    for place, fields in reader.list_of_maps(where, value):
        short = reader.name(place.at("name"), fields.get("name"))
        if not short:
            continue
        reader.ignore_unknown(place, fields, TYPE, "a type")
        name = f"{package.name}.{short}"
        kind = Type(name, place, package.context)
        if "uses" in fields:
            kind.uses = reader.text(place.at("uses"), fields["uses"])
        kind.doc = str(fields.get("doc") or fields.get("desc") or "")
        if "check" in fields:
            kind.check = reader.text(place.at("check"), fields["check"])
        if "tags" in fields:
            kind.tags = parse_tags(reader, place.at("tags"), fields["tags"])
        kind.params = parse_parameters(
            reader, place.at("with"), fields.get("with"), package.context
        )
        if name in package.types:
            reader.problems.add(
                place.at("name"), f"type `{name}` is declared twice",
                hint=f"first at {package.types[name].where.at('name').place()}",
            )  # fmt: skip
        package.types[name] = kind


def _read_configurations(reader: Reader, where: Where, value: Value, package: Package) -> None:
    for place, fields in reader.list_of_maps(where, value):
        name = reader.name(place.at("name"), fields.get("name"))
        if not name:
            continue
        reader.ignore_unknown(
            place, fields, CONFIGURATION, "a configuration", later=_CONFIGURATION_LATER
        )
        made = Configuration(name, place)
        made.desc = str(fields.get("desc") or "")
        if "uses" in fields:
            made.uses = reader.text(place.at("uses"), fields["uses"])
        made.params = parse_parameters(
            reader, place.at("with"), fields.get("with"), package.context
        )
        made.extensions = [
            _extension(reader, extension_place, extension, package)
            for extension_place, extension in reader.list_of_maps(
                place.at("extensions"), fields.get("extensions")
            )
        ]
        if name in package.configurations:
            first = package.configurations[name].where.at("name").place()
            reader.problems.add(
                place.at("name"), f"configuration `{name}` is declared twice",
                hint=f"first at {first}",
            )  # fmt: skip
        package.configurations[name] = made


def _extension(
    reader: Reader, where: Where, fields: dict[str, Value], package: Package
) -> Extension:
    reader.ignore_unknown(where, fields, EXTENSION, "an extension")
    return Extension(
        reader.name(where.at("task"), fields.get("task")),
        where,
        reader.references(where.at("needs"), fields.get("needs")),
        parse_parameters(reader, where.at("with"), fields.get("with"), package.context),
    )
