"""Why tasks of a run wait that nobody executes yet: for what they need, or for their turn."""

from collections.abc import Iterable, Mapping
from typing import Any

from dfm.graph.node import Graph, Node
from dfm.graph.plan import OVER, Plan, State

_EXAMPLES = 3
_MOST = 50


def of_one(
    graph: Graph, plan: Plan, held: Mapping[int, str], with_dispatcher: Iterable[int], name: str
) -> dict[str, Any]:
    """The nodes of this name, or of any end of it, that the dispatcher does not have. `held` are those
    that wait for others of the run, by a limit."""
    taken = set(with_dispatcher)
    found = [
        node
        for node in graph.nodes
        if node.is_task
        and node.number not in taken
        and (node.name == name or node.name.endswith(f".{name}"))
    ]
    return {"tasks": [_entry(graph, plan, held, node) for node in found[:_MOST]], "groups": []}


def of_all(
    graph: Graph, plan: Plan, held: Mapping[int, str], with_dispatcher: Iterable[int]
) -> dict[str, Any]:
    """Whatever waits, put together by what it waits for."""
    taken = set(with_dispatcher)
    groups: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if not node.is_task or node.number in taken or plan.states[node.number] in OVER:
            continue
        reason = _why(graph, plan, held, node)
        group = groups.setdefault(reason, {"why": reason, "count": 0, "tasks": []})
        group["count"] += 1
        if len(group["tasks"]) < _EXAMPLES:
            group["tasks"].append(node.name)
    return {"tasks": [], "groups": list(groups.values())}


def _entry(graph: Graph, plan: Plan, held: Mapping[int, str], node: Node) -> dict[str, Any]:
    state = plan.states[node.number]
    if state in OVER:
        return {"task": node.name, "state": state.value, "why": ""}
    return {"task": node.name, "state": "waiting", "why": _why(graph, plan, held, node)}


def _why(graph: Graph, plan: Plan, held: Mapping[int, str], node: Node) -> str:
    if node.number in held:
        return f"it waits behind other tasks of its run for the limit `{held[node.number]}`"
    if plan.states[node.number] is not State.WAITING:
        return "it is ready, and goes to a worker after what the run has sent before it"
    missing = [need for need in graph.waits(node) if plan.states[need] not in OVER]
    root = _root(graph, plan, missing[0])
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    if root == missing[0]:
        return f"it needs {graph.nodes[root].name}{others}, which is not done"
    through = f"{graph.nodes[missing[0]].name}{others}"
    return f"it needs {through}, which waits for {graph.nodes[root].name}"


def _root(graph: Graph, plan: Plan, number: int) -> int:
    """Along the first unfinished need of each, what has none left to wait for."""
    while plan.states[number] is State.WAITING:
        number = next(n for n in graph.waits(graph.nodes[number]) if plan.states[n] not in OVER)
    return number
