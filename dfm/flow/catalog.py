"""A loaded flow for those who look at it: what is declared, with all that it inherits."""

from collections.abc import Iterator

from dfm.flow.declarations import Program, TagUse, Task, Type
from dfm.flow.expressions import ExpressionError
from dfm.flow.names import NEEDS_OF, find_task, find_type
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.shapes import Shapes
from dfm.flow.world import World
from dfm.graph.values import Fields

NOT_PROVIDED = "std.NotProvided"
STD = "std"


class Catalog:
    """Answers by declaration, without a graph: computed names are passed over."""

    def __init__(self, program: Program, shapes: Shapes, world: World) -> None:
        self.program = program
        self.shapes = shapes
        self._world = world
        self._fed_by: dict[int, list[Task]] | None = None

    def tasks(self) -> Iterator[Task]:
        """The tasks of all packages, without those in bodies."""
        for package in self.program.packages.values():
            yield from package.tasks.values()

    def types(self) -> Iterator[Type]:
        for package in self.program.packages.values():
            yield from package.types.values()

    def desc(self, task: Task) -> str:
        """What its `desc` says, or that of the nearest base that has one."""
        return next((link.desc for link in self.shapes.of(task).chain if link.desc), "")

    def doc(self, task: Task) -> str:
        return next((link.doc for link in self.shapes.of(task).chain if link.doc), "")

    def variables(self, package: str) -> Fields:
        """The values of a package's variables; those that cannot be computed are left out."""
        return computed(self._world.variables(package))

    def needs(self, task: Task) -> list[Task]:
        """The tasks of packages that a task needs: inherited ones, its own, those that feed it."""
        found = [
            need
            for name, owner in self.shapes.of(task).needs
            if (need := self._task(name, owner)) is not None
        ]
        found += self._feeders().get(id(task), ())
        return _once(found)

    def named_by(self, task: Task) -> Iterator[Task]:
        """The tasks of packages that the declaration itself says it needs, also one in a body."""
        for name in task.needs:
            need = self._task(name, task)
            if need is not None:
                yield need

    def uses(self, task: Task) -> str:
        """The full name of its base; as it is written if that is computed, empty if there is none."""
        shape = self.shapes.of(task)
        if task.is_computed:
            return task.uses
        if len(shape.chain) > 1:
            return shape.chain[1].name
        return shape.item_type.name if shape.item_type else ""

    def base_type(self, kind: Type) -> str:
        """The full name of the type that a type uses; empty if it uses none."""
        base = find_type(self.program, kind.uses, kind.context) if kind.uses else None
        return base.name if base else kind.uses

    def tag_type(self, tag: TagUse, package: str) -> str:
        """The full name of a tag's type."""
        kind = self.program.type(f"{package}.{tag.type}") or self.program.type(tag.type)
        return kind.name if kind else tag.type

    def is_provided(self, task: Task) -> bool:
        """Whether it is more than a place for what another project brings."""
        return all(link.name != NOT_PROVIDED for link in self.shapes.of(task).chain)

    def _task(self, name: str, owner: Task) -> Task | None:
        if not name or "${{" in name:
            return None
        found = find_task(self.program, name, owner.context)
        if found is None and name.endswith(NEEDS_OF):
            found = find_task(self.program, name.removesuffix(NEEDS_OF), owner.context)
        return found

    def _feeders(self) -> dict[int, list[Task]]:
        if self._fed_by is None:
            self._fed_by = {}
            for task in self.tasks():
                for name in task.feeds:
                    fed = self._task(name, task)
                    if fed is not None:
                        self._fed_by.setdefault(id(fed), []).append(task)
        return self._fed_by


def computed(params: Parameters) -> Fields:
    """The values of parameters, as far as they are known without a run."""
    found: Fields = {}
    for name in params:
        try:
            found[name] = params[name]
        except (BadValue, ExpressionError):
            continue
    return found


def _once(tasks: list[Task]) -> list[Task]:
    return list({id(task): task for task in tasks}.values())
