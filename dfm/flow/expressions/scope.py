"""What an expression asks of the world it stands in."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from dfm.flow.expressions.errors import ExpressionError
from dfm.graph.values import Value


class Scope(Protocol):
    def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
        """The value of the longest known prefix of a dotted path, and how many parts it used.

        Names of packages have dots: `ip.uart.width` may use three. Raises NameUnknown, with the
        path or its beginning, if not even the first part is known.
        """

    def apply(self, name: str, value: Value, arguments: Sequence[Value]) -> Value:
        """What the filter of this name makes of a value. Raises ExpressionError."""
        raise ExpressionError(f"there is no filter `{name}`")


@runtime_checkable
class Provider(Protocol):
    """A scope that knows what is provided for `resolve(...)`, too."""

    def provided(self, arguments: Sequence[Value]) -> Value:
        """Raises ExpressionError if nothing is, and there is no default."""


class Reference(NamedTuple):
    """A name that an expression takes from its scope."""

    path: tuple[str, ...]
    optional: bool  # has a fallback
    offset: int  # in the text that was parsed
