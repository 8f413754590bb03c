"""The tree of an expression. `at` is an offset in the text it was parsed from.

NamedTuples, since the language is imported at every start: the same classes as frozen dataclasses
cost seven times as much (70 us each against 490), and 8 ms more for their module.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias, assert_never


class Literal(NamedTuple):
    value: bool | int | float | str | None


class Name(NamedTuple):
    """A dotted name that the scope knows."""

    path: tuple[str, ...]
    at: int


class Element(NamedTuple):
    """`input` or `item` inside `map`, `select`, `group_by`, and the fields that are asked of it."""

    path: tuple[str, ...]
    at: int


class Fallback(NamedTuple):
    """`name:-text`: the text if there is no such name."""

    name: Name | Element
    text: str


class Text(NamedTuple):
    """Literal text with expressions in it."""

    parts: tuple["str | Node", ...]


class ListOf(NamedTuple):
    items: tuple["Node", ...]


class Not(NamedTuple):
    operand: "Node"


class And(NamedTuple):
    operands: tuple["Node", ...]


class Or(NamedTuple):
    operands: tuple["Node", ...]


class Branch(NamedTuple):
    condition: "Node"
    value: "Node"


class Conditional(NamedTuple):
    """`A if C else B if D else E`: the value of the first branch that is true."""

    branches: tuple[Branch, ...]
    otherwise: "Node"


class Call(NamedTuple):
    """`f(a, b)`."""

    function: str
    arguments: tuple["Node", ...]
    at: int


class Chain(NamedTuple):
    """What is done to a value one after the other. Flat, so that a long sum needs no deep stack."""

    first: "Node"
    links: tuple["Link", ...]


class Binary(NamedTuple):
    sign: str
    operand: "Node"
    at: int


class Negate(NamedTuple):
    at: int


class Index(NamedTuple):
    key: "Node"
    at: int


class Slice(NamedTuple):
    low: "Node | None"
    high: "Node | None"
    at: int


class Each(NamedTuple):
    """`x[]`."""

    at: int


class Field(NamedTuple):
    """`.name` of a value that is no name itself: `x[0].name`."""

    name: str
    at: int


class Pipe(NamedTuple):
    """`| f(a)`: the arguments are values."""

    function: str
    arguments: tuple["Node", ...]
    at: int


class Filtered(NamedTuple):
    """`| f(a)` with a filter that is not built in: the scope knows it, or nobody."""

    function: str
    arguments: tuple["Node", ...]
    at: int


class PipeEach(NamedTuple):
    """`| map(E)`: the argument is evaluated once for each element."""

    function: str
    body: "Node"
    at: int


Link: TypeAlias = Binary | Negate | Index | Slice | Each | Field | Pipe | Filtered | PipeEach
Node: TypeAlias = (
    Literal
    | Name
    | Element
    | Fallback
    | Text
    | ListOf
    | Not
    | And
    | Or
    | Conditional
    | Call
    | Chain
)


def levels(root: Node) -> Iterator[list[Node]]:
    """All nodes, level by level. It needs no deep stack, so that it can be used before what does."""
    level = [root]
    while level:
        yield level
        level = [child for node in level for child in _children(node)]


def _children(node: Node) -> Iterable[Node]:
    match node:
        case Literal() | Name() | Element() | Fallback():
            return ()
        case Text(parts):
            return [part for part in parts if not isinstance(part, str)]
        case ListOf(nodes) | And(nodes) | Or(nodes) | Call(arguments=nodes):
            return nodes
        case Not(operand):
            return (operand,)
        case Conditional(branches, otherwise):
            return [child for branch in branches for child in branch] + [otherwise]
        case Chain(first, links):
            return [first, *(child for link in links for child in _operands(link))]
        case _:
            assert_never(node)


def _operands(link: Link) -> Iterator[Node]:
    match link:
        case Binary(operand=node) | Index(key=node) | PipeEach(body=node):
            yield node
        case Slice(low, high):
            yield from (bound for bound in (low, high) if bound is not None)
        case Pipe(arguments=nodes) | Filtered(arguments=nodes):
            yield from nodes
        case Negate() | Each() | Field():
            pass
        case _:
            assert_never(link)
