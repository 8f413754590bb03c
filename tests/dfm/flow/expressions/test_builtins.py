from collections.abc import Callable

import pytest

from dfm.flow.expressions.errors import ExpressionError, NameUnknown
from dfm.graph.values import Value

KNOWN: dict[str, Value] = {
    "x": ["b", "a", "b"],
    "m": {"z": 1, "a": [2]},
    "s": "a/b/c",
    "none": None,
    "rows": [{"k": 1, "v": "p"}, {"k": 2, "v": "q"}, {"k": 1, "v": "r"}],
    "k": 2,
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("x | length", 3),
        ("m | length", 2),
        ("s | length", 5),
        ("none | length", 0),
        ("length(x)", 3),
        ("len(m)", 2),
        ("x | len", 3),
        ("x | length()", 3),
        ("m | keys", ["a", "z"]),
        ("x | keys", [0, 1, 2]),
        ("m | values", [1, [2]]),
        ("x | sort", ["a", "b", "b"]),
        ("[3, 1.5, 2] | sort", [1.5, 2, 3]),
        ("[] | sort", []),
        ("x | unique", ["b", "a"]),
        ("[1, true, 1.0, [1], [1.0], 'a'] | unique", [1, True, [1], "a"]),
        ("x | reverse", ["b", "a", "b"]),
        ("[1, 2] | reverse", [2, 1]),
        ("x | map(input + '!')", ["b!", "a!", "b!"]),
        ("x | map(item + item)", ["bb", "aa", "bb"]),
        ("rows | map(input.k)", [1, 2, 1]),
        ("rows | map(input['k'] * k)", [2, 4, 2]),
        ("rows | map(input['q'])", [None, None, None]),
        ("rows | select(input.k == 1) | map(input.v)", ["p", "r"]),
        ("rows | select(input.k != k && !false) | length", 2),
        ("[0, 1, '', 'a', null] | select(input)", [1, "a"]),
        ("[[1, 2], [3]] | map(input | map(input + 1))", [[2, 3], [4]]),
        ("[[1, 2], [3]] | map(input | map(input) | length + 1)", [3, 2]),
        ("x | first", "b"),
        ("[1, 2] | last", 2),
        ("[] | first", None),
        ("[] | last", None),
        ("[1, [2, [3, [4]]]] | flatten", [1, 2, [3, [4]]]),
        ("[1, [2, [3, [4]]]] | flatten(2)", [1, 2, 3, [4]]),
        ("[[1]] | flatten(0)", [[1]]),
        ("[[[1]]] | flatten(10 ** 100)", [1]),
        ("x | type", "array"),
        ("m | type", "object"),
        ("s | type", "string"),
        ("1 | type", "number"),
        ("1.5 | type", "number"),
        ("true | type", "boolean"),
        ("null | type", "null"),
        ("s | split('/')", ["a", "b", "c"]),
        ("'' | split(',')", [""]),
        ("x | contains('a')", True),
        ("[1] | contains(true)", False),
        ("[1] | contains(1.0)", True),
        ("s | contains('b/')", True),
        ("m | contains('z')", True),
        ("m | contains(1)", False),
        ("rows | group_by(input.k) | map(input | map(input.v))", [["p", "r"], ["q"]]),
        ("[1, true, 1.0] | group_by(input)", [[1, 1.0], [True]]),
        ("str(1.50)", "1.5"),
        ("str(x)", '["b", "a", "b"]'),
        ("str(s)", "a/b/c"),
        ("true | str", "true"),
        ("int('12')", 12),
        ("int(' -0x20 ')", -32),
        ("int('010')", 10),
        ("int(2.9)", 2),
        ("int(true)", 1),
        ("bool('')", False),
        ("bool(x)", True),
        ("shell('echo ' + s)", "a/b/c"),
        ("'b\na\n' | shell('sort')", "a\nb"),
        ("shell('echo 1 2') | split(' ') | map(int(input))", [1, 2]),
    ],
)
def test_built_ins(value: Callable[..., Value], text: str, result: Value) -> None:
    found = value(text, **KNOWN)
    assert (found, type(found)) == (result, type(result))


