"""Reaching into lists, maps and strings: `a.b`, `x[i]`, `x[a:b]`, `x[]`."""

from dfm.flow.expressions.errors import ExpressionError, NameUnknown, near_matches
from dfm.flow.expressions.values import kind
from dfm.graph.values import Value


def descend(value: Value, path: tuple[str, ...], used: int) -> Value:
    """The rest of `path` below `value`, which is what its first `used` parts mean.

    A missing part is NameUnknown: by dot one says that it must be there.
    """
    for depth in range(used, len(path)):
        part = path[depth]
        if isinstance(value, dict) and part in value:
            value = value[part]
            continue
        owner = f"`{'.'.join(path[:depth])}`" if depth else "the value"
        if isinstance(value, dict):
            what = f"there is no `{part}` in {owner}"
            raise NameUnknown(path[: depth + 1], what, hint=near_matches(part, value))
        what = f"there is no `{part}` in {owner}: it is no map but {kind(value)}"
        raise NameUnknown(path[: depth + 1], what)
    return value


def index(value: Value, key: Value) -> Value:
    """`value[key]`: a missing key gives null, an index that is out of range is an ExpressionError."""
    if isinstance(value, dict):
        if isinstance(key, str):
            return value.get(key)
        raise ExpressionError(f"the index of a map must be str, not {kind(key)}")
    if not isinstance(value, (list, str)):
        raise ExpressionError(f"cannot index {kind(value)}")
    if not isinstance(key, int) or isinstance(key, bool):
        raise ExpressionError(f"the index of a {kind(value)} must be int, not {kind(key)}")
    if not -len(value) <= key < len(value):
        raise ExpressionError(f"index {key} is out of range: the length is {len(value)}")
    return value[key]


def slice_of(value: Value, low: Value, high: Value) -> Value:
    """`value[low:high]`, null for a bound that is not given."""
    if not isinstance(value, (list, str)):
        raise ExpressionError(f"cannot take a slice of {kind(value)}")
    return value[_bound(low) : _bound(high)]


def _bound(bound: Value) -> int | None:
    if bound is None or (isinstance(bound, int) and not isinstance(bound, bool)):
        return bound
    raise ExpressionError(f"the bound of a slice must be int, not {kind(bound)}")


def each(value: Value) -> list[Value]:
    """`value[]`: the values of a map, the elements of a list."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    raise ExpressionError(f"`[]` needs a list or a map, not {kind(value)}")
