import pytest

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.values import as_text, equal, identity, kind, truth
from dfm.graph.values import Value


@pytest.mark.parametrize("value", [False, None, 0, 0.0, "", [], {}])
def test_false_null_zero_and_the_empty_are_false(value: Value) -> None:
    assert truth(value) is False


@pytest.mark.parametrize("value", [True, 1, -0.5, "false", " ", [0], [[]], {"a": None}])
def test_all_else_is_true(value: Value) -> None:
    assert truth(value) is True


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a 'b' \"c\"\n", "a 'b' \"c\"\n"),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (-12, "-12"),
        (2.0, "2.0"),
        (["a", "b"], '["a", "b"]'),
        ({"a": [1, None], "b": {}}, '{"a": [1, null], "b": {}}'),
        (["é"], '["é"]'),
    ],
)
def test_strings_are_written_raw_and_all_else_as_json(value: Value, text: str) -> None:
    assert as_text(value) == text


def test_a_list_that_holds_itself_has_no_text() -> None:
    value: list[Value] = []
    value.append(value)
    with pytest.raises(ExpressionError, match="this list cannot be written as text"):
        as_text(value)


def test_a_list_too_deep_for_json_has_no_text() -> None:
    value: Value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ExpressionError, match="this list cannot be written as text"):
        as_text(value)


def test_a_number_too_long_for_decimal_digits_has_no_text() -> None:
    with pytest.raises(ExpressionError, match="too long"):
        as_text(1 << 100_000)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "bool"),
        (1, "int"),
        (1.0, "float"),
        ("", "str"),
        ([], "list"),
        ({}, "map"),
    ],
)
def test_a_kind_has_the_name_that_a_type_has(value: Value, name: str) -> None:
    assert kind(value) == name


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        ([1, {"a": 2.0}], [1.0, {"a": 2}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (None, None),
        (True, True),
    ],
)
def test_equal_values_are_equal_at_any_depth(left: Value, right: Value) -> None:
    assert equal(left, right)
    assert identity(left) == identity(right)
    assert hash(identity(left)) == hash(identity(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0.0),
        ([True], [1]),
        ({"a": [False]}, {"a": [0]}),
        (None, False),
        (None, ""),
        ("1", 1),
        ([], {}),
        ([1, 2], [2, 1]),
        ([], ""),
    ],
)
def test_values_of_different_kinds_are_not_equal(left: Value, right: Value) -> None:
    assert not equal(left, right)
    assert identity(left) != identity(right)
