"""Reads `overrides:` of packages and of configurations (section 22.3)."""

from dfm.flow.declarations import Context, Override, Package
from dfm.flow.document import Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import NAMES, REPLACEMENT
from dfm.flow.parse_task import parse_task
from dfm.graph.values import Value


def parse_map(reader: Reader, where: Where, value: Value, package: Package) -> list[Override]:
    """Of a package: a map of tasks to what replaces them."""
    found = []
    for target, given in reader.mapping(where, value).items():
        one = Override(target, where.at(target), package.context)
        _read_replacement(reader, one, where.at(target), given, package, "_override")
        found.append(one)
    return found


def parse_list(
    reader: Reader, where: Where, value: Value, package: Package, context: Context
) -> list[Override]:
    """Of a configuration: a list of {task, with} or {package, with}."""
    found = []
    for place, fields in reader.list_of_maps(where, value):
        reader.ignore_unknown(place, fields, REPLACEMENT, "an override")
        named = [key for key in ("task", "override", "package") if key in fields]
        if len(named) != 1 or "with" not in fields:
            reader.problems.add(place, "an override has `task` or `package`, and `with`")
            continue
        key = named[0]
        target = reader.name(place.at(key), fields[key])
        one = Override(target, place.at(key), context, is_package=key == "package")
        if one.is_package:
            one.replacement = reader.name(place.at("with"), fields["with"])
        else:
            _read_replacement(
                reader, one, place.at("with"), fields["with"], package, "_cfg_override"
            )
        found.append(one)
    return found


def _read_replacement(
    reader: Reader, one: Override, where: Where, value: Value, package: Package, name: str
) -> None:
    """The name of a task, or one that is written here and gets a name in the package."""
    if isinstance(value, str):
        one.replacement = reader.name(where, value)
    elif isinstance(value, dict):
        for key in value.keys() & NAMES.keys():
            what = f"a task that is written in place of another has no `{key}`"
            reader.problems.add(where.at(key).key(), what)
        number = 0
        while f"{package.name}.{name}_{number}" in package.tasks:
            number += 1
        fields = {key: given for key, given in value.items() if key not in NAMES}
        task = parse_task(
            reader, where, {**fields, "name": f"{name}_{number}"}, one.context, prefix=package.name
        )
        if task is not None:
            one.inline = package.tasks[task.name] = task
    else:
        what = f"a task is replaced by the name of another, or by a map, not {describe(value)}"
        reader.problems.add(where, what)
