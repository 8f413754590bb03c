"""What a reference in a flow file, or a name on the command line, means (section 8)."""

from collections.abc import Iterable
from typing import Final

from dfm.errors import UsageError
from dfm.flow.declarations import Context, Package, Program, Task, Type
from dfm.flow.problems import NOT_YET, did_you_mean

NEEDS_OF: Final = ".needs"  # `NAME.needs`: the needs of NAME in place of NAME
_STD_LATER: Final = frozenset(
    "std." + name
    for name in """
        Agent AgentPersona AgentPersonaTag AgentReference AgentReferenceTag AgentResource AgentSkill
        AgentSkillTag AgentTool AgentToolTag Eval EvalInfo EvalRunner EvalSample
        Publish RunTasks TestInfo TestRunner
    """.split()
)


def find_task(program: Program, ref: str, context: Context) -> Task | None:
    """A task of a package, from a text in `context`: of its own package, or by full name."""
    return program.task(f"{context.package}.{ref}") or program.task(ref)


def find_type(program: Program, ref: str, context: Context) -> Type | None:
    return program.type(f"{context.package}.{ref}") or program.type(ref)


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
    if name in _STD_LATER:
        return f"`{name}` {NOT_YET}"
    return f"no {kind} `{name}`"


def known_names(program: Program, context: Context, *, types: bool = False) -> Iterable[str]:
    """What a reference could have meant: short in its own package, else full."""
    for package in program.packages.values():
        yield from _as_seen(package.tasks, package, context)
    if types:
        yield from known_types(program, context)


def known_types(program: Program, context: Context) -> Iterable[str]:
    for package in program.packages.values():
        yield from _as_seen(package.types, package, context)


def _as_seen(names: Iterable[str], package: Package, context: Context) -> Iterable[str]:
    is_own = package.name == context.package
    return (name.removeprefix(f"{package.name}.") if is_own else name for name in names)


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
        hint=did_you_mean(name, _runnable(program.root)) or "`dfm run` lists the tasks",
    )


def _runnable(package: Package) -> Iterable[str]:
    return (task.short for task in package.tasks.values())
