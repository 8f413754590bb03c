"""Texts that need what is known only when a task runs: `inputs` and `memento` (section 15.7).

Which parameters that concerns is told from the names in their texts, so that the others are worked out
with the graph as ever.
"""

from collections.abc import Iterable

from dfm.errors import FlowError
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import ExpressionError, template
from dfm.flow.instance import Instance
from dfm.flow.leaf import work_of
from dfm.flow.parameters import BadValue
from dfm.flow.problems import Problems
from dfm.flow.shapes import Shape
from dfm.flow.templates import texts
from dfm.flow.world import LATE_NAMES
from dfm.graph.node import Finish, Work
from dfm.graph.values import Fields, Value


def late_params(shape: Shape) -> frozenset[str]:
    """The parameters whose values are known when the task runs, and not before."""
    if shape.late is None:
        shape.late = _find(shape)
    return shape.late


def is_late(shape: Shape) -> bool:
    """Whether a parameter or the script is to be worked out when the task runs."""
    late = late_params(shape)
    if late:
        return True
    if shape.run is None or shape.run.run is None:
        return False
    return bool(_heads([shape.run.run]) & (LATE_NAMES - shape.params.keys()))


def finisher(evaluation: Evaluation, instance: Instance, shape: Shape) -> Finish:
    """What the run calls, with the consumed items and the memento, before it looks at the record."""

    def finish(inputs: list[Fields], memento: Value) -> tuple[Fields, Work]:
        problems = Problems()
        late: Fields = {"inputs": list[Value](inputs), "memento": memento}
        then = evaluation.at_run_time(late, problems)
        with evaluation.faults_go_to(problems):
            try:
                params = then.params(instance, shape)
                return params.all(), work_of(then, instance, shape, params)
            except (BadValue, ExpressionError) as error:
                problems.raise_any()
                raise FlowError(str(error)) from None

    return finish


def _find(shape: Shape) -> frozenset[str]:
    wanted = {
        name: _heads(part for writing in merged.writings for part in writing.parts())
        for name, merged in shape.params.items()
    }
    late = {name for name, heads in wanted.items() if heads & (LATE_NAMES - shape.params.keys())}
    while True:
        more = {name for name, heads in wanted.items() if heads & late} - late
        if not late or not more:
            return frozenset(late)
        late |= more


def _heads(values: Iterable[Value]) -> set[str]:
    """The names that texts begin with; of `this.x` also `x`."""
    found: set[str] = set()
    for value in values:
        for text in texts(value):
            made = template(text)
            for reference in made.references() if made else ():
                found.update(reference.path[: 2 if reference.path[0] == "this" else 1])
    return found
