"""The nodes of families of variants, made when they are asked for (section 19.3)."""

from collections.abc import Callable, Iterable

from dfm.errors import UsageError
from dfm.flow.declarations import Task
from dfm.flow.document import Where
from dfm.flow.evaluation import Evaluation
from dfm.flow.families import Families
from dfm.flow.instance import Instance
from dfm.flow.layout import Layout
from dfm.flow.parameters import BadValue
from dfm.graph.values import Fields


class Variants:
    """Knows what a name means that may be that of a family or of a variant."""

    def __init__(
        self,
        families: Families,
        evaluation: Evaluation,
        layout: Layout,
        number_of: Callable[[Task, Where], int],
        instance_of: Callable[[Task], Instance],
        new: Callable[[Instance | None, Task | None], int],
        take_up: Callable[[Instance], None],
    ) -> None:
        self._families = families
        self._evaluation = evaluation
        self._problems = evaluation.problems
        self._layout = layout
        self._number_of = number_of
        self._instance_of = instance_of
        self._new = new
        self._take_up = take_up
        self._cells: dict[tuple[int, str], Instance] = {}  # by identity and key

    def numbers_of(self, task: Task, key: str, where: Where) -> list[int]:
        """The nodes that a name means: one, but for a family's own name."""
        if self._families.owner(task) is None:
            return [self._number_of(task, where)]
        try:
            if key and key not in self._families.cells(task):
                what, hint = self._families.unknown_key(task, key)
                self._problems.add(where, what, hint=hint)
                return []
            keys = [key] if key else self._default_keys(task, {})
            return [self._cell(task, one, where) for one in keys]
        except BadValue:
            return []

    def made(self) -> Iterable[Instance]:
        """The variants that there are in the graph."""
        return self._cells.values()

    def goal(self, task: Task, key: str) -> list[int]:
        """The same for the command line, where a part of a key is enough. Raises UsageError."""
        if self._families.owner(task) is None or not key:
            return self.numbers_of(task, "", task.where)
        try:
            if key in self._families.cells(task):
                return [self._cell(task, key, task.where)]
            given = self._families.partly(task, key)
            if given is None:
                what, hint = self._families.unknown_key(task, key)
                raise UsageError(what, hint=hint)
            keys = self._default_keys(task, given)
            return [self._cell(task, one, task.where) for one in keys]
        except BadValue:
            return []

    def _default_keys(self, task: Task, given: Fields) -> list[str]:
        family, found = self._instance_of(task), self._families.owner(task)
        assert found is not None
        params = self._evaluation.params(family, self._evaluation.shape(task, None))
        scope = self._evaluation.scope(family, found[0], params)
        return self._families.default_keys(task, given, scope)

    def _cell(self, task: Task, key: str, where: Where) -> int:
        """The node of one variant, made when it is first wanted."""
        known = self._cells.get((id(task), key))
        if known is not None:
            return known.number
        if task.abstract:
            self._problems.add(where, f"{task.name} is abstract: a base for others, not to be run")
        family = self._instance_of(task)
        shape = self._evaluation.shape(task, None)
        if not shape.body:
            self._problems.add(task.where.at("strategy"), "`select` needs a body of one task")
            raise BadValue
        recipe = shape.body[-1]
        params = self._evaluation.params(family, shape)
        cells = self._families.cells(task)
        body = self._evaluation.body(family, params, cells[key])
        name = f"{task.name}.{key}"
        folder = self._layout.variant(task.name, key, cells)
        stem = self._layout.stem(name, folder, is_shared=False)
        made = Instance(
            self._new(None, recipe), recipe, name, folder, folder, body=body, family=family,
            stem=stem,
        )  # fmt: skip
        self._cells[id(task), key] = made
        self._take_up(made)
        return made.number
