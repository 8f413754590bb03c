from collections.abc import Callable

import pytest

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.operators import OPERATORS
from dfm.graph.values import Value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("4 / 2", 2.0),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7.5 // 2", 3.0),
        ("-7 % 3", 2),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("2 ** 0.5", 2**0.5),
        ("(-2.0) ** 3", -8.0),
        ("1 ** 9 ** 99", 1),
        ("1 + 2.5", 3.5),
        ("'a' + 'b'", "ab"),
        ("[1] + ['a', []]", [1, "a", []]),
        ("5 - 7", -2),
        ("2 * 3", 6),
        ("-3", -3),
        ("- -3", 3),
    ],
)
def test_arithmetic(value: Callable[..., Value], text: str, result: Value) -> None:
    found = value(text)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 == 1.0", True),
        ("true == 1", False),
        ("false == 0", False),
        ("[true] == [1]", False),
        ("'1' == 1", False),
        ("null == false", False),
        ("null == null", True),
        ("[] != ''", True),
        ("1 != 1", False),
        ("1 < 1.5", True),
        ("2 <= 2", True),
        ("2 > 3", False),
        ("'a' < 'b'", True),
        ("'b' >= 'ba'", False),
    ],
)
def test_comparison(value: Callable[..., Value], text: str, result: bool) -> None:
    assert value(text) is result


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("[1] + 2", "cannot add list and int", 4),
        ("'a' + 1", "cannot add str and int", 4),
        ("true + 1", "cannot add bool and int", 5),
        ("1 - null", "cannot subtract int and null", 2),
        ("'a' * 3", "cannot multiply str and int", 4),
        ("[1] * 3", "cannot multiply list and int", 4),
        ("1 / 'a'", "cannot divide int and str", 2),
        ("true // 2", "cannot divide bool and int", 5),
        ("'%d' % 2", "cannot divide str and int", 5),
        ("2 ** '2'", "cannot take the power of int and str", 2),
        ("-'a'", "cannot negate str", 0),
        ("-true", "cannot negate bool", 0),
        ("1 < 'a'", "cannot compare int and str by `<`", 2),
        ("null >= 1", "cannot compare null and int by `>=`", 5),
        ("[1] > [2]", "cannot compare list and list by `>`", 4),
        ("true < 2", "cannot compare bool and int by `<`", 5),
        ("1 / 0", "division by zero", 2),
        ("1 // 0.0", "division by zero", 2),
        ("1 % 0", "division by zero", 2),
        ("0 ** -1", "division by zero", 2),
        ("(-8) ** 0.5", "a negative number has no power with a fraction", 5),
        ("1 + 2 + [3]", "cannot add int and list", 6),
    ],
)
def test_what_cannot_be_computed_says_what_was_met_and_where(
    value: Callable[..., Value], text: str, message: str, offset: int
) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert (caught.value.message, caught.value.offset) == (message, offset)


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9",
        "(-9) ** 9 ** 9",
        "2 ** 9000 * 2 ** 9000",
        "2.0 ** 5000",
        "1e308 * 10",
        "1e308 + 1e308",
        "2 ** 5000 / 3",
        "2 ** 5000 + 0.5",
        "-(1e308) - 1e308",
    ],
)
def test_a_huge_number_is_an_error_and_not_a_wait(value: Callable[..., Value], text: str) -> None:
    with pytest.raises(ExpressionError, match="the number is too large"):
        value(text)


def test_a_word_is_not_doubled_beyond_all_memory(value: Callable[..., Value]) -> None:
    with pytest.raises(ExpressionError, match="would have a length of more than"):
        value("x + x", x="a" * 5_000_001)
    with pytest.raises(ExpressionError, match="would have a length of more than"):
        value("x + x", x=[0] * 5_000_001)


def test_every_operator_that_is_parsed_is_computed() -> None:
    assert set(OPERATORS) == set("== != < <= > >= + - * / // % **".split())
