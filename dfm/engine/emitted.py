"""The items that a node emits, from what it was given and what came of it (section 17.2)."""

from collections.abc import Sequence

from dfm.engine.incoming import View
from dfm.engine.records import Result
from dfm.graph.dataflow import FAILURE, Item, forwarded
from dfm.graph.node import Compound, Node
from dfm.graph.values import Fields


def emitted(node: Node, view: View, result: Result) -> list[Item]:
    """Forwarded items, then its own, then the one about its failure."""
    if isinstance(node.work, Compound) and result.items:
        return _chosen(node, view, result)
    return [*forwarded(node, view.items), *_own(node, result.items, result)]


def re_emitted(node: Node, view: View, recorded: Sequence[Fields]) -> list[Item]:
    """The same for a node that is up to date, from the output in its record."""
    return emitted(
        node,
        view,
        Result(
            0,
            changed=False,
            items=recorded
            if isinstance(node.work, Compound)
            else [fields for fields in recorded if fields.get("src") == node.name],
        ),
    )


def _own(node: Node, items: Sequence[Fields], result: Result) -> list[Item]:
    fields = list(items)
    if result.status:
        fields.append(
            {
                "type": FAILURE,
                "task_name": node.name,
                "status": result.status,
                "markers": [marker.as_json() for marker in result.markers],
            }
        )
    return [
        Item({**one, "src": node.name, "seq": seq}, node.number, seq)
        for seq, one in enumerate(fields)
    ]


def _chosen(node: Node, view: View, result: Result) -> list[Item]:
    """What an `on_error` function hands back: items of the body that it lets pass, and its own."""
    came = {(item.fields["src"], item.fields["seq"]): item for item in view.items.items}
    passed: list[Item] = []
    own: list[Fields] = []
    for fields in result.items:
        item = came.get((fields.get("src"), fields.get("seq")))
        if item is not None and item.fields == fields:
            passed.append(item)
        else:
            own.append(fields)
    return [*passed, *_own(node, own, result)]
