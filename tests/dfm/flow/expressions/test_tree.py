from dfm.flow.expressions.parser import parse_text
from dfm.flow.expressions.tree import Literal, Name, levels


def test_every_node_is_in_one_level() -> None:
    text = "${{ [a] if !b else c | map(d) | split(e) }}${{ len(f) && g[h:i] || j[k] + -l ** m }}"
    nodes = [node for level in levels(parse_text(text)) for node in level]
    assert sorted(node.path[0] for node in nodes if isinstance(node, Name)) == [*"abcdefghijklm"]


def test_a_leaf_is_one_level() -> None:
    assert list(levels(Literal(1))) == [[Literal(1)]]
