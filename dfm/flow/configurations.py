"""The selected configurations of packages, and what they change (section 22)."""

from collections.abc import Iterable, Mapping

from dfm.errors import Place, UsageError
from dfm.flow.declarations import Configuration, Extension, Package, Parameter, Program
from dfm.flow.document import Where
from dfm.flow.fields import Reader
from dfm.flow.fragments import add_fragments
from dfm.flow.names import NEEDS_OF, find_task, known_names
from dfm.flow.overriding import override_tasks
from dfm.flow.parse_task import twice
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Merged


def choose(package: Package, name: str, problems: Problems) -> list[Configuration]:
    """The configuration that `-c` names, else `default`, with its bases; bases first.

    Raises UsageError if there is none of this name.
    """
    known = package.configurations
    if not name:
        name = "default" if "default" in known else ""
    elif name not in known:
        problems.raise_any()  # it may be one that could not be read
        raise UsageError(
            f"package {package.name} has no configuration `{name}`",
            place=Place(package.where.document.file), hint=did_you_mean(name, known),
        )  # fmt: skip
    return _with_bases(package, name, problems)


def likely(package: Package, name: str) -> list[Configuration]:
    """What `choose` will choose, as far as it is known yet; no faults."""
    name = name or "default"
    return _with_bases(package, name, Problems()) if name in package.configurations else []


def choose_imported(
    package: Package, name: str, where: Where, problems: Problems
) -> list[Configuration]:
    """The configuration that an import names, with its bases."""
    if name in package.configurations:
        return _with_bases(package, name, problems)
    problems.add(
        where, f"package {package.name} has no configuration `{name}`",
        hint=did_you_mean(name, package.configurations),
    )  # fmt: skip
    return []


def _with_bases(package: Package, name: str, problems: Problems) -> list[Configuration]:
    """A configuration after those that it uses, or that are below it; what is not there is a fault."""
    known = package.configurations
    chosen: list[Configuration] = []
    configuration = known.get(name)
    while configuration is not None:
        if configuration in chosen:
            circle = [one.name for one in chosen[chosen.index(configuration) :]]
            problems.add(
                configuration.where.at("uses"),
                f"configuration `{configuration.name}` uses itself: "
                f"{' -> '.join([*circle, configuration.name])}",
            )
            break
        chosen.append(configuration)
        configuration = _base(configuration, known, problems)
    return chosen[::-1]


def _base(
    one: Configuration, known: Mapping[str, Configuration], problems: Problems
) -> Configuration | None:
    if not one.uses:
        return one.below
    inside = one.name.rpartition(".")[0]  # of a named fragment
    for name in (f"{inside}.{one.uses}", one.uses):
        base = known.get(name)
        if base is one and one.below is not None:
            return one.below
        if base is not None:
            return base
    where = one.where.at("uses")
    problems.add(where, f"no configuration `{one.uses}`", hint=did_you_mean(one.uses, known))
    return None


def declare(reader: Reader, package: Package, chosen: Iterable[Configuration]) -> None:
    """Adds the tasks, types and fragments of configurations to their package."""
    for configuration in chosen:
        more = configuration.contents
        if more is None:
            continue
        for kind in more.types.values():
            first = package.types.setdefault(kind.name, kind)
            if first is not kind:
                reader.problems.add(
                    kind.where.at("name"), f"type `{kind.name}` is declared twice",
                    hint=f"first at {first.where.at('name').place()}",
                )  # fmt: skip
        for task in more.tasks.values():
            known = package.tasks.setdefault(task.name, task)
            if known is not task:
                twice(reader, task, known)
        add_fragments(reader, package, configuration.fragments)
        package.overrides += more.overrides
        package.imports += more.imports
        override_tasks(reader, more.replacing, package.tasks, package)


def extend(program: Program, chosen: Iterable[Configuration], problems: Problems) -> None:
    """Applies the extensions of the selected configurations to the tasks themselves."""
    for configuration in chosen:
        context = configuration.context
        for extension in configuration.extensions:
            task = find_task(program, extension.task, context)
            if task is None:
                problems.add(
                    extension.where.at("task"), f"no task `{extension.task}` to extend",
                    hint=did_you_mean(extension.task, known_names(program, context)),
                )  # fmt: skip
                continue
            task.extensions.append(extension.params)
            needs = _more_needs(program, extension, configuration, problems)
            task.needs += needs
            task.foreign_needs |= set(needs)


def _more_needs(
    program: Program, extension: Extension, configuration: Configuration, problems: Problems
) -> list[str]:
    """The full names of what an extension needs: the task may be of another package."""
    context = configuration.context
    found: list[str] = []
    for number, name in enumerate(extension.needs):
        if not name or "${{" in name:
            found.append(name)
        elif task := find_task(program, name, context):
            found.append(task.name)
        elif task := find_task(program, name.removesuffix(NEEDS_OF), context):
            found.append(task.name + NEEDS_OF)
        else:
            problems.add(
                extension.where.at("needs", number), f"no task `{name}` to be needed",
                hint=did_you_mean(name, known_names(program, context)),
            )  # fmt: skip
    return found


def revalue(
    variables: dict[str, Merged], writings: Iterable[Parameter], problems: Problems
) -> None:
    """Puts values of configurations, or of imports, over those of the package."""
    for writing in writings:
        if writing.name in variables:
            variables[writing.name] = variables[writing.name].changed_by(writing)
        else:
            problems.add(
                writing.where.key(), f"the package has no variable `{writing.name}`",
                hint=did_you_mean(writing.name, variables),
            )  # fmt: skip
