"""The filters of `std` (section 15.6): functions over lists of data items, or of paths."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.values import as_text, kind
from dfm.graph.values import Fields, Value

_FILE_SETS = frozenset({"std.FileSet", "std.PubSet"})


def by_filetype(value: Value, filetype: Value) -> Value:
    """The items with that filetype."""
    return [item for item in _items(value) if item.get("filetype") == filetype]


def by_type(value: Value, name: Value) -> Value:
    """The items of that type."""
    return [item for item in _items(value) if item.get("type") == name]


def first_of_type(value: Value, name: Value) -> Value:
    """The first item of that type; null if there is none."""
    return next((item for item in _items(value) if item.get("type") == name), None)


def pluck(value: Value, field: Value) -> Value:
    """That field of each item; null where there is none."""
    return [item.get(as_text(field)) for item in _items(value)]


def paths(value: Value) -> Value:
    """All files of file sets, with their basedir; a text is a path itself."""
    return [*_paths(value)]


def basenames(value: Value) -> Value:
    """The last parts of these paths."""
    return [os.path.basename(path) for path in _paths(value)]


def extensions(value: Value) -> Value:
    """Of each path, with its dot; empty for one that has none."""
    return [os.path.splitext(path)[1] for path in _paths(value)]


def count_by_type(value: Value) -> Value:
    """A map of types to how many items there are."""
    counted = Counter(as_text(item.get("type")) for item in _items(value))
    return dict[str, Value](counted)


def _elements(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [value]
    raise ExpressionError(f"a list of items is wanted, not {kind(value)}")


def _items(value: Value) -> list[Fields]:
    return [element for element in _elements(value) if isinstance(element, dict)]


def _paths(value: Value) -> Iterator[str]:
    """All files of file sets; a text is a path itself."""
    for element in _elements(value):
        if isinstance(element, str):
            yield element
        elif isinstance(element, dict) and element.get("type") in _FILE_SETS:
            files = element.get("files")
            for file in files if isinstance(files, list) else [files]:
                if isinstance(file, str) and file:
                    yield os.path.join(as_text(element.get("basedir") or ""), file)


LIBRARY: Mapping[str, Callable[..., Value]] = {
    "by_filetype": by_filetype,
    "by_type": by_type,
    "first_of_type": first_of_type,
    "pluck": pluck,
    "paths": paths,
    "basenames": basenames,
    "extensions": extensions,
    "count_by_type": count_by_type,
}
