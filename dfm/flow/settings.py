"""What a task sets for all that is below it (section 24): variables, parameters, names for `resolve()`."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from dfm.flow.conversion import Unfit, convert
from dfm.flow.declarations import Rebinding, Task
from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError
from dfm.flow.parameters import BadValue, check_accepted
from dfm.flow.shapes import Merged, Shape
from dfm.flow.templates import evaluate, report
from dfm.flow.world import Scope
from dfm.graph.values import Fields, Value


class Settings:
    """Of one task, with the values as they are in one of its bodies. Raises BadValue for faults."""

    def __init__(self, task: Task, scope: Scope) -> None:
        self._task = task
        self._scope = scope  # that of the body, without what is set here
        self._variables: Fields | None = None
        self._lets: Fields = {}

    def variables(self) -> Fields:
        """The rebound package variables, by full name."""
        if self._variables is None:
            world, context = self._scope.world, self._scope.context
            found: Fields = {}
            for rebinding in self._task.sets:
                for assignment in () if rebinding.is_forcing else rebinding.assignments:
                    variable = world.variable(tuple(assignment.name.split(".")), context)
                    if variable is not None and not world.is_given(*variable[:2]):
                        value = self._value(assignment.value, assignment.where)
                        found[f"{variable[0]}.{variable[1]}"] = value
            self._variables = found
        return self._variables

    def forced(self, shape: Shape, name: str) -> Iterator[tuple[str, Value]]:
        """Values of parameters for a node of this name."""
        for rebinding in self._task.sets:
            if rebinding.is_forcing and _applies(rebinding, shape, name):
                for assignment in rebinding.assignments:
                    merged = shape.params.get(assignment.name)
                    if merged is not None:
                        value = self._value(assignment.value, assignment.where)
                        yield assignment.name, self._fitting(value, merged, assignment.where)

    def let(self, name: str) -> Value:
        """There is one of this name."""
        if name not in self._lets:
            where = self._task.where.at("let", name)
            self._lets[name] = self._value(self._task.lets[name], where)
        return self._lets[name]

    def lets(self, name: str) -> bool:
        return name in self._task.lets

    def _fitting(self, value: Value, merged: Merged, where: Where) -> Value:
        problems = self._scope.world.problems
        try:
            value = convert(value, merged.kind)
        except Unfit as error:
            problems.add(where, f"`{merged.name}` {error}")
            raise BadValue from None
        check_accepted(merged, value, where, problems)
        return value

    def _value(self, value: Value, where: Where) -> Value:
        try:
            return evaluate(value, self._scope)
        except ExpressionError as error:
            subject = f"`{where.path[-1]}` set by {self._task.name}"
            report(error, where, value, self._scope.world.problems, subject)
            raise BadValue from None


def _applies(rebinding: Rebinding, shape: Shape, name: str) -> bool:
    if rebinding.path and not fnmatchcase(name, rebinding.path):
        return False
    types = [link.name for link in shape.chain]
    if shape.item_type is not None:
        types.append(shape.item_type.name)
    return not rebinding.uses or any(fnmatchcase(one, rebinding.uses) for one in types)
