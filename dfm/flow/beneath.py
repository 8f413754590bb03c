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
    """`instances` are those of the tasks of packages, in the graph or not."""
    present = [one for one in instances if one.number >= 0]
    found: dict[int, list[Task]] = {}
    setting = [one for one in present if _sets(one.declared or one.task)]
    for one in setting:
        others = _reached(graph, one)
        task = one.declared or one.task
        for other in present:
            if other is not one and other.number not in others:
                found.setdefault(id(other.declared or other.task), []).append(task)
    by_number = {id(one.declared or one.task): one for one in present}
    depth = {id(task): len(found.get(id(task), ())) for tasks in found.values() for task in tasks}
    for tasks in found.values():
        tasks.sort(key=lambda task: (depth[id(task)], by_number[id(task)].number))
    return found


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
