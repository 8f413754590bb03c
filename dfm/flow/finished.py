"""What is left to do when all nodes of a graph are worked out."""

import dataclasses
from collections.abc import Iterator, Sequence

from dfm.flow.declarations import Task
from dfm.flow.instance import Instance
from dfm.flow.problems import Problems
from dfm.graph.node import Compound, Node


def check_folders(nodes: Sequence[Node], tasks: Sequence[Task | None], problems: Problems) -> None:
    """Two tasks whose names become the same would overwrite each other's results."""
    owners: dict[str, Node] = {}
    for node in nodes:
        if node.inherits_rundir or not node.rundir:
            continue
        owner = owners.setdefault(node.rundir, node)
        if owner is not node:
            task = tasks[node.number] or tasks[owner.number]
            assert task is not None, "entry nodes have the names of their compounds"
            what = f"{owner.name} and {node.name} have one run directory: {node.rundir}"
            problems.add(task.where, what)


def fill_members(nodes: Sequence[Node], around: Sequence[Instance | None]) -> None:
    """Tells the compounds that contain failures which nodes are in their bodies."""
    members: dict[int, list[int]] = {
        node.number: []
        for node in nodes
        if isinstance(node.work, Compound) and node.work.contains_failures
    }
    if not members:
        return
    for number in range(len(nodes)):
        for compound in _compounds_around(around[number]):
            if compound in members:
                members[compound].append(number)
    for number, inner in members.items():
        work = nodes[number].work
        assert isinstance(work, Compound)
        nodes[number].work = dataclasses.replace(work, members=tuple(inner))


def _compounds_around(around: Instance | None) -> Iterator[int]:
    while around is not None:
        yield around.number
        around = around.compound


def say_circle(circle: Sequence[Node], tasks: Sequence[Task | None], problems: Problems) -> None:
    """That these nodes need each other; the first is repeated at the end."""
    names = " -> ".join(node.name for node in circle)
    places = [f"{node.name}: {task.place}" for node in circle[:-1]
              if (task := tasks[node.number])]  # fmt: skip
    task = next(filter(None, (tasks[node.number] for node in circle)))
    problems.add(
        task.where, f"tasks need each other in a circle: {names}", hint="\n".join(places),
        kind="CircularDependency", tasks=tuple(node.name for node in circle),
    )  # fmt: skip
