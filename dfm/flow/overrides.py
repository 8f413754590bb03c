"""What is built in place of what (section 22.3)."""

from collections.abc import Iterable, Sequence

from dfm.errors import UsageError
from dfm.flow.declarations import Override, Program, Task
from dfm.flow.names import find_task, known_names
from dfm.flow.problems import Problems, did_you_mean


def replace(program: Program, overrides: Iterable[Override], problems: Problems) -> None:
    """Enters overrides into the program; later ones win."""
    overrides = list(overrides)
    for one in overrides:
        if one.is_package:
            _replace_package(program, one, problems)
    chosen: dict[int, tuple[Task, Task]] = {}
    for one in overrides:
        pair = None if one.is_package else _pair(program, one, problems)
        if pair is not None:
            chosen[id(pair[0])] = pair
    _enter(program, chosen, problems)


def replace_by_line(program: Program, definitions: Sequence[str]) -> None:
    """Enters those of `--override`, which win. Raises UsageError for one that means nothing."""
    for definition in definitions:
        target, replacement = _pair_of(program, definition)
        replacement = program.replaced.get(id(replacement), replacement)
        if replacement is target:
            raise UsageError(f"--override {definition}: they replace each other in a circle")
        program.replaced[id(target)] = replacement
        for number, other in program.replaced.items():
            if other is target:
                program.replaced[number] = replacement


def _enter(program: Program, chosen: dict[int, tuple[Task, Task]], problems: Problems) -> None:
    """The last replacement of each task: what replaces it may be replaced itself."""
    for target, _ in chosen.values():
        path = [target]
        while (pair := chosen.get(id(path[-1]))) is not None:
            if pair[1] in path:
                names = " -> ".join(task.name for task in [*path, pair[1]])
                problems.add(target.where, f"tasks replace each other in a circle: {names}")
                return
            path.append(pair[1])
        program.replaced[id(target)] = path[-1]


def _replace_package(program: Program, one: Override, problems: Problems) -> None:
    packages = program.packages
    aliases = packages[one.context.package].aliases
    names = [aliases.get(name, name) for name in (one.target, one.replacement)]
    for name in names:
        if name and name not in packages:
            what = f"no package `{name}`"
            problems.add(one.where, what, hint=did_you_mean(name, [*packages, *aliases]))
            return
    if all(names) and names[0] != names[1]:
        program.renamed[names[0]] = names[1]


def _pair(program: Program, one: Override, problems: Problems) -> tuple[Task, Task] | None:
    target = _named(program, one, one.target, "to replace", problems)
    replacement = one.inline
    if replacement is None:
        replacement = _named(program, one, one.replacement, f"to replace `{one.target}`", problems)
    return None if target is None or replacement is None else (target, replacement)


def _named(
    program: Program, one: Override, name: str, what_for: str, problems: Problems
) -> Task | None:
    task = find_task(program, name, one.context) if name else None
    if task is None and name:
        hint = did_you_mean(name, known_names(program, one.context))
        problems.add(one.where, f"no task `{name}` {what_for}", hint=hint)
    return task


def _pair_of(program: Program, definition: str) -> tuple[Task, Task]:
    """Of `--override TARGET=REPLACEMENT`. Raises UsageError."""
    target, equals, replacement = definition.partition("=")
    if not equals:
        raise UsageError(f"--override {definition}: not of the form TARGET=REPLACEMENT")
    found = []
    for name in (target, replacement):
        task = find_task(program, name, program.root.context)
        if task is None:
            packages = program.packages.values()
            hint = did_you_mean(name, (known for one in packages for known in one.tasks))
            raise UsageError(f"--override {definition}: no task `{name}`", hint=hint)
        found.append(task)
    return found[0], found[1]
