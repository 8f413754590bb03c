"""YAML 1.1 as plain data, by libyaml where PyYAML has it. Only this file knows the YAML library.

Composing nodes and building the data here takes a fifth of the time of PyYAML's own constructor,
and finds keys that are there twice.
"""

import re
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from dfm.errors import FlowError, Place, Problem
from dfm.flow.document import Path, Position
from dfm.graph.values import Value

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_STR, _MERGE = f"{_TAG}str", f"{_TAG}merge"
# A date or a lone `=` means something to YAML and nothing to a flow: it is the text that was written.
_TEXT = frozenset({f"{_TAG}timestamp", f"{_TAG}value", _MERGE})
_MOST_NESTED = 200
_LEAD = re.compile(r"^[ \-?:\t]*", re.MULTILINE)


def read(text: str, file: str) -> Value:
    """The one document in `text`. Raises FlowError with every fault of this kind."""
    root = _compose(text, file)
    if root is None:
        return None
    builder = _Builder(file)
    try:
        data = builder.build(root)
    except ValueError as error:  # `!!int x`, an integer of a million digits
        raise FlowError(f"not valid YAML: {error}", place=Place(file)) from None
    if builder.problems:
        raise FlowError.of(builder.problems)
    return data


def find(text: str, path: Path) -> Position:
    """Line and column of the value at `path`, or of the nearest thing around it that exists."""
    node = _compose(text, "")
    mark = node.start_mark
    for step in path:
        if isinstance(node, yaml.MappingNode):
            entries = {str(key.value): (key, value) for key, value in node.value}
            if step not in entries:
                break
            key, node = entries[str(step)]
            mark = key.start_mark if isinstance(node, yaml.CollectionNode) else node.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1


def _compose(text: str, file: str) -> Any:
    try:
        _check_depth(text, file)
        loader = _LOADER(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        words = ", ".join(part for part in (error.context, error.problem) if part)
        raise FlowError(f"not valid YAML: {words}", place=_place(error, file)) from None
    except yaml.YAMLError as error:
        raise FlowError(f"not valid YAML: {error}", place=Place(file)) from None


def _place(error: yaml.MarkedYAMLError, file: str) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _check_depth(text: str, file: str) -> None:
    """libyaml's composer recurses without a limit: 100,000 opening brackets would end the process."""
    bound = text.count("[") + text.count("{") + max(map(len, _LEAD.findall(text)), default=0)
    if bound <= _MOST_NESTED:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MOST_NESTED:
            mark: Any = event.start_mark
            place = Place(file, mark.line + 1, mark.column + 1)
            raise FlowError(f"nested more than {_MOST_NESTED} levels deep", place=place)


class _Builder:
    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._scalars = SafeConstructor()
        self._built: dict[int, Value] = {}  # collections, so that an alias is the same object
        self._open: set[int] = set()

    def build(self, node: Any) -> Value:
        if type(node) is yaml.ScalarNode:
            return node.value if node.tag == _STR else self._scalar(node)
        identity = id(node)
        if identity in self._built:
            return self._built[identity]
        if identity in self._open:
            self._problem("an alias that contains itself", node)
            return None
        self._open.add(identity)
        value: Value = (
            self._mapping(node)
            if type(node) is yaml.MappingNode
            else [self.build(element) for element in node.value]
        )
        self._open.discard(identity)
        self._built[identity] = value
        return value

    def _mapping(self, node: Any) -> dict[str, Value]:
        result: dict[str, Value] = {}
        merged: list[Any] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged.append(value)
                continue
            name = self._key(key)
            if name in result:
                self._problem(f"`{name}` is there twice", key)
            result[name] = self.build(value)
        for value in merged:
            self._merge(result, value)
        return result

    def _merge(self, result: dict[str, Value], node: Any) -> None:
        """`<<: *base`: what the mapping does not say itself (https://yaml.org/type/merge.html)."""
        bases = node.value if type(node) is yaml.SequenceNode else [node]
        for base in bases:
            fields = self.build(base)
            if isinstance(fields, dict):
                for name, value in fields.items():
                    result.setdefault(name, value)
            else:
                self._problem("`<<` takes a map or a list of maps", node)

    def _key(self, key: Any) -> str:
        if type(key) is not yaml.ScalarNode:
            self._problem("a key must be plain text", key)
            return ""
        value = key.value if key.tag == _STR else self._scalar(key)
        return value if isinstance(value, str) else str(value).lower()

    def _scalar(self, node: Any) -> Value:
        kind = node.tag.removeprefix(_TAG)
        if node.tag in _TEXT:
            return str(node.value)
        constructor = self._scalars
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return bool(constructor.construct_yaml_bool(node))
                case "int":
                    return int(constructor.construct_yaml_int(node))
                case "float":
                    return float(constructor.construct_yaml_float(node))
        except LookupError as error:  # `!!bool 3`
            raise ValueError(f"{node.value!r} as {kind}: {error}") from None
        self._problem(f"the tag {node.tag} means nothing in a flow", node)
        return None

    def _problem(self, what: str, node: Any) -> None:
        mark = node.start_mark
        self.problems.append(Problem(what, Place(self._file, mark.line + 1, mark.column + 1)))
