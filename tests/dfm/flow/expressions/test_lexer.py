import pytest

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.lexer import tokens, unquoted


def kinds(text: str) -> list[str]:
    return [token.kind for token in tokens(text, 0, len(text))]


def test_signs_and_reserved_words_are_their_own_kind() -> None:
    assert kinds("a<=b//c if null") == ["name", "<=", "name", "//", "name", "if", "null", "end"]


def test_word_operators_are_the_signs() -> None:
    assert kinds("and or not") == ["&&", "||", "!", "end"]


def test_a_dollar_makes_any_word_a_name() -> None:
    assert kinds("$arg0 $not") == ["name", "name", "end"]


def test_a_word_that_begins_like_an_operator_is_a_name() -> None:
    assert kinds("order nothing iff") == ["name", "name", "name", "end"]


@pytest.mark.parametrize("text", ["0", "12", "1.5", "1e3", "1.5E-3"])
def test_a_number_is_one_token(text: str) -> None:
    assert kinds(text) == ["number", "end"]


def test_tokens_stand_where_they_are_in_the_whole_text() -> None:
    found = list(tokens("${{ a +\n 'b' }}", 3, 13))
    assert [(token.text, token.at) for token in found] == [
        ("a", 4),
        ("+", 6),
        ("'b'", 9),
        ("", 13),
    ]


@pytest.mark.parametrize(
    ("text", "string"),
    [
        ("'a'", "a"),
        ("''", ""),
        ('"it\'s"', "it's"),
        (r"'it\'s'", "it's"),
        (r"'a\\'", "a\\"),
        (r'"\""', '"'),
        (r"'a\nb'", r"a\nb"),
        ("'a\nb'", "a\nb"),
    ],
)
def test_a_backslash_escapes_itself_and_quotes_only(text: str, string: str) -> None:
    assert kinds(text) == ["string", "end"]
    assert unquoted(text) == string


@pytest.mark.parametrize(
    ("text", "offset", "message", "hint"),
    [
        ("a + 'b", 4, "the string is not closed", ""),
        (r"'a\'", 0, "the string is not closed", ""),
        ("a = 1", 2, "unexpected character '='", "`==` compares"),
        ("a & b", 2, "unexpected character '&'", "`&&` or `and` joins two conditions"),
        ("a ${{ b", 2, "unexpected character '$'", "there is no `${{` inside of an expression"),
        ("{}", 0, "unexpected character '{'", "there are no maps in expressions"),
        ("a ? b", 2, "unexpected character '?'", ""),
    ],
)
def test_what_is_no_token_is_an_error_at_its_offset(
    text: str, offset: int, message: str, hint: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        kinds(text)
    assert (caught.value.offset, caught.value.message, caught.value.hint) == (offset, message, hint)
