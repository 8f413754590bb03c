"""Reads the packages of plugins that a flow uses: those that it imports by name, and those that it
refers to without more ado (sections 7, 39). What is not used is not read."""

from collections.abc import Iterator

from dfm.flow.declarations import Package, Task
from dfm.flow.fields import Reader
from dfm.flow.names import NEEDS_OF
from dfm.flow.parse_package import parse_package
from dfm.flow.plugins import installed, plugin_packages
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.reading import read


def add_installed(packages: dict[str, Package], root: Package, problems: Problems) -> None:
    """Adds to `packages` what `root` uses, and what that uses in turn. Faults are collected; raises
    FlowError for a file that cannot be read."""
    todo = [root]
    while todo:
        package = todo.pop()
        for name in _imported(package, packages, problems):
            todo += _read(name, packages, problems)
        for reference in _references(package):
            name = _package_of(reference, packages)
            if name:
                todo += _read(name, packages, problems)


def _read(name: str, packages: dict[str, Package], problems: Problems) -> list[Package]:
    if name in packages:
        return []
    package = parse_package(Reader(problems), read(plugin_packages()[name]))
    packages[name] = package
    return [package]


def _imported(package: Package, packages: dict[str, Package], problems: Problems) -> Iterator[str]:
    for number, name in enumerate(package.imports):
        if name in packages or name in plugin_packages():
            yield name
        elif name:
            what = "".join(f"\n{trouble}" for trouble in installed().broken)
            problems.add(
                package.where.at("imports", number), f"import `{name}` not found",
                hint=did_you_mean(name, plugin_packages()) + what,
            )  # fmt: skip


def _package_of(reference: str, packages: dict[str, Package]) -> str:
    """The installed package that a reference names; empty if it means something else."""
    parts = reference.split(".")
    heads = [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
    for head in heads:
        if head in packages and _declares(packages[head], reference):
            return ""
    known = plugin_packages()
    return next((head for head in heads if head in known), "")


def _declares(package: Package, name: str) -> bool:
    return name in package.tasks or name in package.types


def _references(package: Package) -> list[str]:
    """What its tasks and types name with a dot, and it does not declare itself. Each once."""
    found: dict[str, None] = {}
    for kind in package.types.values():
        found.setdefault(kind.uses)
        found.update((tag.type, None) for tag in kind.tags)
    for outer in package.tasks.values():
        for task in outer.walk():
            found.update((name, None) for name in _named(task))
    return [
        name
        for name in found
        if "." in name
        and "${{" not in name
        and not name.startswith("std.")
        and not _declares(package, name)
        and not _declares(package, f"{package.name}.{name}")
    ]


def _named(task: Task) -> Iterator[str]:
    yield task.uses
    yield from (name.removesuffix(NEEDS_OF) for name in task.needs)
    yield from task.feeds
    yield from (tag.type for tag in task.tags)
