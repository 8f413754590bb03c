"""The gates of one run: which branches and iterations are done (section 20)."""

from collections.abc import Callable, Sequence

from dfm.graph.dataflow import Item
from dfm.graph.node import Compound, Decision, Disabled, Gate, Node


class Gates:
    """`output_of` says what a node that is over has emitted."""

    def __init__(self, output_of: Callable[[int], Sequence[Item]]) -> None:
        self._output_of = output_of
        self._decisions: dict[int, Decision] = {}  # by the numbers of gates

    def leaves_out(self, node: Node) -> bool:
        """Whether a node stands behind a closed gate; if it is one itself, it is closed then."""
        # What `iff` has disabled waits for no gate.
        if node.gate is None or isinstance(node.work, Disabled) or self.is_open(node.gate):
            return False
        if isinstance(node.work, Gate):
            self._decisions[node.number] = Decision(
                taken=False, is_settled=True, state={}, items=None
            )
        return True

    def decide(self, node: Node, gate: Gate) -> Sequence[Item]:
        """Opens a gate or leaves it closed; returns what comes in by it. Raises GateError."""
        inputs = self._output_of(gate.entry)
        outputs = [item for number in gate.results for item in self._output_of(number)]
        before = self._decisions[gate.before] if gate.before is not None else None
        decision = gate.decide(
            before, [item.fields for item in inputs], [item.fields for item in outputs]
        )
        self._decisions[node.number] = decision
        if decision.items is not None:
            return [
                Item({**fields, "src": node.name, "seq": seq}, node.number, seq)
                for seq, fields in enumerate(decision.items)
            ]
        return inputs if decision.taken else ()

    def emitted(self, work: Compound) -> Sequence[Item]:
        """By the last iteration that was done, or the branch; without one the inputs pass."""
        return [item for number in self.emitting(work) for item in self._output_of(number)]

    def emitting(self, work: Compound) -> tuple[int, ...]:
        """The nodes that emit it."""
        assert work.turns is not None
        assert work.entry is not None
        done = [results for gate, results in work.turns if self.is_open(gate)]
        return done[-1] if done else (work.entry,)

    def is_open(self, gate: int) -> bool:
        """Whether it was opened; one that nothing has come to was not."""
        decision = self._decisions.get(gate)
        return decision is not None and decision.taken
