"""Reads what a package, a fragment and a configuration may declare: tasks (section 10), types (9),
configurations (22), and the lists of more files."""

from dfm.flow.declarations import Configuration, Context, Extension, Listed, Package, Type
from dfm.flow.document import Where
from dfm.flow.fields import Reader
from dfm.flow.language import CONFIGURATION, EXTENSION, TYPE
from dfm.flow.parse_imports import parse_imports
from dfm.flow.parse_overrides import parse_list
from dfm.flow.parse_parameters import parse_parameters
from dfm.flow.parse_task import parse_tags, parse_task, twice
from dfm.graph.values import Value

_CONTENTS = ("tasks", "types", "imports", "fragments", "overrides")


def read_contents(
    reader: Reader, where: Where, fields: dict[str, Value], package: Package, context: Context
) -> list[Listed]:
    """What a package and a fragment of it may both declare; returns the fragments they list."""
    _read_types(reader, where.at("types"), fields.get("types"), package, context)
    _read_tasks(reader, where.at("tasks"), fields.get("tasks"), package, context)
    if "filters" in fields:
        from dfm.flow.parse_filters import read_filters  # few flows have any

        read_filters(reader, where.at("filters"), fields["filters"], package, context)
    _read_configurations(reader, where.at("configs"), fields.get("configs"), package, context)
    package.imports += parse_imports(reader, where.at("imports"), fields.get("imports"), context)
    return listed(reader, where.at("fragments"), fields.get("fragments"), context)


def listed(reader: Reader, where: Where, value: Value, context: Context) -> list[Listed]:
    """A list of paths."""
    paths = reader.texts(where, value)
    return [
        Listed(path, where.at(number), context.srcdir) for number, path in enumerate(paths) if path
    ]


def _read_tasks(
    reader: Reader, where: Where, value: Value, package: Package, context: Context
) -> None:
    prefix = context.fragment or package.name
    for place, fields in reader.list_of_maps(where, value):
        task = parse_task(reader, place, fields, context, prefix=prefix)
        if task is None:
            continue
        if task.mentions:
            package.replacing.append(task)
            continue
        if task.name in package.tasks:
            twice(reader, task, package.tasks[task.name])
        package.tasks[task.name] = task


def _read_types(
    reader: Reader, where: Where, value: Value, package: Package, context: Context
) -> None:
    prefix = context.fragment or package.name
    for place, fields in reader.list_of_maps(where, value):
        short = reader.name(place.at("name"), fields.get("name"))
        if not short:
            continue
        reader.ignore_unknown(place, fields, TYPE, "a type")
        name = f"{prefix}.{short}"
        kind = Type(name, place, context)
        if "uses" in fields:
            kind.uses = reader.text(place.at("uses"), fields["uses"])
        kind.doc = str(fields.get("doc") or fields.get("desc") or "")
        if "check" in fields:
            kind.check = reader.text(place.at("check"), fields["check"])
        if "tags" in fields:
            kind.tags = parse_tags(reader, place.at("tags"), fields["tags"])
        kind.params = parse_parameters(reader, place.at("with"), fields.get("with"), context)
        if name in package.types:
            reader.problems.add(
                place.at("name"), f"type `{name}` is declared twice",
                hint=f"first at {package.types[name].where.at('name').place()}",
            )  # fmt: skip
        package.types[name] = kind


def _read_configurations(
    reader: Reader, where: Where, value: Value, package: Package, context: Context
) -> None:
    prefix = f"{context.fragment.removeprefix(package.name + '.')}." if context.fragment else ""
    for place, fields in reader.list_of_maps(where, value):
        short = reader.name(place.at("name"), fields.get("name"))
        if not short:
            continue
        name = prefix + short
        reader.ignore_unknown(place, fields, CONFIGURATION, "a configuration")
        made = Configuration(name, place, context)
        made.desc = str(fields.get("desc") or "")
        if "uses" in fields:
            made.uses = reader.text(place.at("uses"), fields["uses"])
        made.params = parse_parameters(reader, place.at("with"), fields.get("with"), context)
        made.extensions = [
            _extension(reader, extension_place, extension, context)
            for extension_place, extension in reader.list_of_maps(
                place.at("extensions"), fields.get("extensions")
            )
        ]
        more = {key: value for key, value in fields.items() if key != "configs"}
        if not more.keys().isdisjoint(_CONTENTS):
            made.contents = Package(package.name, place, context)
            made.fragments = read_contents(reader, place, more, made.contents, context)
            made.contents.overrides = parse_list(
                reader, place.at("overrides"), fields.get("overrides"), made.contents, context
            )
        if name in package.configurations:
            first = package.configurations[name].where.at("name").place()
            reader.problems.add(
                place.at("name"), f"configuration `{name}` is declared twice",
                hint=f"first at {first}",
            )  # fmt: skip
        package.configurations[name] = made


def _extension(
    reader: Reader, where: Where, fields: dict[str, Value], context: Context
) -> Extension:
    reader.ignore_unknown(where, fields, EXTENSION, "an extension")
    return Extension(
        reader.name(where.at("task"), fields.get("task")),
        where,
        reader.references(where.at("needs"), fields.get("needs")),
        parse_parameters(reader, where.at("with"), fields.get("with"), context),
    )
