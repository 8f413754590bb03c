from collections.abc import Callable

import pytest

from dfm.flow.expressions.errors import ExpressionError, NameUnknown
from dfm.graph.values import Value

KNOWN: dict[str, Value] = {
    "x": ["a", "b", "c"],
    "m": {"k": {"seed": 7}, "none": None, "rows": [{"y": 1}, {"y": 2}]},
    "s": "abc",
    "n": 1,
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("x[0]", "a"),
        ("x[-1]", "c"),
        ("s[1]", "b"),
        ("m['k']", {"seed": 7}),
        ("m['k']['seed']", 7),
        ("m['k'].seed", 7),
        ("m.k.seed", 7),
        ("m.none", None),
        ("x[1:2]", ["b"]),
        ("x[:2]", ["a", "b"]),
        ("x[1:]", ["b", "c"]),
        ("x[:]", ["a", "b", "c"]),
        ("x[-2:-1]", ["b"]),
        ("x[:-1]", ["a", "b"]),
        ("x[5:9]", []),
        ("s[n:]", "bc"),
        ("x[]", ["a", "b", "c"]),
        ("m.k[]", [7]),
        ("m.rows[1].y", 2),
        ("[1, 2][1]", 2),
        ("'abc'[0]", "a"),
        ("(x + x)[3]", "a"),
        ("x[n + 1]", "c"),
        ("x[n if n else 0]", "b"),
    ],
)
def test_access(value: Callable[..., Value], text: str, result: Value) -> None:
    assert value(text, **KNOWN) == result


def test_a_missing_map_key_by_index_is_null(value: Callable[..., Value]) -> None:
    assert value("m['q']", **KNOWN) is None


@pytest.mark.parametrize(
    ("text", "message", "offset", "path"),
    [
        ("1 + m.q", "there is no `q` in `m`", 4, ("m", "q")),
        ("m.k.q.r", "there is no `q` in `m.k`", 0, ("m", "k", "q")),
        (
            "m.k.seed.z",
            "there is no `z` in `m.k.seed`: it is no map but int",
            0,
            ("m", "k", "seed", "z"),
        ),
        ("s.z", "there is no `z` in `s`: it is no map but str", 0, ("s", "z")),
        ("x[0].y", "there is no `y` in the value: it is no map but str", 4, ("y",)),
        ("m.rows[0].z", "there is no `z` in the value", 9, ("z",)),
        ("m.none.z", "there is no `z` in `m.none`: it is no map but null", 0, ("m", "none", "z")),
    ],
)
def test_a_missing_key_by_dot_is_an_unknown_name(
    value: Callable[..., Value], text: str, message: str, offset: int, path: tuple[str, ...]
) -> None:
    with pytest.raises(NameUnknown) as caught:
        value(text, **KNOWN)
    error = caught.value
    assert (error.message, error.offset, error.path) == (message, offset, path)


def test_a_misspelt_key_is_answered_with_the_near_ones(value: Callable[..., Value]) -> None:
    with pytest.raises(NameUnknown) as caught:
        value("m.k.sed", **KNOWN)
    assert caught.value.hint == "did you mean `seed`?"


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("x[3]", "index 3 is out of range: the length is 3", 1),
        ("x[-4]", "index -4 is out of range: the length is 3", 1),
        ("s[9]", "index 9 is out of range: the length is 3", 1),
        ("[][0]", "index 0 is out of range: the length is 0", 2),
        ("x['a']", "the index of a list must be int, not str", 1),
        ("x[true]", "the index of a list must be int, not bool", 1),
        ("x[1.0]", "the index of a list must be int, not float", 1),
        ("m[0]", "the index of a map must be str, not int", 1),
        ("n[0]", "cannot index int", 1),
        ("m['q']['r']", "cannot index null", 6),
        ("m[1:]", "cannot take a slice of map", 1),
        ("x['a':]", "the bound of a slice must be int, not str", 1),
        ("x[:true]", "the bound of a slice must be int, not bool", 1),
        ("s[]", "`[]` needs a list or a map, not str", 1),
    ],
)
def test_what_cannot_be_reached_says_why_and_where(
    value: Callable[..., Value], text: str, message: str, offset: int
) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text, **KNOWN)
    assert (caught.value.message, caught.value.offset) == (message, offset)
