"""What a node sees of its needs: items, their signature, whether they changed."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dfm.engine.signatures import Signatures
from dfm.graph.dataflow import Incoming, Item, incoming
from dfm.graph.node import Selection
from dfm.graph.values import Fields

_KEPT = 64  # views at hand: nodes with the same needs, as the cells of a matrix, follow each other


class Finished(NamedTuple):
    """What a node that is over means for those that need it."""

    output: Sequence[Item]
    changed: bool
    execution: str  # the last one that changed anything; "": unknown


NOTHING = Finished((), changed=False, execution="")


class View:
    """The needs of one or more nodes, joined; each part is worked out when it is first wanted."""

    __slots__ = ("_inputs", "_sign", "_signature", "changed", "executions", "items", "names")

    def __init__(
        self,
        names: Sequence[str],
        items: Incoming,
        executions: Mapping[str, str],
        sign: Callable[[Sequence[Item]], list[dict[str, Any]]],
        *,
        changed: bool,
    ) -> None:
        self.names = names  # of the needs
        self.items = items
        self.executions = executions  # of the needs, by name
        self.changed = changed
        self._sign = sign
        self._signature: list[dict[str, Any]] | None = None
        self._inputs: dict[str, tuple[list[Fields], bytes]] = {}

    def with_more(self, items: Sequence[Item]) -> "View":
        """The same needs and more items, which they did not emit: a change in any case."""
        joined = Incoming([*self.items.raw, *items], [*self.items.items, *items])
        return View(self.names, joined, self.executions, self._sign, changed=True)

    def signature(self) -> list[dict[str, Any]]:
        if self._signature is None:
            self._signature = self._sign(self.items.items)
        return self._signature

    def inputs(self, consumes: Selection, consumed: Sequence[Item]) -> tuple[list[Fields], bytes]:
        """The consumed items, and the same as JSON: one object for all nodes that consume alike."""
        key = consumes if isinstance(consumes, str) else json.dumps(consumes)
        if key not in self._inputs:
            fields = [item.fields for item in consumed]
            self._inputs[key] = (fields, json.dumps(fields).encode())
        return self._inputs[key]


class Views:
    """Makes views from what has finished."""

    def __init__(self, names: Sequence[str], signatures: Signatures) -> None:
        self._names = names
        self._signatures = signatures
        self._kept: dict[tuple[int, ...], View] = {}

    def of(self, needs: tuple[int, ...], finished: Sequence[Finished | None]) -> View:
        """The view of a node with these needs, which are over."""
        view = self._kept.pop(needs, None)
        if view is None:
            view = self._make(needs, finished)
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
        self._kept[needs] = view
        return view

    def _make(self, needs: tuple[int, ...], finished: Sequence[Finished | None]) -> View:
        ends = [finished[need] or NOTHING for need in needs]
        executions = {
            self._names[need]: end.execution
            for need, end in zip(needs, ends, strict=True)
            if end.execution
        }
        return View(
            [self._names[need] for need in needs],
            incoming(end.output for end in ends),
            executions,
            self._signatures.of,
            changed=any(end.changed for end in ends),
        )
