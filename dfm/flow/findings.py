"""What is odd in a flow that has no faults: what `dfm validate` warns of (section 37.2).

It goes by what is declared, so that it says the same whatever the task is that somebody runs.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from dfm.flow.catalog import Catalog
from dfm.flow.declarations import Task
from dfm.flow.names import find_base
from dfm.graph.values import Fields, Value

Finding: TypeAlias = dict[str, Any]  # as JSON


def findings(catalog: Catalog) -> list[Finding]:
    """All of the root package, in the order of its tasks."""
    tasks = list(catalog.program.root.tasks.values())
    wanted = _wanted(catalog)
    found = [_unused(task) for task in tasks if id(task) not in wanted and not _is_root(task)]
    for task in tasks:
        found += _of_needs(catalog, task)
    return found


def _is_root(task: Task) -> bool:
    return "root" in task.scopes


def _wanted(catalog: Catalog) -> set[int]:
    """The tasks that somebody needs or uses, by identity."""
    wanted: set[int] = set()
    for package in catalog.program.packages.values():
        for outer in package.tasks.values():
            wanted.update(id(need) for need in catalog.needs(outer))
            for task in outer.walk():
                wanted.update(id(need) for need in catalog.named_by(task))
                base = find_base(catalog.program, task.uses, task) if task.uses else None
                if isinstance(base, Task):
                    wanted.add(id(base))
    return wanted


def _unused(task: Task) -> Finding:
    message = f"{task.name} is no `root` task, and nobody needs or uses it"
    return {"type": "UnusedTask", "task": task.name, "message": message}


def _of_needs(catalog: Catalog, task: Task) -> Iterator[Finding]:
    """What the task reads against what its needs say that they may emit."""
    shape = catalog.shapes.of(task)
    for need in catalog.needs(task):
        owner = catalog.shapes.of(need).produces
        produced = owner.produces if owner else None
        if produced is None:
            continue
        if isinstance(shape.consumes, list):
            if produced and not _can_meet(produced, shape.consumes):
                yield _mismatch(need, task)
        elif shape.run is not None and not isinstance(shape.consumes, str):
            message = f"{task.name} does not say what it `consumes` of what {need.name} produces"
            yield {
                "type": "UndeclaredConsumes", "task": task.name, "producer": need.name,
                "message": message,
            }  # fmt: skip


def _mismatch(producer: Task, consumer: Task) -> Finding:
    message = f"nothing that {producer.name} produces is what {consumer.name} consumes"
    return {
        "type": "DataflowMismatch", "producer": producer.name, "consumer": consumer.name,
        "message": message,
    }  # fmt: skip


def _can_meet(produced: Iterable[Fields], consumed: Iterable[Value]) -> bool:
    return any(
        isinstance(wanted, dict) and _may_match(product, wanted)
        for product in produced
        for wanted in consumed
    )


def _may_match(product: Fields, wanted: Fields) -> bool:
    """Whether an item of this product can fit the pattern; an expression may come to anything."""
    shared = [key for key in wanted if key in product]
    return bool(shared) and all(
        product[key] == wanted[key] or "${{" in str(product[key]) for key in shared
    )


def counts(catalog: Catalog) -> list[Finding]:
    root = catalog.program.root
    return [
        {
            "type": "PackageInfo", "name": root.name, "task_count": len(root.tasks),
            "type_count": len(root.types),
        }
    ]  # fmt: skip
