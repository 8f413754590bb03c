"""The bodies that stand around a text: what their compounds bind, and what they set."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from dfm.flow.declarations import MISSING
from dfm.graph.values import Fields, Value


class Body:
    """The inside of a compound, or of one cell of a matrix."""

    __slots__ = ("bindings", "has_settings", "outer", "params", "settings")

    def __init__(self, params: Mapping[str, Value], bindings: Fields, outer: "Body | None") -> None:
        self.params = params
        self.bindings = bindings
        self.outer = outer
        self.settings: Set | None = None  # of the task whose body it is
        self.has_settings: bool = outer is not None and outer.has_settings

    def set(self, settings: "Set") -> None:
        self.settings = settings
        self.has_settings = True

    def around(self) -> Iterator["Set"]:
        """What is set here and in the bodies around, from the inside out."""
        body: Body | None = self
        while body is not None and body.has_settings:
            if body.settings is not None:
                yield body.settings
            body = body.outer

    def rebound(self, name: str) -> Value:
        """What a variable is set to, by its full name: the outermost counts. MISSING if nowhere."""
        value = MISSING
        for settings in self.around():
            value = settings.variables().get(name, value)
        return value

    def find(self, name: str) -> Value:
        """An axis value or a parameter, of this body or of one around it; MISSING if none has it."""
        body: Body | None = self
        while body is not None:
            if name in body.bindings:
                return body.bindings[name]
            if name in body.params:
                return body.params[name]
            body = body.outer
        return MISSING

    def binding(self, name: str) -> Value:
        body: Body | None = self
        while body is not None:
            if name in body.bindings:
                return body.bindings[name]
            body = body.outer
        return MISSING

    def names(self) -> Iterator[str]:
        body: Body | None = self
        while body is not None:
            yield from body.bindings
            yield from body.params
            body = body.outer


class Set(Protocol):
    """What a task sets for those below it, see dfm/flow/settings.py."""

    def variables(self) -> Fields: ...

    def lets(self, name: str) -> bool: ...

    def let(self, name: str) -> Value: ...
