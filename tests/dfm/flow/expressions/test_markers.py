import pytest

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.markers import Fallback, fallback, split


def parts(text: str) -> list[str]:
    """Literal text as it is, expressions between angle brackets."""
    return [
        part if isinstance(part, str) else f"<{text[part.start : part.end]}>"
        for part in split(text)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("plain } }} $ { {{", ["plain } }} $ { {{"]),
        ("${{x}}", ["<x>"]),
        ("a ${{ x }}b${{ y }}", ["a ", "< x >", "b", "< y >"]),
        ("${{ x\n+ y }}\n", ["< x\n+ y >", "\n"]),
        ("${{ '}}' }}", ["< '}}' >"]),
        ('${{ "a}}\\"}}" }}!', ['< "a}}\\"}}" >', "!"]),
        ("${{ a } }}", ["< a } >"]),
        ("${{ shell('echo ${{ x }}') }}", ["< shell('echo ${{ x }}') >"]),
        ("${{}}", ["<>"]),
        ("${{ a }}}", ["< a >", "}"]),
    ],
)
def test_the_first_closing_outside_of_a_string_ends_an_expression(
    text: str, found: list[str]
) -> None:
    assert parts(text) == found


def test_a_lone_quote_in_a_fallback_reaches_no_further_than_its_expression() -> None:
    text = "${{ a:-don't }} and ${{ b.c :- can't }}"
    assert parts(text) == ["< a:-don't >", " and ", "< b.c :- can't >"]


def test_a_fallback_ends_at_the_first_closing_even_in_quotes() -> None:
    assert parts("${{ a:-'x}}' }}") == ["< a:-'x>", "' }}"]


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("${{ x", 0, "`${{` is not closed"),
        ("ab ${{ x }", 3, "`${{` is not closed"),
        ("${{ x }} ${{", 9, "`${{` is not closed"),
        ("${{ 'x }}' ", 0, "`${{` is not closed"),
        ("${{ x == 'y }}", 9, "the string is not closed"),
        ("a ${{ y:-x }", 2, "`${{` is not closed"),
        ("${{ 'x", 0, "`${{` is not closed"),
    ],
)
def test_an_expression_that_does_not_end_is_an_error(text: str, offset: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parts(text)
    assert (caught.value.offset, caught.value.message) == (offset, message)


def test_the_head_of_a_fallback_is_a_dotted_name() -> None:
    assert fallback(" $a . b:-x", 0, 10) == Fallback(("a", "b"), 1, 9)


@pytest.mark.parametrize("text", ["x", "x[1:-1]", "(x:-1)", "1:-2", "a + x:-y", "'a':-b", ""])
def test_a_fallback_is_only_what_begins_with_a_name(text: str) -> None:
    assert fallback(text, 0, len(text)) is None


def test_a_fallback_is_looked_for_before_the_end_only() -> None:
    assert fallback("x :-y", 0, 3) is None