def test_an_argument_is_evaluated_outside(value: Callable[..., Value]) -> None:
    assert value("m | contains(input)", input="z", **KNOWN) is True


def test_inside_a_map_other_names_are_those_outside(value: Callable[..., Value]) -> None:
    assert value("[1] | map(input + k)", input=100, k=5) == [6]


def test_input_outside_of_a_map_is_a_plain_name(value: Callable[..., Value]) -> None:
    assert value("input[] | select(input.type == $arg0)", input=[{"type": "a"}], arg0="a") == [
        {"type": "a"}
    ]


def test_a_missing_field_of_an_element_is_an_unknown_name(value: Callable[..., Value]) -> None:
    with pytest.raises(NameUnknown) as caught:
        value("rows | map(input.q)", **KNOWN)
    error = caught.value
    assert (error.message, error.path, error.offset) == (
        "there is no `q` in `input`",
        ("input", "q"),
        11,
    )


def test_an_error_in_a_map_stands_where_it_is(value: Callable[..., Value]) -> None:
    with pytest.raises(ExpressionError, match="cannot add str and int") as caught:
        value("x | map(input + 1)", **KNOWN)
    assert caught.value.offset == 14


@pytest.mark.parametrize(
    "name", ["first", "last", "type", "length", "map", "select", "shell", "values", "int", "input"]
)
def test_the_name_of_a_built_in_is_free_for_a_variable(
    value: Callable[..., Value], name: str
) -> None:
    assert value(f"{name} + 1", **{name: 1}) == 2
    assert value(f"[{name}] | first", **{name: 1}) == 1


@pytest.mark.parametrize("function", ["sort", "unique", "reverse", "first", "last", "flatten"])
def test_a_function_of_lists_takes_nothing_else(value: Callable[..., Value], function: str) -> None:
    for name, kind in (("s", "str"), ("none", "null"), ("k", "int")):
        with pytest.raises(ExpressionError, match=f"`{function}` needs a list, not {kind}"):
            value(f"{name} | {function}", **KNOWN)


@pytest.mark.parametrize("function", ["map", "select", "group_by"])
def test_a_function_of_elements_takes_nothing_but_a_list(
    value: Callable[..., Value], function: str
) -> None:
    with pytest.raises(ExpressionError, match=f"`{function}` needs a list, not map") as caught:
        value(f"m | {function}(input)", **KNOWN)
    assert caught.value.hint == "`x[]` is the list of a map's values"


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("1 | length", "int has no length", 4),
        ("len(true)", "bool has no length", 0),
        ("s | keys", "`keys` needs a map or a list, not str", 4),
        ("x | values", "`values` needs a map, not list", 4),
        ("[1, 'a'] | sort", "cannot sort a list of int and str", 11),
        ("[true] | sort", "cannot sort a list of bool", 9),
        ("x | flatten(-1)", "`flatten` needs a number of levels, 0 or more", 4),
        ("x | flatten('a')", "`flatten` needs a number of levels, 0 or more", 4),
        ("x | split('/')", "cannot split list by str", 4),
        ("s | split(1)", "cannot split str by int", 4),
        ("s | split('')", "`split` needs a separator that is not empty", 4),
        ("s | contains(1)", "str cannot contain int", 4),
        ("1 | contains(1)", "int cannot contain int", 4),
        ("1 + int('a')", "there is no int in 'a'", 4),
        ("int('1.5')", "there is no int in '1.5'", 0),
        ("int(x)", "there is no int in list", 0),
        ("int(null)", "there is no int in null", 0),
        ("shell(x)", "`shell` needs the command as str, not list", 0),
        ("[1] + shell('exit 2')", "the shell command `exit 2` ended with status 2", 6),
    ],
)
def test_a_wrong_value_is_an_error_at_the_function(
    value: Callable[..., Value], text: str, message: str, offset: int
) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text, **KNOWN)
    assert (caught.value.message, caught.value.offset) == (message, offset)


def test_an_infinite_number_is_no_int(value: Callable[..., Value]) -> None:
    with pytest.raises(ExpressionError, match="there is no int in 'Infinity'"):
        value("int(x)", x=float("inf"))
