import pytest

from dfm.flow.expressions import tree
from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.parser import MAX_DEPTH, parse_expression, parse_text


def parsed(text: str) -> tree.Node:
    return parse_expression(text, 0, len(text))


def bracketed(node: tree.Node) -> str:
    """The tree with a pair of brackets around every operation."""
    match node:
        case tree.Name(path):
            return ".".join(path)
        case tree.Not(operand):
            return f"(!{bracketed(operand)})"
        case tree.And(operands):
            return f"({' && '.join(map(bracketed, operands))})"
        case tree.Or(operands):
            return f"({' || '.join(map(bracketed, operands))})"
        case tree.Conditional(branches, otherwise):
            choices = [f"{bracketed(value)} if {bracketed(test)} else " for test, value in branches]
            return f"({''.join(choices)}{bracketed(otherwise)})"
        case tree.Chain(first, links):
            text = bracketed(first)
            for link in links:
                text = joined(text, link)
            return text
        case _:
            raise AssertionError(node)


def joined(text: str, link: tree.Link) -> str:
    match link:
        case tree.Binary(sign, operand):
            return f"({text} {sign} {bracketed(operand)})"
        case tree.Pipe(function):
            return f"({text} | {function})"
        case tree.Index(key):
            return f"{text}[{bracketed(key)}]"
        case tree.Field(name):
            return f"{text}.{name}"
        case tree.Negate():
            return f"(-{text})"
        case _:
            raise AssertionError(link)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a || b && c", "(a || (b && c))"),
        ("a && b || c", "((a && b) || c)"),
        ("a || b || c", "(a || b || c)"),
        ("a or not b and c", "(a || ((!b) && c))"),
        ("!a && b", "((!a) && b)"),
        ("!a == b", "(!(a == b))"),
        ("not a < b", "(!(a < b))"),
        ("a == !b == c", "(a == (!(b == c)))"),
        ("a == b < c", "(a == (b < c))"),
        ("a != b == c", "((a != b) == c)"),
        ("a < b + c", "(a < (b + c))"),
        ("a < b >= c", "((a < b) >= c)"),
        ("a - b + c", "((a - b) + c)"),
        ("a - (b + c)", "(a - (b + c))"),
        ("a + b * c", "(a + (b * c))"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a / b * c", "((a / b) * c)"),
        ("a * b + c % d", "((a * b) + (c % d))"),
        ("a // b - c", "((a // b) - c)"),
        ("-a * b", "((-a) * b)"),
        ("a * -b", "(a * (-b))"),
        ("-a ** b", "(-(a ** b))"),
        ("a ** -b ** c", "(a ** (-(b ** c)))"),
        ("a * b ** c", "(a * (b ** c))"),
        ("a.b[c].d ** e", "(a.b[c].d ** e)"),
        ("-a[b]", "(-a[b])"),
        ("a + b | first", "((a + b) | first)"),
        ("a | first + b", "((a | first) + b)"),
        ("a | first - b | last", "(((a | first) - b) | last)"),
        ("a * b | first", "((a * b) | first)"),
        ("a == b | first", "(a == (b | first))"),
        ("a | first == b", "((a | first) == b)"),
        ("a if b else c if d else e", "(a if b else c if d else e)"),
        ("(a if b else c) if d else e", "((a if b else c) if d else e)"),
        ("a || b if c && d else e + f", "((a || b) if (c && d) else (e + f))"),
        ("a.b", "a.b"),
        ("$a . b", "a.b"),
        ("a.if.not", "a.if.not"),
        ("$not", "not"),
        ("- - -a", "(-a)"),
        ("!!!a", "(!a)"),
        ("!!a", "(!(!a))"),
    ],
)
def test_strong_operators_bind_before_weak_ones(text: str, grouped: str) -> None:
    assert bracketed(parsed(text)) == grouped


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'a'", "a"),
        ('"a"', "a"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("  1\n ", 1),
        ("'${{ x }}'", "${{ x }}"),
    ],
)
def test_literals(text: str, value: object) -> None:
    assert parsed(text) == tree.Literal(value)  # type: ignore[arg-type]
    assert type(parsed(text)[0]) is type(value)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "the expression is empty"),
        ("  ", 0, "the expression is empty"),
        ("a b", 2, "expected an operator, found `b`"),
        ("a +", 3, "expected a value, found the end"),
        ("a + * b", 4, "expected a value, found `*`"),
        ("(a", 2, "expected `)`, found the end"),
        ("a)", 1, "expected an operator, found `)`"),
        ("[a, b", 5, "expected `,`, found the end"),
        ("[a,]", 3, "expected a value, found `]`"),
        ("a[1", 3, "expected `:`, found the end"),
        ("a[1:2", 5, "expected `]`, found the end"),
        ("a[1:2:3]", 5, "expected `]`, found `:`"),
        ("a.", 2, "expected a name after `.`, found the end"),
        ("a.1", 2, "expected a name after `.`, found `1`"),
        ("a.$b", 2, "expected a name after `.`, found `$b`"),
        ("a if b", 6, "expected `else`, found the end"),
        ("if a", 0, "expected a value, found `if`"),
        ("a else b", 2, "expected an operator, found `else`"),
        ("a | 1", 4, "expected the name of a filter after `|`, found `1`"),
        ("a |", 3, "expected the name of a filter after `|`, found the end"),
        ("1abc", 1, "expected an operator, found `abc`"),
        ("1.5.2", 4, "expected a name after `.`, found `2`"),
        ("a(b)", 0, "there is no function `a`"),
        ("(a)(b)", 3, "expected an operator, found `(`"),
        ("a | split", 4, "`split` takes 1 argument, not 0"),
        ("a | map", 4, "`map` takes 1 argument, not 0"),
        ("a | flatten(1, 2)", 4, "`flatten` takes 0 or 1 arguments, not 2"),
        ("1 + len()", 4, "`len` takes 1 argument, not 0"),
        ("len(a, b)", 0, "`len` takes 1 argument, not 2"),
        ("1e999", 0, "the number is too large"),
        ("1 + " + "9" * 4000, 4, "the number is too large"),
        ("1 + " + "9" * 5000, 4, "the number is too large"),
        ("'" + "x" * 99 + "' y", 102, "expected an operator, found `y`"),
        ("y '" + "x" * 99 + "'", 2, "expected an operator, found `'" + "x" * 39 + "`"),
    ],
)
def test_what_is_not_the_language_is_an_error_at_its_offset(
    text: str, offset: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parsed(text)
    assert (caught.value.offset, caught.value.message) == (offset, message)


@pytest.mark.parametrize("text", ["(x:-1)", "1 + x:-1", "x[0]:-1", "x | first:-1"])
def test_a_fallback_that_is_not_the_whole_expression_is_explained(text: str) -> None:
    with pytest.raises(ExpressionError, match="found `:`") as caught:
        parsed(text)
    assert caught.value.offset == text.index(":")
    assert caught.value.hint.startswith("`name:-text` is only possible")


def test_a_fallback_with_an_expression_in_it_is_refused() -> None:
    with pytest.raises(ExpressionError, match="a fallback is plain text") as caught:
        parse_text("a ${{ x:-b ${{ y }} }}")
    assert caught.value.offset == 11


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("1 + lenth(x)", 4, "there is no function `lenth`", "did you mean `length` or `len`?"),
        ("keys(x)", 0, "there is no function `keys`", "write x | keys"),
        ("map(input)", 0, "there is no function `map`", "write x | map"),
        ("resolv('x')", 0, "there is no function `resolv`", "did you mean `resolve`?"),
    ],
)
def test_an_unknown_function_is_answered_with_what_there_is(
    text: str, offset: int, message: str, hint: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parsed(text)
    error = caught.value
    assert (error.offset, error.message, error.hint) == (offset, message, hint)


@pytest.mark.parametrize("rest", ["[0]", "* 2", "/ 2", "// 2", "% 2", "** 2", ".b"])
def test_what_would_bind_tighter_than_the_pipe_before_it_is_refused(rest: str) -> None:
    with pytest.raises(ExpressionError, match="binds tighter than the") as caught:
        parsed(f"x | first() {rest}")
    assert caught.value.offset == 12
    assert caught.value.hint == "write (... | first)"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "[" * 100_000,
        "!" * 100_000,
        "-" * 100_000,
        "not " * 100_000,
        "x[" * 100_000,
        "len(" * 100_000,
        "x|map(" * 100_000,
        "1**" * 100_000,
        "x==!" * 100_000,
        "a if b else " * 10_000,
        "a||b&&!c==d<e+f*g**(" * 1_000,
        "'" * 99_999,
        "." * 100_000,
        "x." * 100_000,
    ],
)
def test_a_text_however_deep_is_an_error_and_no_end_of_the_stack(text: str) -> None:
    with pytest.raises(ExpressionError):
        parsed(text)


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [("(", ")", MAX_DEPTH - 1), ("[", "]", MAX_DEPTH - 1), ("len(", ")", MAX_DEPTH - 1)],
)
def test_nesting_has_a_limit_that_is_told(opening: str, closing: str, levels: int) -> None:
    parsed(opening * levels + "1" + closing * levels)
    with pytest.raises(ExpressionError, match="nested deeper than 100 levels") as caught:
        parsed(opening * (levels + 1) + "1" + closing * (levels + 1))
    assert caught.value.offset == len(opening) * (levels + 1)


