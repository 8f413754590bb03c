"""What became of the tasks in the body of a compound, for the function that judges it (section 28)."""

from collections.abc import Mapping, Sequence

from dfm.graph.node import Entry, Gate, Graph
from dfm.graph.plan import Plan, State


def subtasks(
    graph: Graph, plan: Plan, statuses: Mapping[int, int], members: Sequence[int]
) -> list[tuple[str, int, bool]]:
    """Name, status and whether it was skipped, of each. `statuses` are those of nodes that failed."""
    return [
        (graph.nodes[number].name, statuses.get(number, 0), plan.states[number] is State.SKIPPED)
        for number in members
        if not isinstance(graph.nodes[number].work, Entry | Gate)
    ]
