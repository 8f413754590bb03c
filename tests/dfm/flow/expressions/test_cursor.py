import pytest

from dfm.flow.expressions.cursor import Cursor
from dfm.flow.expressions.errors import ExpressionError


def test_only_the_kind_that_is_next_is_accepted() -> None:
    cursor = Cursor("a + b", 0, 5)
    assert not cursor.accept("+")
    assert cursor.advance().text == "a"
    assert cursor.accept("+")
    assert cursor.next.text == "b"


def test_an_expected_kind_that_is_not_there_is_named_with_what_is() -> None:
    cursor = Cursor("a)", 0, 2)
    with pytest.raises(ExpressionError, match=r"expected `\]`, found `a`"):
        cursor.expect("]")


def test_the_end_is_found_as_the_end() -> None:
    cursor = Cursor("a ", 0, 1)
    cursor.advance()
    with pytest.raises(ExpressionError, match="expected a value, found the end") as caught:
        cursor.fail("a value")
    assert caught.value.offset == 1
