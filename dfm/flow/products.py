"""What tasks declare to produce, and what fits it (section 17.3): never looked at when tasks run."""

from collections.abc import Mapping

from dfm.flow.declarations import Context, Program
from dfm.flow.names import find_type
from dfm.flow.shapes import Shapes
from dfm.graph.node import Emit, Node
from dfm.graph.values import Fields, Value

_PROSE = "doc"


class Products:
    """Compares patterns of what is produced. An item of a derived type is one of its bases, too."""

    def __init__(self, program: Program, shapes: Shapes) -> None:
        self._program = program
        self._shapes = shapes

    def declares(self, node: Node, wanted: Mapping[str, Value], context: Context) -> bool:
        """Whether a node declares a product that has all that is wanted."""
        return any(self._fits(product, wanted, context) for product in _of(node))

    def _fits(self, product: Fields, wanted: Mapping[str, Value], context: Context) -> bool:
        for key, value in wanted.items():
            if key == "type":
                if not self._is_a(product.get(key), value, context):
                    return False
            elif key != _PROSE and product.get(key) != value:
                return False
        return True

    def _is_a(self, produced: Value, wanted: Value, context: Context) -> bool:
        if produced == wanted:
            return True
        if not isinstance(produced, str) or not isinstance(wanted, str):
            return False
        kind = find_type(self._program, produced, context)
        base = find_type(self._program, wanted, context)
        return bool(kind and base and self._shapes.is_a(kind, base.name))


def _of(node: Node) -> list[Fields]:
    """What it says, or what follows from its being the item of a data type."""
    if node.produces is None and isinstance(node.work, Emit):
        return [{**node.params, "type": node.work.type}]
    return node.produces or []
