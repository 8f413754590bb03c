"""Which nodes an instance needs (section 12)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dfm.flow.declarations import Program, Task
from dfm.flow.document import Where
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import as_text
from dfm.flow.families import Families
from dfm.flow.instance import Instance
from dfm.flow.names import NEEDS_OF, find_task, known_names
from dfm.flow.problems import did_you_mean


@dataclass(slots=True)
class _Open:
    """An instance whose needs are being worked out."""

    instance: Instance
    names: Iterator[tuple[str, Task]]
    found: list[int] = field(default_factory=list)

    def take(self, needs: list[int]) -> None:
        """The needs of another in place of it; what is fed by this one does not make it need itself."""
        self.found += [number for number in needs if number != self.instance.number]


class Needs:
    """Resolves needs. `NAME.needs` may lead on to others, of which a stack is kept: no recursion."""

    def __init__(
        self,
        program: Program,
        evaluation: Evaluation,
        families: Families,
        numbers_of: Callable[[Task, str, Where], list[int]],
        instance_of: Callable[[Task], Instance],
        is_left_out: Callable[[Task, Task], bool],
    ) -> None:
        self._program = program
        self._evaluation = evaluation
        self._families = families
        self._numbers_of = numbers_of
        self._instance_of = instance_of
        self._is_left_out = is_left_out  # whether a task goes without one that it needs
        self._feeders = self._find_feeders()

    def of(self, instance: Instance) -> list[int]:
        """The numbers of the nodes: its own needs, then those that feed it. Raises BadValue."""
        stack = [_Open(instance, self._names(instance))]
        open_ = {id(instance)}
        while instance.needs is None:
            top = stack[-1]
            other = self._next(top)
            if other is None:
                stack.pop()
                open_.discard(id(top.instance))
                numbers = [*top.found, *self._fed_by(top.instance)]
                top.instance.needs = list(dict.fromkeys(numbers))
                if stack:
                    stack[-1].take(top.instance.needs)
            elif id(other) in open_:
                self._say_circle(other, stack)
            else:
                open_.add(id(other))
                stack.append(_Open(other, self._names(other)))
        return instance.needs

    def _next(self, top: _Open) -> Instance | None:
        """Goes on to the first `NAME.needs` that is not known yet; None at the end."""
        for name, owner in top.names:
            found = self._find(name, owner, top.instance)
            if isinstance(found, list):
                top.found += found
            elif found is not None and found.needs is not None:
                top.take(found.needs)
            elif found is not None:
                return found
        return None

    def _names(self, instance: Instance) -> Iterator[tuple[str, Task]]:
        """The names of what it needs, computed, and the task that says so."""
        if instance.family is not None:  # what a family needs each of its variants needs
            yield from self._names(instance.family)
        shape = self._evaluation.shape(instance.task, instance.body)
        if not shape.needs:
            return
        params = self._evaluation.params(instance, shape)
        for name, owner in shape.needs:
            if "${{" not in name:
                yield name, owner
                continue
            scope = self._evaluation.scope(instance, owner, params)
            where = owner.where.at("needs")
            value = self._evaluation.value(name, scope, where, f"`needs` of {owner.name}")
            for one in value if isinstance(value, list) else [value]:
                yield as_text(one), owner

    def _find(self, name: str, owner: Task, instance: Instance) -> list[int] | Instance | None:
        """Numbers, or the instance whose needs are meant; None after the fault is said."""
        # A text of a base that is no body's does not see the body.
        sees_body = owner is instance.task or owner.enclosing is not None
        level = instance.level if sees_body else None
        where = owner.where.at("needs")
        member = level.find(name, instance) if level else None
        if member is not None:
            return [member.number]
        task = find_task(self._program, name, owner.context)
        if task is not None:
            if self._is_left_out(instance.task, task):
                return []
            return self._numbers_of(task, "", where)
        if level and self._is_abstract_sibling(name, instance, where):
            return None
        if level and name in level.members:
            return [instance.number]  # a circle, to be said as such
        if name.endswith(NEEDS_OF):
            same_as = name.removesuffix(NEEDS_OF)
            member = level.find(same_as, instance) if level else None
            if member is not None:
                return member
            task = find_task(self._program, same_as, owner.context)
            if task is not None:
                return self._instance_of(task)
        variant = self._families.find(name, owner.context)
        if variant is not None:
            return self._numbers_of(*variant, where)
        self._evaluation.problems.add(
            where, f"{owner.name} needs `{name}`, and there is no such task",
            hint=did_you_mean(name, known_names(self._program, owner.context)),
        )  # fmt: skip
        return None

    def _is_abstract_sibling(self, name: str, instance: Instance, where: Where) -> bool:
        """Whether a name is that of a base in a body, which is not to be needed; then it is said."""
        around = instance.task.enclosing
        while around is not None:
            found = around.in_body(name)
            if found is not None and found.abstract:
                what = f"{found.name} is abstract: a base for others, not to be run"
                self._evaluation.problems.add(where, what)
                return True
            around = around.enclosing
        return False

    def named(self, name: str, instance: Instance, where: Where) -> list[int]:
        """What a name means that Python gives as a need; a fault at `where` if nothing."""
        found = self._find(name, instance.task, instance)
        if isinstance(found, Instance):
            found = self.of(found)
        return found or []

    def _say_circle(self, other: Instance, stack: list[_Open]) -> None:
        names = [one.instance.name for one in stack]
        circle = [*names[names.index(other.name) :], other.name]
        self._evaluation.problems.add(
            stack[-1].instance.task.where.at("needs"),
            f"`{NEEDS_OF}` of tasks lead back to themselves: {' -> '.join(circle)}",
            kind="CircularDependency",
            tasks=tuple(circle),
        )

    # Feeding

    def _fed_by(self, instance: Instance) -> list[int]:
        if instance.level is not None:
            return instance.level.feeders.get(instance.number, [])
        fed = instance.family or instance
        feeders = self._feeders.get(id(fed.declared or fed.task), ())
        return [number for task in feeders for number in self._numbers_of(task, "", task.where)]

    def _find_feeders(self) -> dict[int, list[Task]]:
        """Of each task of a package, by identity: those that feed it."""
        feeders: dict[int, list[Task]] = {}
        for package in self._program.packages.values():
            for task in package.tasks.values():
                for name in task.feeds:
                    fed = find_task(self._program, name, task.context)
                    if fed is not None:
                        feeders.setdefault(id(fed), []).append(task)
        return feeders
