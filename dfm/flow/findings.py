"""What is odd in a flow that has no faults: what `dfm validate` warns of (section 37.2).

It goes by what is declared, so that it says the same whatever the task is that somebody runs.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from dfm.flow.catalog import Catalog
from dfm.flow.declarations import MISSING, Context, Task
from dfm.flow.names import find_base, find_type
from dfm.graph.values import Fields, Value

Finding: TypeAlias = dict[str, Any]  # as JSON
ProductsOf: TypeAlias = Callable[[Task], list[Fields] | None]


def findings(catalog: Catalog, products_of: ProductsOf) -> list[Finding]:
    """All of the root package, in the order of its tasks."""
    flows = _Flows(catalog, products_of)
    tasks = list(catalog.program.root.tasks.values())
    wanted = _wanted(catalog)
    found = [_unused(task) for task in tasks if id(task) not in wanted and not _is_root(task)]
    for task in tasks:
        found += _of_needs(catalog, flows, task)
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


def _of_needs(catalog: Catalog, flows: "_Flows", task: Task) -> Iterator[Finding]:
    """What the task reads against what its needs say that they may emit."""
    shape = catalog.shapes.of(task)
    for need in catalog.needs(task):
        if flows.own(need) is None:
            continue
        if isinstance(shape.consumes, list):
            coming = flows.out_of(need)
            if coming and not _can_meet(coming, shape.consumes):
                yield _mismatch(need, task)
        elif shape.run is not None and not isinstance(shape.consumes, str):
            message = f"{task.name} does not say what it `consumes` of what {need.name} produces"
            yield {
                "type": "UndeclaredConsumes", "task": task.name, "producer": need.name,
                "message": message,
            }  # fmt: skip


class _Flows:
    """What may come out of tasks: what they declare, and what passes through them."""

    def __init__(self, catalog: Catalog, products_of: ProductsOf) -> None:
        self._catalog = catalog
        self._products_of = products_of
        self._known: dict[int, list[Fields] | None] = {}

    def own(self, task: Task) -> list[Fields] | None:
        """What the task declares, with full names of types; None: it does not say."""
        if id(task) not in self._known:
            self._known[id(task)] = self._find(task)
        return self._known[id(task)]

    def out_of(self, task: Task) -> list[Fields] | None:
        """None: anything may come."""
        found: list[Fields] = []
        todo, seen = [task], {id(task)}
        while todo:
            link = todo.pop()
            products = self.own(link)
            if products is None:
                return None
            found += products
            if self._passes(link):
                needs = [need for need in self._catalog.needs(link) if id(need) not in seen]
                seen.update(id(need) for need in needs)
                todo += needs
        return found

    def _find(self, task: Task) -> list[Fields] | None:
        owner = self._catalog.shapes.of(task).produces
        products = self._products_of(task)
        if products is None and owner is not None:  # what depends on a run may come to anything
            products = owner.produces
        if products is None:
            return None
        context = (owner or task).context
        return [{**one, "type": self._full_name(one.get("type"), context)} for one in products]

    def _full_name(self, name: Value | None, context: Context) -> Value:
        kind = find_type(self._catalog.program, name, context) if isinstance(name, str) else None
        return kind.name if kind else name

    def _passes(self, task: Task) -> bool:
        """Whether items may come through it that it does not make."""
        shape = self._catalog.shapes.of(task)
        if shape.passthrough is MISSING or shape.passthrough == "unused":
            return shape.consumes not in (MISSING, "all")
        return shape.passthrough != "none"


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
