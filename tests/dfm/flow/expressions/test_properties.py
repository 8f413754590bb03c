"""What holds for all expressions: they agree with Python where the languages are the same, and no
text does anything but parse or raise an ExpressionError.
"""

import os
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.flow.expressions import ExpressionError, NameUnknown, Scope, Value, parse, template

KNOWN: dict[str, Value] = {
    "i": 3,
    "r": 2.5,
    "s": "ab'c",
    "e": "",
    "x": [1, 2, 3],
    "w": ["a", "b"],
    "t": True,
    "f": False,
}
PYTHON = {"true": True, "false": False, "null": None}

# How long an example takes says nothing about the language.
LONG = int(os.environ.get("DFM_FUZZ") or 0)
if LONG:
    pytestmark = pytest.mark.timeout(0)
untimed = settings(
    max_examples=LONG or 100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class Names(Scope):
    def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
        if path[0] in KNOWN:
            return KNOWN[path[0]], 1
        raise NameUnknown(path)


Texts: TypeAlias = st.SearchStrategy[str]


def infix(operands: Texts, signs: list[str]) -> Texts:
    """`a + b - c`: without brackets, so that precedence counts."""
    more = st.lists(st.tuples(st.sampled_from(signs), operands), max_size=3)
    return st.builds(lambda first, rest: " ".join([first, *map(" ".join, rest)]), operands, more)


def written(form: str, *parts: Texts) -> Texts:
    return st.builds(form.format, *parts)


def numbers(atoms: Texts) -> Texts:
    # Small exponents: both languages refuse large numbers, but not the same ones.
    powers = atoms | written("{} ** {}", atoms, st.sampled_from(["0", "1", "2", "-1", "(2 ** 1)"]))
    signed = powers | written("-{}", powers) | written("- -{}", powers)
    return infix(signed, ["+", "-", "*", "/", "//", "%"])


def conditions(comparisons: Texts) -> Texts:
    terms = comparisons | written("not {}", comparisons)
    return infix(terms, ["and", "or"]).map(lambda text: f"bool({text})")


NUMBER = numbers(
    st.integers(0, 20).map(str)
    | st.decimals(0, 99, places=2).map(str)
    | st.sampled_from(["i", "r", "x[0]", "x[-1]", "len(x)", "len(s)", "len(e)", "int(r)"])
)
NUMBER |= numbers(written("({})", NUMBER))
SMALL = st.sampled_from(["0", "1", "2", "-1", "-2", "7", "-9", "i", "i - 5", "len(x)"])
BOUND = SMALL | st.just("")
STRING = infix(st.sampled_from(["'a'", '"b"', "s", "e", "w[0]", "str(i)", r"'\'\\'"]), ["+"])
STRING |= written("({})[{}:{}]", STRING, BOUND, BOUND) | written("({})[{}]", STRING, SMALL)
LIST = infix(st.sampled_from(["x", "w", "[]", "[1, 'a']", "[[1.5], null]"]), ["+"])
LIST |= written("({})[{}:{}]", LIST, BOUND, BOUND) | written("[{}, {}]", NUMBER, STRING)
COMPARED = st.one_of(
    *(
        written("{} {} {}", side, st.sampled_from(signs), side)
        for side, signs in (
            (NUMBER, ["==", "!=", "<", "<=", ">", ">="]),
            (STRING, ["==", "!=", "<", "<=", ">", ">="]),
            (LIST, ["==", "!="]),
        )
    )
)
CONDITION = conditions(COMPARED | st.sampled_from(["t", "f", "true", "false", "null"]) | LIST)
CONDITION |= conditions(written("({})", CONDITION))
ANY = NUMBER | STRING | LIST | CONDITION
ANY |= written("{} if {} else {}", ANY, CONDITION, ANY)
ANY |= written("{} if {} else {} if {} else {}", ANY, CONDITION, ANY, CONDITION, ANY)


def by_python(text: str) -> tuple[str, Value]:
    try:
        found = eval(text, {**PYTHON, **KNOWN})
    except (ArithmeticError, IndexError) as error:
        return "error", type(error).__name__
    return type(found).__name__, found


def by_us(text: str) -> tuple[str, Value]:
    try:
        found = parse(text).evaluate(Names())
    except ExpressionError as error:
        kinds = {
            "division by zero": "ZeroDivisionError",
            "the number is too large": "OverflowError",
        }
        return "error", kinds.get(error.message, "IndexError")
    return type(found).__name__, found


# What the languages spell differently: our text, and Python's for the same.
SIGNS = {"&&": "and", "||": "or", "!": "not "}
Pair: TypeAlias = tuple[str, str]
Pairs: TypeAlias = st.SearchStrategy[Pair]


def in_signs(text: str) -> Pair:
    """A condition in signs; one in words is Python's already."""
    python = text
    for sign, word in SIGNS.items():
        python = python.replace(f"{sign} ", f"{word} ")
    return text, python


SIGNED = infix(
    COMPARED | written("! {}", COMPARED) | st.sampled_from(["t", "f", "! f"]), ["&&", "||"]
)
SIGNED |= infix(written("({})", SIGNED), ["&&", "||"])
NUMBERS = st.lists(st.integers(-9, 9), max_size=5).map(str)
WORDS_OF = st.sampled_from(["'a,b,,c'", "s", "e + ','", "'x' + s"])


def alike(ours: str, python: str, *parts: Texts) -> Pairs:
    """Both with the same parts."""
    return st.tuples(*parts).map(lambda given: (ours.format(*given), python.format(*given)))


PIPES = st.one_of(
    alike("{} | length", "len({})", NUMBERS | WORDS_OF.map("({})".format)),
    alike("{} | sort", "sorted({})", NUMBERS),
    alike("{} | reverse", "list(reversed({}))", NUMBERS),
    alike("{} | unique", "list(dict.fromkeys({}))", NUMBERS),
    alike("{} | first", "next(iter({}), None)", NUMBERS),
    alike("{} | last", "next(reversed({}), None)", NUMBERS),
    alike("[{}, [{}], 3] | flatten", "[*{}, {}, 3]", NUMBERS, NUMBERS),
    alike("{} | map(input * i + {})", "[input * 3 + {1} for input in {0}]", NUMBERS, SMALL),
    alike("{} | select(input > {})", "[input for input in {} if input > {}]", NUMBERS, SMALL),
    alike("({}) | split(',')", "({}).split(',')", WORDS_OF),
    alike("({}) | contains('a')", "'a' in ({})", WORDS_OF),
    alike("{} | contains({})", "({1}) in {0}", NUMBERS, SMALL),
)


@untimed
@given(SIGNED.map(in_signs) | PIPES)
def test_what_python_spells_otherwise_has_the_value_that_it_has_there(pair: Pair) -> None:
    ours, python = pair
    assert by_us(ours) == by_python(python)


@untimed
@given(ANY)
def test_what_is_shared_with_python_has_the_value_that_it_has_there(text: str) -> None:
    assert by_us(text) == by_python(text)


WORDS = r"""
    ${{ }} ( ) [ ] , . : :- | || & && ! != == = < <= + - * ** / // % $ ' " \ { } 'a' x[ nope:-
    and or not if else true false null 0 1 9 1.5 99 i r s e x w t f nope input item
    len int str length keys map map( select( group_by( flatten split( contains( first sort
"""
TOKENS = st.sampled_from([*WORDS.split(), " ", "\n", "x | ", "x | map(input"])
SOUP = st.lists(TOKENS, max_size=30).map("".join) | st.lists(TOKENS, max_size=30).map(" ".join)


def has_a_place(fault: ExpressionError, text: str) -> bool:
    return fault.offset is not None and 0 <= fault.offset <= len(text)


@untimed
@given(st.text() | SOUP)
def test_any_text_is_an_expression_or_an_expression_error(text: str) -> None:
    try:
        found = parse(text).references()
    except ExpressionError as fault:
        assert has_a_place(fault, text)  # noqa: PT017
    else:
        assert all(text[at:].startswith(("$", path[0])) for path, _, at in found)


@untimed
@given(st.text() | SOUP | SOUP.map("a ${{{{ {} }}}} b".format) | SOUP.map("${{{{{}}}}}".format))
def test_any_text_is_a_template_or_an_expression_error(text: str) -> None:
    try:
        found = template(text)
    except ExpressionError as fault:
        assert has_a_place(fault, text)  # noqa: PT017
    else:
        assert (found is None) == ("${{" not in text)


@untimed
@given(SOUP)
def test_any_expression_has_a_value_or_an_expression_error(text: str) -> None:
    try:
        parse(text).evaluate(Names())
    except ExpressionError as fault:
        assert has_a_place(fault, text)  # noqa: PT017


@untimed
@given(
    st.lists(st.sampled_from(["$", "{", "}", "${{", "}}", "'", '"', "x", ":-", " "])).map("".join)
)
def test_what_is_outside_of_the_markers_is_kept(text: str) -> None:
    if "${{" in text:
        return
    found = template(text + "${{ i }}" + text)
    assert found is not None
    assert found.evaluate(Names()) == (text + "3" + text if text else 3)
