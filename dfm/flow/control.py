"""Branches and loops (section 20): every iteration that there may be is part of the graph, behind a
gate that says, when the run comes to it, whether it is done.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dfm.flow.declarations import Branch, Control, Task
from dfm.flow.document import describe
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import Expression, ExpressionError, NameUnknown, parse, template, truth
from dfm.flow.instance import Instance
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.templates import evaluate
from dfm.flow.world import Scope
from dfm.graph.node import Decision, GateError
from dfm.graph.values import Fields, Value

MOST_ITERATIONS = 10_000
_LOOPS = ("while", "do-while", "repeat")
BINDINGS = ("_iter", "_max_iter")
KNOWN = frozenset({"in", "state", *BINDINGS})


class Turn(NamedTuple):
    """One branch or iteration: the end of its tasks' names, its tasks, what it binds, its gate."""

    suffix: str
    tasks: Sequence[Task]
    bindings: Fields
    gate: "Gatekeeper"


class Gatekeeper:
    """Decides about one turn. Satisfies `decide` of a Gate."""

    def __init__(
        self, control: Control, branch: Branch, index: int, bindings: Fields, scope: Scope,
        init: Fields, name: str,
    ) -> None:  # fmt: skip
        self._control = control
        self._branch = branch
        self._index = index
        self._bindings = bindings
        self._scope = scope
        self._init = init
        self._name = name

    def __call__(
        self, before: Decision | None, inputs: Sequence[Fields], outputs: Sequence[Fields]
    ) -> Decision:
        try:
            return self._decide(before, inputs, outputs)
        except (ExpressionError, BadValue) as error:
            raise GateError(f"`control` of {self._name}: {error}") from None

    def _decide(
        self, before: Decision | None, inputs: Sequence[Fields], outputs: Sequence[Fields]
    ) -> Decision:
        if self._control.kind not in _LOOPS:
            return self._branches(before, inputs)
        if before is None:
            names = _Names(self._scope, inputs, self._init, self._bindings)
            starts = self._control.kind != "while" or self._holds(self._control.cond, names)
            return Decision(starts, not starts, self._init, None)
        if before.is_settled:
            return Decision(False, True, before.state, None)
        state = {**before.state, **_data(outputs)}
        is_broken = any(item.get("_break") is True for item in outputs)
        state.pop("_break", None)
        names = _Names(self._scope, inputs, state, self._bindings)
        goes_on = not is_broken and self._goes_on(names)
        fed = None
        if goes_on and self._control.feedback is not None:
            fed = self._items(evaluate(self._control.feedback, names))
        return Decision(goes_on, not goes_on, state, fed)

    def _branches(self, before: Decision | None, inputs: Sequence[Fields]) -> Decision:
        """The first that is true."""
        if before is not None and before.is_settled:
            return Decision(False, True, {}, None)
        condition = self._branch.condition
        names = _Names(self._scope, inputs, self._init, self._bindings)
        if self._control.kind == "if" and before is None:
            condition = self._control.cond
        taken = condition is None or self._holds(condition, names)
        return Decision(taken, taken, {}, None)

    def _goes_on(self, names: "_Names") -> bool:
        if self._control.kind == "while":
            return self._holds(self._control.cond, names)
        return self._control.until is None or not self._holds(self._control.until, names)

    @staticmethod
    def _holds(condition: Value, names: "_Names") -> bool:
        made = expression(condition)
        return truth(made.evaluate(names)) if made is not None else truth(condition)

    @staticmethod
    def _items(value: Value) -> list[Fields]:
        items = value if isinstance(value, list) else [value]
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("type"), str):
                raise ExpressionError(f"`feedback` gives items with a type, not {describe(item)}")
        return [item for item in items if isinstance(item, dict)]


class _Names:
    """What conditions see: the items that came in, the state, and what tasks see."""

    def __init__(
        self, scope: Scope, inputs: Sequence[Fields], state: Fields, bindings: Fields
    ) -> None:
        self._scope = scope
        self._heads: Fields = {"in": _data(inputs), "state": state, **bindings}

    def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
        head = path[0]
        if head not in self._heads:
            return self._scope.resolve(path)
        value = self._heads[head]
        if len(path) > 1 and isinstance(value, dict) and path[1] not in value:
            raise NameUnknown(path[:2])
        return value, 1

    def apply(self, name: str, value: Value, arguments: Sequence[Value]) -> Value:
        return self._scope.apply(name, value, arguments)

    def provided(self, arguments: Sequence[Value]) -> Value:
        return self._scope.provided(arguments)


def _data(items: Sequence[Fields]) -> Fields:
    """The fields of items, those of later ones over those of earlier ones."""
    merged: Fields = {}
    for item in items:
        merged.update({k: v for k, v in item.items() if k not in ("type", "src", "seq")})
    return merged


def expression(condition: Value) -> Expression | None:
    """Of a text with `${{ }}`, or one that is an expression as a whole; None for other values.

    Raises ExpressionError.
    """
    if not isinstance(condition, str):
        return None
    return template(condition) or parse(condition)


def turns(
    evaluation: Evaluation, instance: Instance, owner: Task, params: Parameters
) -> list[Turn]:
    """All that the task may come to. Raises BadValue."""
    control = owner.control
    assert control is not None
    scope = evaluation.scope(instance, owner, params)
    where = control.where.at("state", "init")
    init = evaluation.value(dict(control.init), scope, where, f"`init` of {owner.name}")
    assert isinstance(init, dict)
    if control.kind not in _LOOPS:
        return [
            Turn(branch.suffix, branch.tasks, {},
                 Gatekeeper(control, branch, number, {}, scope, init, instance.name))
            for number, branch in enumerate(owner.branches)
        ]  # fmt: skip
    field = "count" if control.kind == "repeat" else "max_iter"
    most = evaluation.value(control.most, scope, control.where.at(field), f"`{field}`")
    if not isinstance(most, int) or isinstance(most, bool) or not 0 <= most <= MOST_ITERATIONS:
        what = f"`{field}` of {owner.name} must be a number from 0 to {MOST_ITERATIONS:,}"
        evaluation.problems.add(control.where.at(field), f"{what}, not {describe(most)}")
        raise BadValue
    (branch,) = owner.branches
    found = []
    for number in range(most):
        bindings: Fields = {"_iter": number, "_max_iter": most}
        keeper = Gatekeeper(control, branch, number, bindings, scope, init, instance.name)
        found.append(Turn(f"_{number}", branch.tasks, bindings, keeper))
    return found
