"""What a reference in a flow file, or a name on the command line, means (section 8)."""

from collections.abc import Iterable
from typing import Final

from dfm.errors import UsageError
from dfm.flow.declarations import Context, Program, Task, Type
from dfm.flow.problems import did_you_mean

NEEDS_OF: Final = ".needs"  # `NAME.needs`: the needs of NAME in place of NAME


def find_task(program: Program, ref: str, context: Context) -> Task | None:
    """A task of a package, from a text in `context`: of its fragment or package, or by full name."""
    tasks = program.packages[context.package].tasks
    if context.fragment and (found := tasks.get(f"{context.fragment}.{ref}")):
        return found
    found = tasks.get(f"{context.package}.{ref}")
    return found or program.task(meant(program, ref, context))


def find_type(program: Program, ref: str, context: Context) -> Type | None:
    package = program.packages[context.package]
    if context.fragment and (found := package.types.get(f"{context.fragment}.{ref}")):
        return found
    found = package.types.get(f"{context.package}.{ref}")
    if found is None:
        found = program.type(meant(program, ref, context, types=True))
    if found is None and package.bases:  # types stay those of the package that declares them
        inherited = (program.type(f"{base}.{ref}") for base in package.bases)
        found = next(filter(None, inherited), None)
    return found


def meant(program: Program, ref: str, context: Context, *, types: bool = False) -> str:
    """A full name with the name that its package really has: aliases, inheritance, overrides."""
    if "." not in ref:
        return ref
    for alias, name in program.packages[context.package].aliases.items():
        if ref.startswith(f"{alias}."):
            ref = name + ref[len(alias) :]
            break
    if context.base and not types and ref.startswith(f"{context.base}."):
        return context.package + ref[len(context.base) :]
    for name, other in program.renamed.items():
        if ref.startswith(f"{name}.") and context.package not in (name, other):
            return other + ref[len(name) :]
    return ref


def find_base(program: Program, ref: str, task: Task) -> Task | Type | None:
    """What `uses` of a task names. A task is preferred to a type of the same name."""
    around = task.enclosing
    while around is not None:
        sibling = around.in_body(ref)
        if sibling is not None and sibling is not task:
            return sibling
        around = around.enclosing
    return find_task(program, ref, task.context) or find_type(program, ref, task.context)


def unknown(kind: str, name: str) -> str:
    """What is wrong with a name that means nothing; `kind` is what is wanted."""
    return f"no {kind} `{name}`"


def known_names(program: Program, context: Context, *, types: bool = False) -> Iterable[str]:
    """What a reference could have meant: short in its own package, else full."""
    for package in program.packages.values():
        yield from _as_seen(package.tasks, package.name, context)
    for alias, name in program.packages[context.package].aliases.items():
        if name in program.packages:
            for task in program.packages[name].tasks:
                yield alias + task.removeprefix(name)
    if types:
        yield from known_types(program, context)


def known_types(program: Program, context: Context) -> Iterable[str]:
    for package in program.packages.values():
        yield from _as_seen(package.types, package.name, context)


def _as_seen(names: Iterable[str], package: str, context: Context) -> Iterable[str]:
    if package != context.package:
        return names
    shorter = [name.removeprefix(f"{package}.") for name in names]
    if context.fragment:
        inside = f"{context.fragment.removeprefix(package + '.')}."
        shorter += [name.removeprefix(inside) for name in shorter if name.startswith(inside)]
    return shorter


def find_goal(program: Program, name: str) -> Task:
    """The task that `dfm run NAME` asks for. Raises UsageError."""
    exact = program.task(name)
    if exact is not None:
        return exact
    ending = f".{name}"
    found = [
        task
        for package in program.packages.values()
        for task in package.tasks.values()
        if task.name.endswith(ending)
    ]
    if len(found) > 1:
        roots = [task for task in found if "root" in task.scopes]
        direct = [task for task in found if task.name == f"{program.root.name}.{name}"]
        found = roots if len(roots) == 1 else direct or found
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(task.name for task in found)
        raise UsageError(f"`{name}` may be one of {names}", hint="give the full name")
    raise UsageError(
        f"package {program.root.name} has no task `{name}`",
        hint=did_you_mean(name, _runnable(program)) or "`dfm run` lists the tasks",
    )


def _runnable(program: Program) -> Iterable[str]:
    yield from (task.short for task in program.root.tasks.values())
    for package in program.packages.values():
        if package is not program.root and package.name != "std":
            yield from package.tasks
