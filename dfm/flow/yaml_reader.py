"""YAML 1.1 as plain data, by libyaml where PyYAML has it. Only this file knows the YAML library.

Composing nodes and building the data here takes a fifth of the time of PyYAML's own constructor,
and finds keys that are there twice.
"""

import functools
import re
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from dfm.errors import FlowError, Place, Problem
from dfm.flow.document import MOST_BITS, MOST_NESTED, Path, Position
from dfm.graph.values import Value

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_STR, _MERGE = f"{_TAG}str", f"{_TAG}merge"
# A date or a lone `=` means something to YAML and nothing to a flow: it is the text that was written.
_TEXT = frozenset({f"{_TAG}timestamp", f"{_TAG}value", _MERGE})
# Ten aliases of ten aliases of ten: a few lines can stand for more than a machine holds.
_MOST_VALUES = 10_000_000
_LEAD = re.compile(r"^[ \-?:\t]*", re.MULTILINE)
# Brackets with none inside, as far as quotes leave no doubt.
_LEAF = re.compile(r"""[\[{](?:[^\[\]{}"'#]++|'[^'\n\[\]{}]*+'|"[^"\\\n\[\]{}]*+")*+[\]}]""")
_LEAF_ROUNDS = 4
_PARSERS_LIMIT = "maximum nesting depth"  # libyaml 0.2.6 has one too, and meets it reading ahead
_TOO_DEEP = f"nested more than {MOST_NESTED} levels deep"


def read(text: str, file: str) -> Value:
    """The one document in `text`. Raises FlowError with every fault of this kind."""
    root = _compose(text, file)
    if root is None:
        return None
    builder = _Builder(file)
    data = builder.build(root)
    if builder.problems:
        raise FlowError.of(builder.problems)
    return data


def find(text: str, path: Path, is_key: bool) -> Position:
    """Line and column of the value at `path`, or of the nearest thing around it that exists.

    Where the value is a list or a map, it is its key, which is on the line that people look for.
    """
    node = _last_composed(text)
    if node is None:
        return 1, 1
    mark = node.start_mark
    for depth, step in enumerate(path, 1):
        if isinstance(node, yaml.MappingNode):
            entries = {_name(key): (key, value) for key, value in node.value}
            if step not in entries:
                break
            key, node = entries[str(step)]
            is_wanted = is_key and depth == len(path)
            is_long = isinstance(node, yaml.CollectionNode)
            mark = key.start_mark if is_wanted or is_long else node.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1


@functools.lru_cache(1)
def _last_composed(text: str) -> Any:
    """One file mostly has all the faults."""
    return _compose(text, "")


