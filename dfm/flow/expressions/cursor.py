"""The tokens of an expression, read one by one with one in sight."""

from typing import NoReturn

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.lexer import Token, tokens


class Cursor:
    """`next` is the token that `advance` returns; at the end it is one of kind `end`."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._rest = tokens(text, start, end)
        self.next = next(self._rest)

    def advance(self) -> Token:
        token = self.next
        self.next = next(self._rest)
        return token

    def accept(self, kind: str) -> bool:
        """Step over a token of this kind, if it is the next."""
        if self.next.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str) -> None:
        if not self.accept(kind):
            self.fail(f"`{kind}`")

    def fail(self, wanted: str) -> NoReturn:
        """Raises ExpressionError: the next token is not what is wanted."""
        kind, text, at = self.next
        found = f"`{text[:40]}`" if kind != "end" else "the end"
        hint = "`name:-text` is only possible with a plain name and as the whole expression"
        raise ExpressionError(f"expected {wanted}, found {found}", at, hint if kind == ":" else "")
