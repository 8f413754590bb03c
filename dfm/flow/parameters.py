"""The values of parameters, each computed when it is wanted (section 13)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from dfm.flow.conversion import Unfit, convert, is_accepted
from dfm.flow.declarations import KINDS, MISSING, Context, Kind, Parameter, Task
from dfm.flow.document import Where, describe
from dfm.flow.expressions import ExpressionError, Scope, as_text
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Merged
from dfm.flow.templates import evaluate, report
from dfm.graph.values import Fields, Value

_DEEPEST = 75  # parameters that refer to parameters; each level takes ten frames of Python's stack


class BadValue(Exception):
    """A value that could not be computed; it is in the problems already."""


class Named(Scope, Protocol):
    """The names around a text, and that of the node that it belongs to."""

    name: str


class Parameters(Mapping[str, Value]):
    """The parameters of one node, or the variables of a package: each computed when it is wanted."""

    def __init__(
        self,
        merged: Mapping[str, Merged],
        problems: Problems,
        scope: Callable[[Context, "Parameters"], Named],
        overrides: Fields,
    ) -> None:
        self._merged = merged
        self._problems = problems
        self._scope = scope
        self._values: Fields = dict(overrides)
        self._open: list[str] = []
        self.chain: Sequence[Task] = ()  # of a node: its task and the bases

    def evaluated(self) -> str:
        """The one that is computed now; empty if none is."""
        return self._open[-1] if self._open else ""

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._compute(self._merged[name])
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._merged)

    def __len__(self) -> int:
        return len(self._merged)

    def __contains__(self, name: object) -> bool:
        return name in self._merged

    def offers(self, name: str) -> bool:
        """Whether the text that is evaluated now sees this one: a parameter does not see itself, so
        that `top: "${{ top }}"` takes the variable of that name from outside."""
        return name in self._merged and not (self._open and self._open[-1] == name)

    def all(self) -> Fields:
        return {name: self[name] for name in self._merged}

    def _compute(self, merged: Merged) -> Value:
        if merged.constant is not MISSING:
            return merged.constant
        if merged.name in self._open:
            names = " -> ".join([*self._open[self._open.index(merged.name) :], merged.name])
            raise ExpressionError(f"parameters refer to each other in a circle: {names}")
        if len(self._open) > _DEEPEST:
            names = " -> ".join([*self._open[:3], "..."])
            raise ExpressionError(
                f"parameters refer to each other more than {_DEEPEST} deep: {names}"
            )
        self._open.append(merged.name)
        try:
            value = self._written(merged)
        finally:
            self._open.pop()
        if merged.is_constant():
            merged.constant = value
        return value

    def _written(self, merged: Merged) -> Value:
        value: Value = MISSING
        for writing in merged.writings:
            value = self._apply(writing, value, merged.kind)
        if value is MISSING:
            value = KINDS[merged.kind]
        where = (merged.written() or merged.writings[-1]).where
        try:
            value = convert(value, merged.kind)
        except Unfit as error:
            self._problems.add(where, f"`{merged.name}` {error}")
            raise BadValue from None
        check_accepted(merged, value, where, self._problems)
        return value

    def _apply(self, writing: Parameter, below: Value, kind: Kind) -> Value:
        scope = self._scope(writing.context, self)
        value = below
        if writing.value is not MISSING:
            value = self._evaluate(writing.value, scope, writing)
        if not writing.changes_list:
            return value
        if value is MISSING:
            value = KINDS[kind]
        if not isinstance(value, list):
            self._problems.add(
                writing.where.key(),
                f"`{writing.name}` is no list to add to: it is {describe(value)}",
            )
            raise BadValue
        return [
            *self._part(writing.path_prepend, scope, writing),
            *self._part(writing.prepend, scope, writing),
            *value,
            *self._part(writing.append, scope, writing),
            *self._part(writing.path_append, scope, writing),
        ]

    def _part(self, part: Value, scope: Named, writing: Parameter) -> list[Value]:
        if part is MISSING:
            return []
        value = self._evaluate(part, scope, writing)
        return value if isinstance(value, list) else [value]

    def _evaluate(self, value: Value, scope: Named, writing: Parameter) -> Value:
        try:
            return evaluate(value, scope)
        except ExpressionError as error:
            subject = f"`{writing.name}`"
            if scope.name:
                subject = f"parameter {subject} of {scope.name}"
            report(error, writing.where, value, self._problems, subject)
            raise BadValue from None


def check_accepted(merged: Merged, value: Value, where: Where, problems: Problems) -> None:
    """Faults for values outside a closed set; a warning where others are accepted too."""
    if merged.accepted is None:
        return
    for given in value if isinstance(value, list) else [value]:
        if is_accepted(given, merged.accepted):
            continue
        words = [as_text(accepted) for accepted in merged.accepted]
        what = f"`{merged.name}` is {given!r}, not one of {', '.join(words)}"
        if merged.accepts_others:
            problems.warn(where, what)
        else:
            problems.add(where, what, hint=did_you_mean(as_text(given), words))
            raise BadValue
