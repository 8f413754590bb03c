"""A graph as DOT text, for Graphviz (section 37.3)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dfm.graph.node import Compound, Entry, Graph, Node

_LONGEST = 60  # characters of a value in a label


def dot(graph: Graph, inside: Sequence[int | None], *, with_params: bool) -> str:
    """`inside` has the compound that each node is a member of. Edges go from need to dependent."""
    members: dict[int | None, list[Node]] = {}
    for node in graph.nodes:
        members.setdefault(inside[node.number], []).append(node)
    lines = [f"digraph {_quoted(graph.package)} {{", "  rankdir=LR;", "  node [shape=box];"]
    lines += _nested(members, with_params=with_params)
    for node in graph.nodes:
        lines += (f"  n{need} -> n{node.number};" for need in node.needs)
    return "\n".join([*lines, "}", ""])


def _nested(members: Mapping[int | None, Sequence[Node]], *, with_params: bool) -> Iterator[str]:
    """The nodes, those of a body in a cluster with the compound itself. A stack: no recursion."""
    stack: list[Iterator[Node]] = [iter(members.get(None, ()))]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            if stack:
                yield f"{'  ' * len(stack)}}}"
            continue
        margin = "  " * len(stack)
        if isinstance(node.work, Compound):
            yield f"{margin}subgraph cluster_{node.number} {{"
            yield f"{margin}  label={_quoted(node.name)};"
            yield f"{margin}  {_node(node, with_params=with_params)}"
            stack.append(iter(members.get(node.number, ())))
        else:
            yield f"{margin}{_node(node, with_params=with_params)}"


def _node(node: Node, *, with_params: bool) -> str:
    lines = [node.name]
    if with_params and not isinstance(node.work, Entry):
        lines += _values(node)
    style = ", style=dashed" if isinstance(node.work, Entry) else ""
    return f"n{node.number} [label={_quoted(*lines)}{style}];"


def _values(node: Node) -> Iterable[str]:
    for name, value in node.params.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"{name} = {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"


def _quoted(*lines: str) -> str:
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for line in lines)
    return '"' + "\\n".join(escaped) + '"'
