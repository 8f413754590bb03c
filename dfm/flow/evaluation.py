"""What the texts of an instance come to, in the names that are around it."""

import contextlib
import itertools
import math
from collections.abc import Iterator

from dfm.flow.body import Body
from dfm.flow.command_line import CommandLine, value_of
from dfm.flow.declarations import Context, Task
from dfm.flow.document import Where, describe
from dfm.flow.expressions import ExpressionError, as_text, truth
from dfm.flow.instance import Instance
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.settings import Settings
from dfm.flow.shapes import Shape, Shapes
from dfm.flow.templates import evaluate, report
from dfm.flow.world import Scope, World
from dfm.graph.values import Fields, Value

MOST_CELLS = 1_000_000


class Evaluation:
    """Evaluates texts for one graph. Faults are collected; what has one raises BadValue."""

    def __init__(
        self, shapes: Shapes, world: World, line: CommandLine, problems: Problems, rundir: str
    ) -> None:
        self.problems = problems
        self.rundir = rundir
        self._shapes = shapes
        self._world = world
        self._line = line
        self._late: Fields | None = None

    def at_run_time(self, late: Fields, problems: Problems) -> "Evaluation":
        """The same when a task runs: `late` has the names that are known only then."""
        then = Evaluation(self._shapes, self._world, self._line, problems, self.rundir)
        then._late = late
        return then

    @contextlib.contextmanager
    def faults_go_to(self, problems: Problems) -> Iterator[None]:
        """Those that the names around find, too."""
        before, self._world.problems = self._world.problems, problems
        try:
            yield
        finally:
            self._world.problems = before

    def shape(self, task: Task, body: Body | None) -> Shape:
        def compute_uses(link: Task) -> str | None:
            scope = Scope(self._world, link.context, body=body)
            value = self.value(link.uses, scope, link.where.at("uses"), f"`uses` of {link.name}")
            return as_text(value)

        return self._shapes.of(task, compute_uses)

    def params(self, instance: Instance, shape: Shape) -> Parameters:
        """Raises UsageError for a `-D` that a parameter cannot have."""

        def scope(context: Context, own: Parameters) -> Scope:
            return self._scope(instance, context, own)

        given: Fields = {}
        if instance.body is not None and instance.body.has_settings:
            for settings in instance.body.around():  # the outermost counts
                assert isinstance(settings, Settings)
                given.update(settings.forced(shape, instance.name))
        if instance.level is None:
            for name, text in self._line.everywhere.items():
                if name in shape.params:
                    given[name] = value_of(text, shape.params[name], f"-D {name}={text}")
            given.update(self._line.tasks.get(instance.task.name, {}))
            given.update(self._later(instance.task, shape))
        params = Parameters(shape.params, self.problems, scope, given)
        params.chain = shape.chain
        return params

    def setting_for(self, instance: Instance, outer: Body | None) -> Body:
        """What stands around a task that is below another without being in its body: what that one
        sets, and none of its parameters."""
        shape = self.shape(instance.task, instance.body)
        params = self.params(instance, shape)
        body = Body({}, {}, outer)
        task = instance.task
        body.set(Settings(task, Scope(self._world, task.context, params=params)))
        return body

    def body(self, instance: Instance, params: Parameters, bindings: Fields) -> Body:
        """The inside of a compound, or of one of its cells, with what the compound sets."""
        task = instance.declared or instance.task
        if not task.sets and not task.lets:
            return Body(params, bindings, instance.body)
        plain = Body(params, bindings, instance.body)
        body = Body(params, bindings, instance.body)
        body.set(Settings(task, Scope(self._world, task.context, body=plain)))
        return body

    def _later(self, task: Task, shape: Shape) -> Iterator[tuple[str, Value]]:
        """What `-D` says of parameters that only this task's computed base has."""
        for name, text in self._line.later.get(task.name, {}).items():
            definition = f"-D {task.short}.{name}"
            if name in shape.params:
                yield name, value_of(text, shape.params[name], f"{definition}={text}")
            else:
                self.problems.warn(
                    None, f"{definition}: nothing has this name",
                    hint=did_you_mean(name, shape.params),
                )  # fmt: skip

    def scope(self, instance: Instance, owner: Task, params: Parameters) -> Scope:
        """The names for a text of `owner`, which is the task or one of its bases."""
        return self._scope(instance, owner.context, params)

    def _scope(self, instance: Instance, context: Context, params: Parameters) -> Scope:
        return Scope(
            self._world, context, params=params, body=instance.body, name=instance.name,
            rundir=f"{self.rundir}/{instance.rundir}", late=self._late,
        )  # fmt: skip

    def value(self, value: Value, scope: Scope, where: Where, subject: str) -> Value:
        try:
            return evaluate(value, scope)
        except ExpressionError as error:
            report(error, where, value, self.problems, subject)
            raise BadValue from None

    def is_enabled(self, task: Task, body: Body | None) -> bool:
        scope = Scope(self._world, task.context, body=body)
        return truth(self.value(task.iff, scope, task.where.at("iff"), f"`iff` of {task.name}"))

    def cells(
        self, instance: Instance, shape: Shape, params: Parameters
    ) -> list[tuple[str, Fields]]:
        """The suffix of the names and the axis values of each cell; without a matrix a single one."""
        owner = shape.matrix
        if owner is None or owner.matrix is None:
            return [("", {})]
        axes: dict[str, list[Value]] = {}
        for axis, written in owner.matrix.items():
            where = owner.where.at("strategy", "matrix", axis)
            scope = self.scope(instance, owner, params)
            value = self.value(written, scope, where, f"axis `{axis}` of {owner.name}")
            if not isinstance(value, list):
                what = f"axis `{axis}` of {owner.name} must be a list, not {describe(value)}"
                self.problems.add(where.key(), what)
                raise BadValue
            axes[axis] = value
        if math.prod(map(len, axes.values())) > MOST_CELLS:
            self.problems.add(owner.where, f"the matrix has more than {MOST_CELLS:,} cells")
            raise BadValue
        choices = [list(enumerate(values)) for values in axes.values()]
        return [
            (
                "".join(f"_{index}" for index, _ in cell),
                dict(zip(axes, (value for _, value in cell), strict=True)),
            )
            for cell in itertools.product(*choices)
        ]
