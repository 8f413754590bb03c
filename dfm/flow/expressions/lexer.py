"""Text of an expression -> tokens."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from dfm.flow.expressions.errors import ExpressionError

WORD = r"[^\W\d]\w*+"
QUOTED = r"""'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+\""""

_TOKEN = re.compile(
    rf"""(?P<space>\s++)
    |(?P<number>[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)
    |(?P<name>\$?{WORD})
    |(?P<string>{QUOTED})
    |(?P<sign>\|\||&&|==|!=|<=|>=|\*\*|//|[-+*/%<>!|()\[\],:.])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"""\\([\\'"])""")
_OPERATORS = {"and": "&&", "or": "||", "not": "!"}
_RESERVED = frozenset({"if", "else", "true", "false", "null"})
_CONFUSED = {
    "=": "`==` compares",
    "&": "`&&` or `and` joins two conditions",
    "$": "there is no `${{` inside of an expression",
    "{": "there are no maps in expressions",
}


class Token(NamedTuple):
    """`kind` is `number`, `name`, `string` or `end`; a sign or reserved word is its own kind."""

    kind: str
    text: str  # as written
    at: int  # offset in the text


def tokens(text: str, start: int, end: int) -> Iterator[Token]:
    """The tokens of `text[start:end]`, closed by one of kind `end`. Raises ExpressionError."""
    at = start
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise _not_a_token(text, at)
        found = match[0]
        if match.lastgroup == "sign":
            yield Token(found, found, at)
        elif match.lastgroup == "name":
            yield Token(_kind_of_word(found), found, at)
        elif match.lastgroup != "space":
            yield Token(match.lastgroup or "", found, at)
        at = match.end()
    yield Token("end", "", end)


def _kind_of_word(word: str) -> str:
    return word if word in _RESERVED else _OPERATORS.get(word, "name")


def _not_a_token(text: str, at: int) -> ExpressionError:
    sign = text[at]
    if sign in "'\"":
        return ExpressionError("the string is not closed", at)
    return ExpressionError(f"unexpected character {sign!r}", at, _CONFUSED.get(sign, ""))


def unquoted(text: str) -> str:
    """The string that a quoted one stands for: a backslash escapes itself and quotes only."""
    return _ESCAPE.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]
