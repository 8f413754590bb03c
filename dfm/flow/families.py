"""Families of variants, made by `strategy: select` (section 19.3): `model.x86.rel` of the task `model`.

A family is no node itself. Its cells are tasks of their own, built when somebody asks for them.
"""

import itertools
import math
from collections.abc import Iterator, Mapping

from dfm.errors import UsageError
from dfm.flow.body import Body
from dfm.flow.declarations import MISSING, Context, Program, Select, Task
from dfm.flow.document import describe
from dfm.flow.expressions import ExpressionError, as_text
from dfm.flow.names import find_task
from dfm.flow.parameters import BadValue
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Shapes
from dfm.flow.templates import evaluate, report
from dfm.flow.world import Scope, World
from dfm.graph.values import Fields, Value

MOST_CELLS = 100_000


class Families:
    """The families of a program, with the keys of their cells."""

    def __init__(self, program: Program, shapes: Shapes, world: World, problems: Problems) -> None:
        self._program = program
        self._shapes = shapes
        self._world = world
        self._problems = problems
        self._cells: dict[int, dict[str, Fields] | None] = {}  # by family; None: it has faults
        self._axes: dict[int, dict[str, list[Value]]] = {}

    def owner(self, task: Task) -> tuple[Task, Select] | None:
        """The task that says the axes of a family; None if the task is no family."""
        owner = self._shapes.of(task).select
        return (owner, owner.select) if owner is not None and owner.select is not None else None

    def find(self, name: str, context: Context) -> tuple[Task, str] | None:
        """The family that a name means or begins with, and the rest of the name."""
        prefix, key = name, ""
        while prefix:
            task = find_task(self._program, prefix, context)
            if task is not None:
                return (task, key) if self.owner(task) else None
            prefix, dot, last = prefix.rpartition(".")
            if not dot:
                return None
            key = f"{last}.{key}" if key else last
        return None

    def cells(self, family: Task) -> dict[str, Fields]:
        """The axis values of each cell, by its key. Raises BadValue after a fault is said."""
        if id(family) not in self._cells:
            self._cells[id(family)] = None
            self._cells[id(family)] = self._make(family)
        cells = self._cells[id(family)]
        if cells is None:
            raise BadValue
        return cells

    def axes(self, family: Task) -> dict[str, list[Value]]:
        """Raises BadValue after a fault is said."""
        self.cells(family)
        return self._axes[id(family)]

    def unknown_key(self, family: Task, key: str) -> tuple[str, str]:
        """What is wrong with the name of a cell that there is not, and a hint."""
        known = [f"{family.short}.{one}" for one in self.cells(family)]
        hint = did_you_mean(f"{family.short}.{key}", known)
        if any(set(key.split(".")) <= set(one.split(".")) for one in self.cells(family)):
            hint = f"full names are {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}"
        return f"{family.name} has no variant `{key}`", hint

    def _make(self, family: Task) -> dict[str, Fields]:
        found = self.owner(family)
        assert found is not None, family.name
        owner, select = found
        axes = {axis: self._axis(owner, select, axis) for axis in select.axes}
        if math.prod(map(len, axes.values())) > MOST_CELLS:
            self._problems.add(select.where, f"the family has more than {MOST_CELLS:,} variants")
            raise BadValue
        self._axes[id(family)] = axes
        cells: dict[str, Fields] = {}
        for values in itertools.product(*axes.values()):
            bindings = dict(zip(axes, values, strict=True))
            key = self._key(owner, select, bindings)
            if not key.strip(".") or key in cells:
                what = f"two variants of {family.name} have the key `{key}`"
                self._problems.add(select.where, what if key.strip(".") else "a key is empty")
                raise BadValue
            cells[key] = bindings
        return cells

    def _axis(self, owner: Task, select: Select, axis: str) -> list[Value]:
        where = select.where.at("axes", axis)
        scope = Scope(self._world, owner.context)
        value = self._value(select.axes[axis], scope, owner, ("axes", axis))
        if not isinstance(value, list):
            what = f"axis `{axis}` of {owner.name} must be a list, not {describe(value)}"
            self._problems.add(where.key(), what)
            raise BadValue
        return value

    def _key(self, owner: Task, select: Select, bindings: Fields) -> str:
        if not select.key:
            return ".".join(map(as_text, bindings.values()))
        body = Body({}, bindings, None)
        return as_text(
            self._value(select.key, Scope(self._world, owner.context, body=body), owner, ("key",))
        )

    def _value(self, value: Value, scope: Scope, owner: Task, path: tuple[str, ...]) -> Value:
        assert owner.select is not None
        try:
            return evaluate(value, scope)
        except ExpressionError as error:
            subject = f"`{path[-1]}` of {owner.name}"
            report(error, owner.select.where.at(*path), value, self._problems, subject)
            raise BadValue from None

    # The family's own name, and parts of keys

    def default_keys(self, family: Task, given: Mapping[str, Value], scope: Scope) -> list[str]:
        """The cells that the family's name means, where some axes are given. Raises BadValue."""
        found = self.owner(family)
        assert found is not None
        owner, select = found
        cells, axes = self.cells(family), self._axes[id(family)]
        wanted = dict(given)
        if isinstance(select.default, dict) or select.default is MISSING:
            said = select.default if isinstance(select.default, dict) else {}
            for axis, values in axes.items():
                if axis in wanted:
                    continue
                if axis in said:
                    wanted[axis] = self._value(said[axis], scope, owner, ("default", axis))
                elif values:
                    wanted[axis] = values[0]
        elif select.default == "none" and len(wanted) < len(axes):
            names = ", ".join(f"{family.short}.{key}" for key in list(cells)[:8])
            what = f"{family.name} has no default: one of its variants is to be named"
            self._problems.add(family.where.at(family.named_by), what, hint=f"as {names}")
            raise BadValue
        keys = [
            key
            for key, bindings in cells.items()
            if all(as_text(bindings[axis]) == as_text(value) for axis, value in wanted.items())
        ]
        if not keys:
            shown = ", ".join(f"{axis}: {as_text(value)}" for axis, value in wanted.items())
            what = f"{family.name} has no variant {{{shown}}}, which is its default"
            self._problems.add(select.where.at("default"), what)
            raise BadValue
        return keys

    def partly(self, family: Task, key: str) -> dict[str, Value] | None:
        """The axes that a part of a key says, each value once; None if it says none."""
        axes = self.axes(family)
        given: dict[str, Value] = {}
        rest = key
        while rest:
            match = next(
                (
                    (axis, value)
                    for axis, values in axes.items()
                    if axis not in given
                    for value in sorted(values, key=lambda value: -len(as_text(value)))
                    if rest == as_text(value) or rest.startswith(f"{as_text(value)}.")
                ),
                None,
            )
            if match is None:
                return None
            given[match[0]] = match[1]
            rest = rest[len(as_text(match[1])) + 1 :]
        return given

    def goal(self, name: str) -> tuple[Task, str] | None:
        """The family and the key, or a part of one, that a name on the command line means.

        Raises UsageError if it may be one of several.
        """
        prefix, key = name, ""
        while True:
            prefix, dot, last = prefix.rpartition(".")
            if not dot:
                return None
            key = f"{last}.{key}" if key else last
            found = [task for task in self._all()
                     if task.name == prefix or task.name.endswith(f".{prefix}")]  # fmt: skip
            if len(found) > 1:
                names = ", ".join(task.name for task in found)
                raise UsageError(f"`{prefix}` may be one of {names}", hint="give the full name")
            if found:
                return found[0], key

    def _all(self) -> Iterator[Task]:
        for package in self._program.packages.values():
            for task in package.tasks.values():
                if self.owner(task):
                    yield task
