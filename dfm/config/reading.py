"""A YAML file as nodes that know their place. Beside `merge_keys`, only this file knows the YAML library.

Nodes are looked at one level at a time, as far as the tables of fields reach: an alias that contains
itself, or one that unfolds into billions of elements, costs nothing.
"""

from typing import Literal, NamedTuple, Protocol

import yaml
from yaml.constructor import SafeConstructor

from dfm.config.merge_keys import split_pairs
from dfm.errors import ConfigError, Place

Shape = Literal["text", "integer", "number", "boolean", "nothing", "list", "mapping", "tagged"]

_LOADER: "type[yaml.CSafeLoader | yaml.SafeLoader]" = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_NESTED = 50
_PARSERS_LIMIT = "maximum nesting depth"  # libyaml 0.2.6 has one too, and meets it reading ahead
_TOO_DEEP = f"nested more than {_MOST_NESTED} levels deep"
_TAG = "tag:yaml.org,2002:"
# A date, `=` and `<<` mean something to YAML and nothing here: they are the text that was written.
_SCALARS: dict[str, Shape] = {
    "null": "nothing",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "str": "text",
    "timestamp": "text",
    "value": "text",
    "merge": "text",
}


class Node:
    """One value of a file. `tagged` is what only an application that knows the tag could read."""

    __slots__ = ("_file", "_node", "shape")

    def __init__(self, node: yaml.Node, file: str) -> None:
        self._node = node
        self._file = file
        self.shape: Shape = _shape(node)

    @property
    def place(self) -> Place:
        return _place(self._node.start_mark, self._file)

    @property
    def text(self) -> str:
        """A scalar as it was written, but without quotes."""
        assert isinstance(self._node, yaml.ScalarNode)
        return str(self._node.value)

    def integer(self) -> int:
        """What YAML 1.1 makes of it (`0x10`, `1_000`, `010`). Raises ValueError: too long, `!!int x`."""
        assert isinstance(self._node, yaml.ScalarNode)
        try:
            return int(SafeConstructor().construct_yaml_int(self._node))
        except LookupError as error:  # `!!int ""`
            raise ValueError(str(error)) from error

    def boolean(self) -> bool:
        """Raises ValueError for a lie such as `!!bool 3`."""
        assert isinstance(self._node, yaml.ScalarNode)
        try:
            return bool(SafeConstructor().construct_yaml_bool(self._node))
        except LookupError as error:
            raise ValueError(str(error)) from error

    def items(self) -> list["Node"]:
        assert isinstance(self._node, yaml.SequenceNode)
        return [Node(item, self._file) for item in self._node.value]

    def entries(self) -> list["Entry"]:
        """Keys and values as written, repeated keys too; then what `<<` adds to them."""
        assert isinstance(self._node, yaml.MappingNode)
        own, merged = split_pairs(self._node)
        return [
            Entry(Node(key, self._file), Node(value, self._file)) for key, value in own + merged
        ]

    def __str__(self) -> str:
        """In words, as the end of "must be ..., not"."""
        match self.shape:
            case "list" | "mapping":
                return f"a {self.shape}"
            case "nothing":
                return "nothing"
            case "tagged":
                return f"a value with the tag {shorten(self._node.tag)}"
            case "text":
                return f"the text {shorten(self.text)!r}"
            case "boolean":
                return f"the boolean {shorten(self.text)}"
            case _:
                return f"the number {shorten(self.text)}"


class Entry(NamedTuple):
    key: Node
    value: Node


def compose(data: bytes, file: str) -> Node | None:
    """The one document in `data`; None if there is none. Raises ConfigError."""
    try:
        _check_depth(data, file)
        loader = _LOADER(data)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark, file)
        if _PARSERS_LIMIT in (error.problem or ""):
            raise ConfigError(_TOO_DEEP, place=place) from None
        words = ", ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError(f"not valid YAML: {words}", place=place) from error
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        raise ConfigError(f"not valid YAML: {error.reason}", place=Place(file, line)) from error
    return Node(node, file) if node is not None else None


def shorten(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _check_depth(data: bytes, file: str) -> None:
    """The C composer recurses without a limit: 100,000 opening brackets end the process."""
    depth = 0
    for event in yaml.parse(data, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MOST_NESTED:
            raise ConfigError(_TOO_DEEP, place=_place(event.start_mark, file))


class _Mark(Protocol):
    """Both loaders' marks; they count from 0."""

    line: int
    column: int


def _place(mark: _Mark | None, file: str) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _shape(node: yaml.Node) -> Shape:
    tag = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.ScalarNode):
        return _SCALARS.get(tag, "tagged")
    if isinstance(node, yaml.MappingNode) and tag == "map":
        return "mapping"
    return "list" if isinstance(node, yaml.SequenceNode) and tag == "seq" else "tagged"
