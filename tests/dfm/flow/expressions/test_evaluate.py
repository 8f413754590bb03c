from collections.abc import Callable

import pytest

from dfm.flow.expressions import ExpressionError, NameUnknown, Scope, Value, parse


def counting(calls: list[str]) -> Scope:
    class Counting(Scope):
        """Every name is its own text; `f` is false."""

        def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
            calls.append(".".join(path))
            return (False if path == ("f",) else ".".join(path)), len(path)

    return Counting()


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 || 0", True),
        ("'' || 'a'", True),
        ("0 || '' || []", False),
        ("1 && 'a'", True),
        ("1 && null", False),
        ("1 and 2 or 0", True),
        ("!0", True),
        ("not 'a'", False),
        ("!!'a'", True),
        ("!1 == 2", True),
        ("'a' if [] else 'b'", "b"),
        ("'a' if 0 else 'b' if 1 else 'c'", "b"),
        ("[1, 'a', [null]]", [1, "a", [None]]),
        ("[]", []),
    ],
)
def test_conditions_and_lists(value: Callable[..., Value], text: str, result: Value) -> None:
    found = value(text)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("f && a", ["f"]),
        ("a || b", ["a"]),
        ("a && f && b", ["a", "f"]),
        ("f || a || b", ["f", "a"]),
        ("a if f else b", ["f", "b"]),
        ("a if b else c", ["b", "a"]),
    ],
)
def test_what_does_not_decide_is_not_evaluated(text: str, asked: list[str]) -> None:
    calls: list[str] = []
    parse(text).evaluate(counting(calls))
    assert calls == asked


def test_a_dollar_changes_nothing(value: Callable[..., Value]) -> None:
    assert value("$a + a", a=2) == 4


def test_the_longest_known_prefix_is_the_name(value: Callable[..., Value]) -> None:
    known: dict[str, Value] = {"ip": {"uart": {"width": 1}}, "ip.uart.width": 8, "ip.m": {"k": 3}}
    assert value("ip.uart.width", **known) == 8
    assert value("ip.m.k", **known) == 3


def test_an_unknown_name_has_the_offset_of_its_use(value: Callable[..., Value]) -> None:
    with pytest.raises(NameUnknown) as caught:
        value("1 + nope.b")
    assert (caught.value.path, caught.value.offset) == (("nope", "b"), 4)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("nope:-text", "text"),
        ("nope:-x y | z", "x y | z"),
        (" nope :-  a b  ", "a b"),
        ("nope:-", ""),
        ("nope:-don't", "don't"),
        ("nope:-'quoted'", "'quoted'"),
        ("nope:-1", "1"),
        ("$nope:-x:-y", "x:-y"),
        ("nope.a.b:-x", "x"),
        ("m.a:-x", 1),
        ("m.q:-x", "x"),
        ("m.a.b:-x", "x"),
        ("m.none:-x", None),
        ("empty:-x", ""),
        ("zero:-x", 0),
    ],
)
def test_a_fallback_is_for_what_does_not_exist(
    value: Callable[..., Value], text: str, result: Value
) -> None:
    assert value(text, m={"a": 1, "none": None}, empty="", zero=0) == result


def test_a_fallback_does_not_hide_that_the_value_needs_another_name() -> None:
    class Deferred(Scope):
        def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
            raise NameUnknown(("other",), offset=40)

    with pytest.raises(NameUnknown) as caught:
        parse("x:-text").evaluate(Deferred())
    assert (caught.value.path, caught.value.offset) == (("other",), 0)


def test_an_offset_of_another_text_is_replaced() -> None:
    class Broken(Scope):
        def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
            raise ExpressionError("division by zero", 40)

    with pytest.raises(ExpressionError) as caught:
        parse("1 + x").evaluate(Broken())
    assert caught.value.offset == 4


def test_a_bound_name_may_have_a_fallback(value: Callable[..., Value]) -> None:
    text = "x | map(shell('echo ${{ input.k:-none }}'))"
    assert value(text, x=[{"k": "v"}, {}]) == ["v", "none"]


def test_a_command_holds_expressions(value: Callable[..., Value]) -> None:
    assert value("shell('echo ${{ a + 1 }} ${{ b }}')", a=1, b=["x"]) == "2 [x]"


def test_a_command_may_be_one_expression(value: Callable[..., Value]) -> None:
    assert value('shell("${{ tool }}") | length', tool="echo abc") == 3


def test_only_the_strings_of_a_command_hold_expressions(value: Callable[..., Value]) -> None:
    assert value("'${{ a }}'", a=1) == "${{ a }}"
    assert value("shell('echo ${{ a }}') + '${{ a }}'", a=1) == "1${{ a }}"


def test_a_long_chain_needs_no_deep_stack(value: Callable[..., Value]) -> None:
    assert value("0" + " + 1" * 20_000) == 20_000
    assert value("x" + "[0]" * 20_000, x="a") == "a"
    assert value("1" + " && 1" * 20_000) is True
    assert value("'a' if 0 else " * 5_000 + "'b'") == "b"


def test_a_value_too_deep_to_compare_is_an_error(value: Callable[..., Value]) -> None:
    text = "[1]" + " | map([input])" * 10_000
    with pytest.raises(ExpressionError, match="nested too deeply"):
        value(f"({text}) == ({text})")


def test_a_scope_that_never_ends_is_an_error() -> None:
    class Endless(Scope):
        def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
            return parse("x").evaluate(self), 1

    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse("x").evaluate(Endless())


def test_evaluation_leaves_the_values_of_the_scope_alone(value: Callable[..., Value]) -> None:
    x: list[Value] = [3, [1], 2]
    for text in ("x + [4]", "x | flatten", "x | flatten | sort", "x | reverse", "x | unique"):
        value(text, x=x)
    assert x == [3, [1], 2]
