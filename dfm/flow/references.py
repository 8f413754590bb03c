"""The names of other packages' things that a package mentions."""

from collections.abc import Iterator

from dfm.flow.declarations import Package, Task
from dfm.flow.names import NEEDS_OF


def mentioned(package: Package) -> set[str]:
    """References with a dot or an expression in them that the package itself does not answer."""
    found = {
        name
        for name in _all(package)
        if ("." in name or "${{" in name) and f"{package.name}.{name}" not in package.tasks
    }
    return {name for name in found if not (name.endswith(NEEDS_OF) and name.count(".") == 1)}


def _all(package: Package) -> Iterator[str]:
    yield from (tag.type for tag in package.tags)
    for kind in package.types.values():
        yield kind.uses
        yield from (tag.type for tag in kind.tags)
    for task in package.tasks.values():
        for inner in task.walk():
            yield from _of(inner)
    for configuration in package.configurations.values():
        for extension in configuration.extensions:
            yield extension.task
            yield from extension.needs


def _of(task: Task) -> Iterator[str]:
    yield task.uses
    yield from task.needs
    yield from task.feeds
    yield from (tag.type for tag in task.tags)
