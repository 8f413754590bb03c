from collections.abc import Callable

import pytest

from dfm.flow.expressions import (
    ExpressionError,
    NameUnknown,
    Reference,
    Scope,
    Value,
    parse,
    template,
)


def render(text: str, scope: Scope) -> Value:
    found = template(text)
    assert found is not None
    return found.evaluate(scope)


@pytest.mark.parametrize("text", ["", "plain", "$x ${x} {{ x }}", "$ {{ x }}", "}}"])
def test_a_text_without_markers_is_no_template(text: str) -> None:
    assert template(text) is None


@pytest.mark.parametrize(
    "value", [["a", 1], {"k": None}, True, 7, 2.5, None, "text"], ids=lambda value: repr(value)
)
def test_exactly_one_expression_yields_the_object_itself(
    scope: Callable[..., Scope], value: Value
) -> None:
    assert render("${{ x }}", scope(x=value)) is value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (" ${{ x }}", ' ["a", "b"]'),
        ("${{ x }}\n", '["a", "b"]\n'),
        ("-t ${{ t }} -n ${{ 4 / 2 }}", "-t true -n 2.0"),
        ("${{ s }}${{ s }}", "raw 'text'raw 'text'"),
        ("${{ null }}.", "null."),
        ("${{ m }}!", '{"k": [1]}!'),
        ("a${{ s | split(' ') | last }}b", "a'text'b"),
        ("${{\n  s |\n  length }}x", "10x"),
        ("${{ nope:-don't }} and ${{ s }}", "don't and raw 'text'"),
        ("${{ '}}' }} }}", "}} }}"),
    ],
)
def test_in_text_a_value_is_written_as_text(
    scope: Callable[..., Scope], text: str, result: str
) -> None:
    names = scope(x=["a", "b"], t=True, s="raw 'text'", m={"k": [1]})
    assert render(text, names) == result


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("a ${{ b", 2),
        ("a ${{ b }} ${{ c + }}", 19),
        ("a ${{ }}", 5),
        ("${{ 'b }}", 4),
        ("a ${{ lenght(x) }}", 6),
    ],
)
def test_an_offset_is_that_of_the_whole_text(text: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        template(text)
    assert caught.value.offset == offset


def test_an_error_of_evaluation_has_the_offset_of_the_whole_text(
    scope: Callable[..., Scope],
) -> None:
    with pytest.raises(ExpressionError) as caught:
        render("a ${{ x }} ${{ x / 0 }}", scope(x=1))
    assert caught.value.offset == 17
    with pytest.raises(NameUnknown) as unknown:
        render("a ${{ x }} ${{ y }}", scope(x=1))
    assert unknown.value.offset == 15


def paths(text: str) -> list[str]:
    return [".".join(reference.path) for reference in parse(text).references()]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1 + 'a'", []),
        ("a.b[c] + -d ** e", ["a.b", "c", "d", "e"]),
        ("a if b else c", ["a", "b", "c"]),
        ("a || b && !c", ["a", "b", "c"]),
        ("[a, len(b), c[d:e], f[]]", ["a", "b", "c", "d", "e", "f"]),
        ("a | map(input.x + item + b) | split(c)", ["a", "b", "c"]),
        ("a | group_by(input.k) | select(input)", ["a"]),
        ("a[0].b.c", ["a"]),
        ("$a + a", ["a", "a"]),
        ("input + item", ["input", "item"]),
        ("first + (type | length)", ["first", "type"]),
        ("a | map(b) + input", ["a", "b", "input"]),
        ("shell('ls ${{ a }}') + b", ["a", "b"]),
        ("a | shell('ls ' + b + '${{ c }}')", ["a", "b", "c"]),
    ],
)
def test_the_references_are_the_names_that_the_scope_is_asked(text: str, names: list[str]) -> None:
    assert paths(text) == names


def test_a_reference_says_where_it_is_and_whether_it_may_be_missing() -> None:
    found = template("${{ a }} and ${{ $b.c:-d }}")
    assert found is not None
    assert found.references() == (Reference(("a",), False, 4), Reference(("b", "c"), True, 17))
    assert parse(" a").references() == (Reference(("a",), False, 1),)


def test_the_text_stays_at_hand() -> None:
    found = template("x ${{ y }}")
    assert found is not None
    assert (found.text, parse(" y ").text) == ("x ${{ y }}", " y ")


def test_the_same_text_is_parsed_once() -> None:
    assert parse("once + 1") is parse("once + 1")
    assert template("${{ once }}") is template("${{ once }}")


def test_an_expression_can_be_evaluated_in_many_scopes(scope: Callable[..., Scope]) -> None:
    expression = parse("x + 1")
    assert [expression.evaluate(scope(x=x)) for x in range(3)] == [1, 2, 3]
