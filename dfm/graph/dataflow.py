"""Which data items a node receives, consumes, forwards and emits: pure (section 17)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dfm.graph.node import Compound, Disabled, Entry, Gate, Node, Pattern, Selection
from dfm.graph.values import Fields

ENV = "std.Env"
FAILURE = "std.TaskFailure"


class Item:
    """One data item. `fields` is what flows and records see; `origin` is the node that made it."""

    __slots__ = ("fields", "identity", "type")

    def __init__(self, fields: Fields, origin: int, seq: int) -> None:
        self.fields = fields
        self.type = str(fields["type"])
        self.identity = (origin, seq)


class Incoming(NamedTuple):
    """What reaches a node through its needs."""

    raw: list[Item]  # with repetitions, as it is forwarded
    items: list[Item]  # each once, first position


def incoming(outputs: Iterable[Sequence[Item]]) -> Incoming:
    """Joins the outputs of a node's needs, in the order of the needs."""
    raw = [item for output in outputs for item in output]
    once: dict[tuple[int, int], Item] = {}
    for item in raw:
        once.setdefault(item.identity, item)
    return Incoming(raw, list(once.values()))


def matches(fields: Fields, pattern: Pattern) -> bool:
    """Whether an item fits one pattern: of its keys that the item has there is one, and all agree."""
    present = [key for key in pattern if key in fields]
    return bool(present) and all(fields[key] == pattern[key] for key in present)


def is_consumed(item: Item, consumes: Selection) -> bool:
    if item.type == ENV or consumes == "all":
        return True
    if isinstance(consumes, str):
        return False
    return any(matches(item.fields, pattern) for pattern in consumes)


def inputs_of(node: Node, came: Incoming) -> list[Item]:
    """The items that a node reads."""
    if isinstance(node.work, Compound):
        return came.items if node.work.is_matrix or node.work.on_error else []
    return [item for item in came.items if is_consumed(item, node.consumes)]


def forwarded(node: Node, came: Incoming) -> list[Item]:
    """The items that a node passes on from its needs. Those of type std.Env go one step only."""
    match node.work:
        case Compound(is_matrix=is_matrix, is_empty=is_empty):
            return came.raw if is_matrix or not is_empty else []
        case Disabled():
            return []
        case Entry() | Gate():
            return [item for item in came.raw if item.type != ENV]
    return [item for item in came.raw if item.type != ENV and _passes(item, node)]


def _passes(item: Item, node: Node) -> bool:
    match node.passthrough:
        case "all":
            return True
        case "none":
            return False
        case "unused":
            return not is_consumed(item, node.consumes)
        case patterns:
            return any(matches(item.fields, pattern) for pattern in patterns)
