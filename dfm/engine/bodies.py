"""What became of the body of a compound, for the function that judges it (section 28)."""

from collections.abc import Iterator, Mapping, Sequence

from dfm.engine.gates import Gates
from dfm.engine.incoming import Finished, View, Views
from dfm.graph.dataflow import FAILURE
from dfm.graph.node import Compound, Entry, Gate, Graph, Node
from dfm.graph.plan import Plan, State


class Bodies:
    """Of one run: its graph, what its nodes have come to, and which of their gates are open."""

    def __init__(
        self, graph: Graph, plan: Plan, finished: Sequence[Finished | None], gates: Gates
    ) -> None:
        self._graph = graph
        self._plan = plan
        self._finished = finished
        self._gates = gates

    def view(self, views: Views, node: Node, work: Compound) -> View:
        """What the body emits, of a loop the last iteration, and each failure in it that this does
        not tell of."""
        needs = node.needs if work.turns is None else self._gates.emitting(work)
        view = views.of(needs, self._finished)
        told = {item.identity for item in view.items.items}
        ends = [end for end in self._failures(node, work) if end.output]
        more = [item for end in ends for item in end.output
                if item.type == FAILURE and item.identity not in told]  # fmt: skip
        return view.with_more(more) if more else view

    def subtasks(
        self, members: Sequence[int], statuses: Mapping[int, int]
    ) -> list[tuple[str, int, bool]]:
        """Name, status and whether it was skipped, of each task that there was an occasion for.
        `statuses` are those of nodes that failed."""
        nodes, states = self._graph.nodes, self._plan.states
        return [
            (nodes[number].name, statuses.get(number, 0), states[number] is State.SKIPPED)
            for number in members
            if number in statuses or self._had_occasion(nodes[number])
        ]

    def _had_occasion(self, node: Node) -> bool:
        """Not a node that keeps books, nor one behind a gate that was not opened."""
        is_open = node.gate is None or self._gates.is_open(node.gate)
        return is_open and not isinstance(node.work, Entry | Gate)

    def _failures(self, compound: Node, work: Compound) -> Iterator[Finished]:
        """Of the nodes whose failures count in this compound."""
        for number in work.members:
            is_counted = self._graph.nodes[number].scope == compound.number
            end = self._finished[number]
            if is_counted and end is not None and self._plan.states[number] is State.FAILED:
                yield end