def _compose(text: str, file: str) -> Any:
    try:
        _check_depth(text, file)
        loader = _LOADER(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = _place(error, file)
        if _PARSERS_LIMIT in (error.problem or ""):
            raise FlowError(_TOO_DEEP, place=place) from None
        lines = text.split("\n", place.line)
        is_tab = (
            0 < place.line <= len(lines) and lines[place.line - 1][place.column - 1 :][:1] == "\t"
        )
        raise FlowError(
            f"not valid YAML: {_words(error)}", place=place,
            hint="YAML is indented by spaces, not by tabs" if is_tab else "",
        ) from None  # fmt: skip
    except yaml.reader.ReaderError as error:
        character = chr(error.character)
        what = f"not valid YAML: {error.reason}: {character!r}"
        raise FlowError(what, place=_place_in(text, character, file)) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise FlowError(f"not valid YAML: {error}", place=Place(file)) from None


def _place_in(text: str, character: str, file: str) -> Place:
    """Where it is first. The error's own offset counts bytes or characters, as libraries differ."""
    offset = text.index(character)
    return Place(file, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _words(error: yaml.MarkedYAMLError) -> str:
    context = error.context or ""
    if error.context_mark:  # where the bracket opens that is not closed at the end of the file
        context += f" from line {error.context_mark.line + 1}"
    return ", ".join(part for part in (context, error.problem) if part)


def _place(error: yaml.MarkedYAMLError, file: str) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _check_depth(text: str, file: str) -> None:
    """libyaml's composer recurses without a limit: 100,000 opening brackets would end the process."""
    if _is_shallow(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_NESTED:
            mark: Any = event.start_mark
            place = Place(file, mark.line + 1, mark.column + 1)
            raise FlowError(_TOO_DEEP, place=place)


def _is_shallow(text: str) -> bool:
    """Whether it can be seen without parsing that nothing is nested too deep, as nearly always."""
    lead = max(map(len, _LEAD.findall(text)), default=0)
    for removed in range(_LEAF_ROUNDS):
        if text.count("[") + text.count("{") + lead + removed <= MOST_NESTED:
            return True
        text = _LEAF.sub("", text)
    return False


class _Builder:
    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._built: dict[int, Value] = {}  # collections, so that an alias is the same object
        self._open: set[int] = set()
        self._values = 0  # with aliases written out
        self._sizes: dict[int, int] = {}  # of collections, in the same way
        self._deepest = 0  # level, of what is being built
        self._heights: dict[int, int] = {}  # of collections

    def build(self, node: Any) -> Value:
        if type(node) is yaml.ScalarNode:
            return node.value if node.tag == _STR else self._scalar(node)
        identity = id(node)
        if identity in self._built:
            self._count(self._sizes[identity], node)
            self._reach(len(self._open) + self._heights[identity], node)
            return self._built[identity]
        if identity in self._open:
            self._problem("an alias that contains itself", node)
            return None
        self._open.add(identity)
        before, level, outer = self._values, len(self._open), self._deepest
        self._deepest = 0
        self._reach(level, node)
        self._count(len(node.value), node)
        value: Value = (
            self._mapping(node)
            if type(node) is yaml.MappingNode
            else [self.build(element) for element in node.value]
        )
        self._open.discard(identity)
        self._built[identity] = value
        self._sizes[identity] = self._values - before
        self._heights[identity] = self._deepest - level + 1
        self._deepest = max(outer, self._deepest)
        return value

    def _reach(self, level: int, node: Any) -> None:
        self._deepest = max(self._deepest, level)
        if level > MOST_NESTED:
            raise FlowError(_TOO_DEEP, place=_place_of(node, self._file))

    def _count(self, values: int, node: Any) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            what = f"more than {_MOST_VALUES:,} values, with its aliases written out"
            raise FlowError(what, place=_place_of(node, self._file))

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
        return _text_of(key.value if key.tag == _STR else self._scalar(key))

    def _scalar(self, node: Any) -> Value:
        try:
            return _plain(node)
        except _TagUnknown:
            self._problem(f"the tag {node.tag} means nothing in a flow", node)
        except (ValueError, LookupError, OverflowError):  # `!!int x`, `!!bool 3`
            written = node.value if len(node.value) <= 40 else f"{node.value[:37]}..."
            kind = node.tag.removeprefix(_TAG)
            self._problem(f"{written!r} cannot be read as {kind}", node)
        return None

    def _problem(self, what: str, node: Any) -> None:
        self.problems.append(Problem(what, _place_of(node, self._file)))


_SCALARS = SafeConstructor()


class _TagUnknown(Exception):
    """A scalar has a tag that is none of YAML's own."""


def _plain(node: Any) -> Value:
    """The value of a scalar. Raises _TagUnknown, ValueError, LookupError, OverflowError."""
    if node.tag in _TEXT:
        return str(node.value)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return bool(_SCALARS.construct_yaml_bool(node))
        case "int":
            number = int(_SCALARS.construct_yaml_int(node))
            if number.bit_length() > MOST_BITS:
                raise OverflowError
            return number
        case "float":
            return float(_SCALARS.construct_yaml_float(node))
    raise _TagUnknown


def _text_of(key: Value) -> str:
    return key if isinstance(key, str) else str(key).lower()


def _name(key: Any) -> str:
    """A key as the data has it, of a document that has no faults of YAML."""
    return _text_of(key.value if key.tag == _STR else _plain(key))


def _place_of(node: Any, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)
