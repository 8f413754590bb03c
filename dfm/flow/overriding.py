"""A task that says anew some of what another one of its name said (sections 22.2 and 23)."""

from collections.abc import Iterable, Mapping
from typing import Final

from dfm.errors import Place
from dfm.flow.declarations import Package, Task
from dfm.flow.document import Document, Path, Where
from dfm.flow.fields import Reader
from dfm.flow.problems import did_you_mean

# What a field of a flow file sets in a task; `with` is merged instead.
_SETS: Final = {
    "uses": ("uses",),
    "run": ("run", "run_field", "shell"),
    "pytask": ("run", "run_field", "shell"),
    "strategy": ("matrix",),
    "body": (),
    "tasks": (),
    "scope": ("scopes",),
    "with": (),
    "override": (),
    "shell": (),
}


class _Overlay(Document):
    """Two places as one: each field is where it was said last."""

    def __init__(self, below: Where, above: Where, fields: frozenset[str]) -> None:
        super().__init__(above.document.file, "", None, lambda text, path, is_key: (0, 0))
        self._below = below
        self._above = above
        self._fields = fields

    def place(self, path: Path, within: str = "", *, is_key: bool = False) -> Place:
        is_new = not path or path[0] in self._fields
        where = (self._above if is_new else self._below).at(*path)
        return where._replace(is_key=is_key).place(within)


def override_tasks(
    reader: Reader, replacing: Iterable[Task], tasks: Mapping[str, Task], package: Package
) -> None:
    """Applies tasks with `override` to those that they name."""
    for task in replacing:
        short = task.short
        for prefix in (package.name, task.context.base, *_bases(package)):
            if prefix and short.startswith(f"{prefix}."):
                short = short.removeprefix(f"{prefix}.")
                break
        names = (task.name, f"{task.context.package}.{short}")
        old = next((tasks[name] for name in names if name in tasks), None)
        if old is not None:
            take_over(old, task)
            continue
        hint = did_you_mean(short, (one.short for one in tasks.values()))
        if not tasks:
            hint = "it stands in a configuration, or in a package that `uses` another"
        what = f"no task `{task.short}` to override"
        reader.problems.add(task.where.at("override"), what, hint=hint)


def _bases(package: Package) -> tuple[str, ...]:
    return (package.uses,) if package.uses else ()


def take_over(old: Task, new: Task) -> None:
    """Changes a task in place: what the new one says replaces, all else stays."""
    for field in new.mentions:
        for attribute in _SETS.get(field, (field,)):
            if hasattr(old, attribute):  # `cache`, `examples` are not kept
                setattr(old, attribute, getattr(new, attribute))
    if "shell" in new.mentions and not new.mentions & {"run", "pytask"} and old.run is not None:
        old.shell = new.shell
    if new.body is not None:
        old.body = new.body
    if new.mentions & {"run", "pytask"} and not new.mentions & {"body", "tasks", "strategy"}:
        old.body = old.matrix = None
    elif new.mentions & {"body", "tasks", "strategy"} and not new.mentions & {"run", "pytask"}:
        old.run = None
    if new.mentions & {"run", "pytask", "body", "tasks", "strategy"}:
        old.context = new.context
    for inner in old.body or ():
        inner.enclosing = old
    for inner in old.walk():
        inner.forget_names()
    old.extensions.append(new.params)
    old.where = Where(_Overlay(old.where, new.where, new.mentions), ())
    old.named_by = "override"
