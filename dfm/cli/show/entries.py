"""What is said of a task, type or package, as JSON. Scripts read it: a name here never changes."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from dfm.flow.catalog import Catalog
from dfm.flow.declarations import MISSING, Package, TagUse, Task, Type
from dfm.flow.shapes import Merged
from dfm.graph.values import Value

Entry: TypeAlias = dict[str, Any]
_SCOPES = ("root", "export", "local")


def task_entry(catalog: Catalog, task: Task) -> Entry:
    return {
        "name": task.name,
        "short_name": task.short,
        "package": task.context.package,
        "desc": catalog.desc(task),
        "doc": catalog.doc(task),
        "uses": catalog.uses(task),
        "scope": scopes(task),
        "tags": tags(catalog, task.tags, task.context.package),
    }


def type_entry(catalog: Catalog, kind: Type) -> Entry:
    return {
        "name": kind.name,
        "short_name": kind.name.removeprefix(f"{kind.context.package}."),
        "package": kind.context.package,
        "uses": catalog.base_type(kind),
        "doc": kind.doc,
    }


def package_entry(catalog: Catalog, package: Package) -> Entry:
    return {
        "name": package.name,
        "desc": package.desc,
        "doc": package.doc,
        "tags": tags(catalog, package.tags, package.name),
        "basedir": package.context.srcdir,
        "source": "installed" if package.is_installed else "project",
        "task_count": len(package.tasks),
        "type_count": len(package.types),
    }


def package_details(catalog: Catalog, package: Package) -> Entry:
    entry = package_entry(catalog, package)
    fields = written(package)
    return {
        **{key: entry[key] for key in ("name", "desc", "doc", "basedir", "source")},
        "uses": fields.get("uses") or "",
        "tasks": list(package.tasks),
        "types": list(package.types),
        "configs": list(package.configurations),
        "imports": imports(package),
        "params": catalog.variables(package.name),
        "tags": entry["tags"],
    }


def project_details(catalog: Catalog, *, configuration: str) -> Entry:
    """`configuration` is the name of the selected one."""
    package = catalog.program.root
    tasks = list(package.tasks.values())
    return {
        "name": package.name,
        "location": package.where.document.file,
        "config": configuration or None,
        "params": catalog.variables(package.name),
        "root_tasks": [
            {"name": task.name, "desc": catalog.desc(task), "uses": catalog.uses(task)}
            for task in tasks
            if "root" in task.scopes
        ],
        "export_tasks": [task.name for task in tasks if "export" in task.scopes],
        "local_tasks": [task.name for task in tasks if "local" in task.scopes],
        "tasks": [task.name for task in tasks],
        "task_count": len(tasks),
        "types": list(package.types),
        "type_count": len(package.types),
        "import_count": len(imports(package)),
        "config_count": len(package.configurations),
    }


def written(package: Package) -> dict[str, Value]:
    """The fields of the package as its file has them."""
    data = package.where.document.data
    fields = data.get("package") if isinstance(data, dict) else None
    return fields if isinstance(fields, dict) else {}


def imports(package: Package) -> list[Value]:
    """As they are written: names, paths, or maps."""
    found = written(package).get("imports")
    return found if isinstance(found, list) else []


def scopes(task: Task) -> list[str]:
    return [scope for scope in _SCOPES if scope in task.scopes]


def tags(catalog: Catalog, uses: Iterable[TagUse], package: str) -> list[Entry]:
    return [{"name": catalog.tag_type(tag, package), "params": tag.fields} for tag in uses]


def parameter(merged: Merged) -> Entry:
    """A parameter as it is written; its value is what the last writing gives, or the empty one. None
    if that only adds to a list."""
    value = merged.default()
    return {
        "type": merged.kind, "value": None if value is MISSING else value, "doc": merged.doc,
    }  # fmt: skip


def patterns(value: Value) -> Any:
    """`consumes` or `passthrough` as declared; None if it is not."""
    return None if value is MISSING else value


def names(tasks: Sequence[Task]) -> list[str]:
    return [task.name for task in tasks]
