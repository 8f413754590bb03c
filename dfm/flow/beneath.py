"""Tasks of packages that are reached through one task only, whose `set` counts for them (section 24).

That is known when a graph stands, and changes what stands in it: such a graph is built a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from dfm.flow.declarations import Task
from dfm.flow.instance import Instance
from dfm.graph.node import Graph, Node

# Of tasks, by identity: those that set something for them, the outermost first.
Beneath: TypeAlias = Mapping[int, Sequence[Task]]


def beneath(graph: Graph, instances: Iterable[Instance]) -> dict[int, list[Task]]:
    """`instances` are those of the tasks of packages and of variants, in the graph or not."""
    present = [one for one in instances if one.number >= 0]
    numbers: dict[int, set[int]] = {}  # of a family: those of its variants
    for one in present:
        numbers.setdefault(id(_declared(one)), set()).add(one.number)
    found: dict[int, list[Task]] = {}
    for one in present:
        task = _declared(one)
        if not _sets(task):
            continue
        others = _reached(graph, one)
        for other, own in numbers.items():
            if other != id(task) and own.isdisjoint(others):
                found.setdefault(other, []).append(task)
    first = {task: min(own) for task, own in numbers.items()}
    depth = {id(task): len(found.get(id(task), ())) for tasks in found.values() for task in tasks}
    for tasks in found.values():
        tasks.sort(key=lambda task: (depth[id(task)], first[id(task)]))
    return found


def _declared(one: Instance) -> Task:
    owner = one.family or one
    return owner.declared or owner.task


def _sets(task: Task) -> bool:
    return bool(task.sets or task.lets)


def _reached(graph: Graph, one: Instance) -> set[int]:
    """The nodes that are reached by the goals without what is below the task. Its own needs are not
    below it."""
    nodes: list[Node] = graph.nodes
    todo = [number for number in graph.goals if number != one.number]
    todo += one.needs or ()
    seen = {one.number}
    reached: set[int] = set()
    while todo:
        number = todo.pop()
        if number not in seen:
            seen.add(number)
            reached.add(number)
            todo += nodes[number].needs
    return reached
