"""What can be wrong with an expression.

These are no `DfmError`s: an expression knows neither its file nor its field. Whoever does wraps them.
"""

from collections.abc import Iterable


class ExpressionError(Exception):
    """The text is no expression, or its value cannot be computed.

    `offset` counts characters in the text that was given to `parse` or `template`. Evaluation writes
    it into the error on its way out: a scope raises a new error each time.
    """

    def __init__(self, message: str, offset: int | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint

    def locate(self, offset: int) -> None:
        """Say where, unless that is known: the innermost place is the best one."""
        if self.offset is None:
            self.offset = offset


class NameUnknown(ExpressionError):
    """A name that does not exist and has no fallback. `path` ends with the part that is missing."""

    def __init__(
        self, path: tuple[str, ...], message: str = "", offset: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message or f"`{'.'.join(path)}` is not defined", offset, hint)
        self.path = path


def near_matches(word: str, known: Iterable[str]) -> str:
    """A hint that names what may have been meant; empty if nothing is like it."""
    from difflib import get_close_matches  # 1 ms, which only a mistake should cost

    found = get_close_matches(word, known)
    return f"did you mean {' or '.join(f'`{name}`' for name in found)}?" if found else ""
