"""The names of other packages' things that a package mentions."""

from collections.abc import Iterable, Iterator, Mapping

from dfm.flow.declarations import Override, Package, Task
from dfm.flow.names import NEEDS_OF


def unanswered(
    package: Package, packages: Mapping[str, Package], more: Iterable[str] = ()
) -> list[str]:
    """References that none of these packages answers, with those that hold expressions. `more` are
    names that stand elsewhere."""
    names = [*_mentioned(package), *(name for name in more if "." in name)]
    return [name for name in names if not _is_known(name, package, packages)]


def may_mean(text: str, package: str) -> bool:
    """Whether a reference, perhaps with expressions in it, may be of this package."""
    fixed, marker, _ = text.partition("${{")
    return fixed.startswith(f"{package}.") or (bool(marker) and f"{package}.".startswith(fixed))


def _is_known(name: str, package: Package, packages: Mapping[str, Package]) -> bool:
    wanted = (name, name.removesuffix(NEEDS_OF))
    for head in _heads(name):
        if head in package.aliases:
            return True
        known = packages.get(head)
        if known and any(one in known.tasks or one in known.types for one in wanted):
            return True
    return False


def _heads(name: str) -> Iterator[str]:
    """What the package of a full name may be."""
    end = name.find(".")
    while end > 0:
        yield name[:end]
        end = name.find(".", end + 1)


def _mentioned(package: Package) -> list[str]:
    """References with a dot or an expression in them that the package itself does not answer."""
    found = dict.fromkeys(
        name
        for name in _all(package)
        if ("." in name or "${{" in name) and f"{package.name}.{name}" not in package.tasks
    )
    return [name for name in found if not (name.endswith(NEEDS_OF) and name.count(".") == 1)]


def _all(package: Package) -> Iterator[str]:
    yield from (tag.type for tag in package.tags)
    for kind in package.types.values():
        yield kind.uses
        yield from (tag.type for tag in kind.tags)
    for task in (*package.tasks.values(), *package.replacing):
        for inner in task.walk():
            yield from _of(inner)
    yield from _replaced(package.overrides)
    for configuration in package.configurations.values():
        for extension in configuration.extensions:
            yield extension.task
            yield from extension.needs


def _of(task: Task) -> Iterator[str]:
    yield task.uses
    yield from task.needs
    yield from task.feeds
    yield from (tag.type for tag in task.tags)


def _replaced(overrides: Iterable[Override]) -> Iterator[str]:
    for one in overrides:
        if not one.is_package:
            yield from (one.target, one.replacement)
