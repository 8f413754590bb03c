"""Graphs written by hand, and graphs that hypothesis makes up."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from dfm.graph.node import Compound, Entry, Graph, Node, Nothing, Script, Work

ON_ERROR = Script("python", "m:f", "", "/src")


def node(number: int, *needs: int, work: Work | None = None, **more: Any) -> Node:
    name = f"p.n{number}"
    return Node(number, name, name, "/src", work or Nothing(), needs, **more)


def graph(*nodes: Node) -> Graph:
    return Graph(list(nodes), [len(nodes) - 1], "p")


class _Maker:
    """Makes bodies in bodies; some of them contain failures."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.nodes: list[Node] = []
        self._draw = draw

    def number(self) -> int:
        self.nodes.append(node(len(self.nodes)))
        return len(self.nodes) - 1

    def body(self, depth: int, scope: int | None, entry: int | None) -> list[int]:
        """Some nodes in a row that may need those before them; returns those that nobody needs."""
        made: list[int] = []
        needed: set[int] = set()
        for _ in range(self._draw(st.integers(0 if depth else 1, 5))):
            needs = self._draw(st.lists(st.sampled_from(made), unique=True)) if made else []
            needed.update(needs)
            before = needs or ([entry] if entry is not None else [])
            if depth < 3 and self._draw(st.integers(0, 3)) == 0:
                made.append(self.compound(depth + 1, scope, before))
            else:
                made.append(self.number())
                self.nodes[-1].needs, self.nodes[-1].scope = tuple(before), scope
        return [number for number in made if number not in needed]

    def compound(self, depth: int, scope: int | None, before: Sequence[int]) -> int:
        number, entry = self.number(), self.number()
        failures = self._draw(st.sampled_from([-1, -1, 0, 1, 2]))
        on_error = self._draw(st.sampled_from([None, None, ON_ERROR]))
        contains = failures != -1 or on_error is not None
        self.nodes[entry].work = Entry()
        self.nodes[entry].needs, self.nodes[entry].scope = tuple(before), scope
        first = len(self.nodes)
        terminals = self.body(depth, number if contains else scope, entry)
        members = tuple(range(first, len(self.nodes))) if contains else ()
        self.nodes[number].work = Compound(
            members, on_error, failures, is_empty=not terminals, entry=entry
        )
        self.nodes[number].needs = tuple(terminals) or (entry,)
        self.nodes[number].scope = scope
        return number


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs as flows make them."""
    maker = _Maker(draw)
    maker.body(0, None, None)
    return graph(*maker.nodes)