def test_a_tree_that_grows_to_the_left_has_the_same_limit() -> None:
    with pytest.raises(ExpressionError, match="nested deeper than 100 levels"):
        parsed("(" * 60 + "a" + " + 1 && b || c if d else e)" * 60)


def test_a_chain_however_long_is_flat() -> None:
    for link in (" + 1", " * 1", " | flatten(1)", "[0]", ".b[0]", " == 1", " && 1", " || 1"):
        assert len(list(tree.levels(parsed("x" + link * 5_000)))) == 2


def test_an_element_is_bound_inside_its_function_only() -> None:
    assert parsed("input | map(input.a)") == tree.Chain(
        tree.Name(("input",), 0),
        (tree.PipeEach("map", tree.Element(("input", "a"), 12), 8),),
    )


def test_strings_of_a_command_may_hold_expressions() -> None:
    assert parsed("shell('ls ${{ a.b }}')") == tree.Call(
        "shell", (tree.Text(("ls ", tree.Name(("a", "b"), 14))),), 0
    )


def test_an_expression_in_a_command_knows_the_element() -> None:
    node = parsed("x | map(shell('ls ${{ input }} ${{ item.k:-v }}'))")
    found = [node for level in tree.levels(node) for node in level]
    assert tree.Element(("input",), 22) in found
    assert tree.Fallback(tree.Element(("item", "k"), 35), "v") in found


def test_an_error_in_a_command_stands_in_its_string() -> None:
    with pytest.raises(ExpressionError, match="expected a value") as caught:
        parsed("shell('ls ${{ a + }}')")
    assert caught.value.offset == 18


def test_escapes_move_an_offset_in_a_command_but_not_out_of_the_string() -> None:
    text = r"shell('\'\'\'${{ + }}')"
    with pytest.raises(ExpressionError, match="expected a value") as caught:
        parsed(text)
    assert caught.value.offset is not None
    assert text.index("'") < caught.value.offset < text.rindex("'")
