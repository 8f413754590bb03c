"""Tasks that a running task makes of the declarations of its flow (sections 30.3, 31.7): the graph of
a batch of them, without the tasks outside of it that they need, which have been done."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from dfm.errors import UsageError
from dfm.flow.declarations import Context, Program, Task
from dfm.flow.names import find_task, known_names
from dfm.flow.problems import did_you_mean
from dfm.graph.node import Compound, Gate, Graph, Node, Recorded
from dfm.graph.values import Fields

# The items that a task of the running graph has emitted, by its node; None if it has not run.
Emitted = Callable[[Node], Sequence[Fields] | None]


_MARK = "<made>"  # before the short names of made tasks, which may be those of others


class Made(NamedTuple):
    """One of them."""

    name: str  # as it is: no package stands before it
    type: str  # the task that it is made from
    params: Fields
    needs: Sequence[str] = ()  # of the batch, or of the running graph
    srcdir: str = ""


def declare(program: Program, batch: Sequence[Made]) -> dict[str, Task]:
    """Adds the batch to the declarations of the root package, under names that no flow file has; returns
    them by these. Raises UsageError for what is not there."""
    root = program.root
    names = {made.name for made in batch}
    if len(names) < len(batch) or "" in names:
        raise UsageError("each task of a batch needs a name of its own")
    found: dict[str, Task] = {}
    for made in batch:
        base = find_task(program, made.type, root.context)
        if base is None:
            near = did_you_mean(made.type, known_names(program, root.context))
            raise UsageError(f"{made.name}: no task `{made.type}` to make it from", hint=near)
        context = Context(root.name, made.srcdir or root.context.srcdir)
        found[f"{root.name}.{_MARK}{made.name}"] = Task(
            made.name, made.name, root.where, context, uses=base.name,
            needs=[_full(program, need, names, made.name) for need in made.needs],
        )  # fmt: skip
    root.tasks.update(found)
    return found


def _full(program: Program, need: str, names: set[str], of: str) -> str:
    if need in names:
        return f"{_MARK}{need}"
    task = find_task(program, need, program.root.context)
    if task is None:
        raise UsageError(
            f"{of} needs `{need}`, which is neither of its batch nor a task of the flow",
            hint=did_you_mean(need, names),
        )
    return task.name


def without_others(graph: Graph, own: Mapping[str, str], emitted: Emitted) -> Graph:
    """The graph of a batch, the others of the flow replaced by what they have emitted. `own` are the
    names of the batch. Raises UsageError for one that has not run."""
    keep: dict[int, int] = {}
    todo = list(graph.goals)
    while todo:
        number = todo.pop()
        if number in keep:
            continue
        keep[number] = len(keep)
        node = graph.nodes[number]
        if "/" not in node.rundir and node.name not in own and not _is_cell(node, own):
            items = emitted(node)
            if items is None:
                raise UsageError(
                    f"{node.name} is needed by a task that was made, and has not run",
                    hint="the task that makes it has to need it, too",
                )
            node.work, node.needs = Recorded(list(items)), ()
        todo += node.needs
        todo += [] if node.gate is None else [node.gate]
        if isinstance(node.work, Compound):
            todo += node.work.members
            todo += [] if node.work.entry is None else [node.work.entry]
    nodes = [_renumbered(graph.nodes[old], keep) for old in keep]
    return Graph(nodes, [keep[goal] for goal in graph.goals], graph.package, graph.types)


def _is_cell(node: Node, own: Mapping[str, str]) -> bool:
    """Whether it belongs to a matrix of the batch, whose nodes lie beside it."""
    return any(node.name.startswith(f"{name}.") for name in own)


def _renumbered(node: Node, keep: Mapping[int, int]) -> Node:
    def of(number: int | None) -> int | None:
        return None if number is None else keep[number]

    def of_all(numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(keep[number] for number in numbers)

    node.number = keep[node.number]
    node.needs = of_all(node.needs)
    node.scope = None if node.scope is None else keep.get(node.scope)
    node.gate = of(node.gate)
    match node.work:
        case Compound(members=members, entry=entry, turns=turns) as work:
            if turns is not None:
                turns = tuple((keep[gate], of_all(results)) for gate, results in turns)
            node.work = dataclasses.replace(
                work, members=of_all(members), entry=of(entry), turns=turns
            )
        case Gate(entry=entry, before=before, results=results) as work:
            node.work = dataclasses.replace(
                work, entry=keep[entry], before=of(before), results=of_all(results)
            )
    return node
