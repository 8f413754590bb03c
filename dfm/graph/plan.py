"""Which node may be done next, and what a failure stops: pure (sections 27 and 28).

A node becomes ready when all that it waits for is over. Failures count in the scope they happen in:
the nearest compound that contains failures, else the run. A scope that has had its last failure
starts nothing more. Everything is linear in nodes and edges.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from dfm.graph.node import Compound, Graph


class State(enum.Enum):
    """Of a node in a run."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"  # succeeded, or was up to date
    FAILED = "failed"
    SKIPPED = "skipped"  # never started: what it needs failed, or its scope has stopped


LEGAL = {
    State.WAITING: frozenset({State.READY, State.SKIPPED}),
    State.READY: frozenset({State.RUNNING, State.DONE, State.FAILED, State.SKIPPED}),
    State.RUNNING: frozenset({State.DONE, State.FAILED, State.SKIPPED}),  # SKIPPED: it was recalled
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
    State.SKIPPED: frozenset(),
}
OVER = frozenset({State.DONE, State.FAILED, State.SKIPPED})


@dataclass(slots=True)
class Scope:
    """How many failures happened in a part of the graph, and how many it takes to stop it."""

    limit: int  # 0: any number
    failures: int = 0
    outer: "Scope | None" = None

    @property
    def has_stopped(self) -> bool:
        scope: Scope | None = self
        while scope is not None:
            if scope.limit and scope.failures >= scope.limit:
                return True
            scope = scope.outer
        return False


class Plan:
    """What is left to do in one run of a graph."""

    def __init__(self, graph: Graph, *, keep_going: bool) -> None:
        self._graph = graph
        self.states = [State.WAITING] * len(graph.nodes)
        self.cause: dict[int, int] = {}  # of a skipped node: the failure that it follows
        self._missing = [0] * len(graph.nodes)
        self._dependents: list[list[int]] = [[] for _ in graph.nodes]
        for node in graph.nodes:
            for need in graph.waits(node):
                self._missing[node.number] += 1
                self._dependents[need].append(node.number)
        self._run_scope = Scope(limit=0 if keep_going else 1)
        self._scopes: dict[int, Scope] = {}
        self._make_scopes()
        self.left = len(graph.nodes)
        self._skipped: list[int] = []  # that nobody has asked for yet

    def _make_scopes(self) -> None:
        containing = {
            node.number: Scope(limit=max(node.work.max_failures, 0))
            for node in self._graph.nodes
            if isinstance(node.work, Compound) and node.work.contains_failures
        }
        self._scopes = containing
        for number, scope in containing.items():
            outer = self._graph.nodes[number].scope
            scope.outer = self._run_scope if outer is None else containing[outer]

    def limit_failures(self, count: int) -> None:
        """How many failures it takes to stop the run; 0: any number."""
        self._run_scope.limit = count

    def begin(self) -> list[int]:
        """The nodes that are ready from the start."""
        return [n for n, count in enumerate(self._missing) if not count and self._make_ready(n)]

    def may_start(self, number: int) -> bool:
        """False once the scope of a ready node has stopped: it is to be skipped then."""
        return not self._scope(number).has_stopped

    def are_done(self, numbers: Iterable[int]) -> bool:
        return all(self.states[number] is State.DONE for number in numbers)

    def run(self, number: int) -> None:
        self._move(number, State.RUNNING)

    def finish(self, number: int, *, ok: bool) -> list[int]:
        """A node is over; returns the nodes that became ready."""
        self._move(number, State.DONE if ok else State.FAILED)
        if not ok:
            self._scope(number).failures += 1
        return self._release([number])

    def skip(self, number: int, cause: int | None = None) -> list[int]:
        """A node will not be started; returns the nodes that became ready."""
        self._skip(number, cause)
        return self._release([number])

    def take_skipped(self) -> list[int]:
        """The nodes that were skipped since the last call."""
        skipped, self._skipped = self._skipped, []
        return skipped

    def stop(self) -> None:
        """Nothing more is started: the run is interrupted."""
        self._run_scope.limit = self._run_scope.failures = 1

    def _scope(self, number: int) -> Scope:
        owner = self._graph.nodes[number].scope
        return self._run_scope if owner is None else self._scopes[owner]

    def _move(self, number: int, state: State) -> None:
        old = self.states[number]
        assert state in LEGAL[old], f"{self._graph.nodes[number].name}: {old} to {state}"
        self.states[number] = state
        if state in OVER:
            self.left -= 1

    def _skip(self, number: int, cause: int | None) -> None:
        self._move(number, State.SKIPPED)
        self._skipped.append(number)
        if cause is not None:
            self.cause[number] = cause

    def _release(self, over: list[int]) -> list[int]:
        """What the ends of these nodes make ready. Skips those that cannot be done, and so on."""
        ready: list[int] = []
        while over:
            for dependent in self._dependents[over.pop()]:
                self._missing[dependent] -= 1
                if self._missing[dependent]:
                    continue
                if self._make_ready(dependent):
                    ready.append(dependent)
                else:
                    over.append(dependent)
        return ready

    def _make_ready(self, number: int) -> bool:
        """Ready, or skipped at once when something that has to succeed has not."""
        missing = [n for n in self._must_succeed(number) if self.states[n] is not State.DONE]
        if missing:
            failed = (n if self.states[n] is State.FAILED else self.cause.get(n) for n in missing)
            self._skip(number, next((cause for cause in failed if cause is not None), None))
            return False
        self._move(number, State.READY)
        return True

    def _must_succeed(self, number: int) -> Iterable[int]:
        """The needs of a node; of a compound that contains failures only what its body waits for."""
        node = self._graph.nodes[number]
        if isinstance(node.work, Compound) and node.work.contains_failures:
            return () if node.work.entry is None else (node.work.entry,)
        if isinstance(node.work, Compound) and node.work.waits_for_entry:
            return self._graph.waits(node)
        return node.needs
