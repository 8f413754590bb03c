"""All about one task: `dfm show task NAME`."""

from dfm.cli.show.entries import Entry, names, parameter, patterns, task_entry
from dfm.flow.catalog import Catalog
from dfm.flow.declarations import Task
from dfm.flow.load import Flow


def task_details(flow: Flow, task: Task, depth: int | None, *, usage: bool) -> Entry:
    """`depth`: how far its needs are followed, -1 to the end, None not at all."""
    catalog = flow.catalog
    shape = catalog.shapes.of(task)
    entry = task_entry(catalog, task)
    needs = catalog.needs(task)
    details: Entry = {
        **{key: entry[key] for key in ("name", "short_name", "package", "desc", "doc")},
        "examples": task.examples,
        "uses": entry["uses"],
        "scope": entry["scope"],
        "not_provided": not catalog.is_provided(task),
        "tags": entry["tags"],
        "params": {name: parameter(merged) for name, merged in shape.params.items()},
        "param_values": flow.parameter_values(task),
        "needs": names(needs),
        "rundir": task.rundir,
        "passthrough": patterns(shape.passthrough) or "unused",
        "consumes": "all" if patterns(shape.consumes) is None else shape.consumes,
        "produces": flow.products(task),
    }
    if depth is not None:
        details["needs_tree"] = _tree(catalog, task, depth)
    if usage:
        details["used_by"] = _used_by(catalog, task)
    return details


def _tree(catalog: Catalog, task: Task, depth: int) -> list[Entry]:
    """The needs of the needs, each task once, nearest first."""
    found: list[Entry] = []
    seen = {id(task)}
    level = [task]
    distance = 0
    while level and distance != depth:
        distance += 1
        below: list[Task] = []
        for one in level:
            for need in catalog.needs(one):
                if id(need) not in seen:
                    seen.add(id(need))
                    below.append(need)
                    found.append({"name": need.name, "depth": distance, "by": one.name})
        level = below
    return found


def _used_by(catalog: Catalog, task: Task) -> Entry:
    """Who needs it, and who is made from it."""
    return {
        "needs": [
            other.name
            for other in catalog.tasks()
            if any(need is task for need in catalog.needs(other))
        ],
        "uses": [
            other.name
            for other in catalog.tasks()
            if any(link is task for link in catalog.shapes.of(other).chain[1:])
        ],
    }
