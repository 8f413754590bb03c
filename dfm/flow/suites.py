"""The tests and suites that a task of `std.TestRunner` needs (section 31.8), from the declarations alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dfm.flow.declarations import Program, TagUse, Task
from dfm.flow.expressions import as_text
from dfm.flow.names import find_task, find_type
from dfm.flow.shapes import Shape, Shapes
from dfm.graph.values import Fields

_TEST, _SUITE = "std.Test", "std.TestSuite"
Cells = Callable[[Task], list[tuple[str, Fields]]]  # of a matrix: suffixes and axis values


class Edge(NamedTuple):
    """That one task needs another; both by identity."""

    owner: int
    need: int


class Variant(NamedTuple):
    """One node of a test: the cell of a matrix, or the only one."""

    view: str  # "": it has no views
    cell: str  # suffix of the cell's name; "": it is no cell


@dataclass
class Case:
    """One test."""

    path: tuple[str, ...]
    task: Task
    edges: tuple[Edge, ...]  # from the runner down to it
    variants: list[Variant] = field(default_factory=list)

    @property
    def selector(self) -> str:
        """What selects it and nothing else."""
        return "." + ".".join(self.path)

    def views(self) -> list[str]:
        return list(dict.fromkeys(variant.view for variant in self.variants if variant.view))


class _Open(NamedTuple):
    """A suite whose members are being looked at, or the runner itself."""

    task: Task
    path: tuple[str, ...]
    edges: tuple[Edge, ...]
    members: Iterator[Task]


class Suites:
    """Finds the cases of a runner. `test_key` and `view_axis` are its parameters."""

    def __init__(
        self, program: Program, shapes: Shapes, cells: Cells, test_key: str, view_axis: str
    ) -> None:
        self._program = program
        self._shapes = shapes
        self._cells = cells
        self._test_key = test_key
        self._view_axis = view_axis

    def of(self, runner: Task) -> list[Case]:
        """In the order of the needs, depth first."""
        found: list[Case] = []
        stack = [_Open(runner, (), (), self._members(runner))]
        while stack:
            suite = stack[-1]
            task = next(suite.members, None)
            if task is None:
                stack.pop()
                continue
            shape = self._shapes.of(task)
            mark = self._mark(task, shape)
            if mark is None or any(task is outer.task for outer in stack):
                continue  # the circle is said when the graph is built
            path = (*suite.path, _name(mark, task))
            edges = (*suite.edges, Edge(id(suite.task), id(task)))
            if mark.type == _TEST:
                found.append(Case(path, task, edges, [Variant("", "")]))
            elif shape.matrix is not None:
                found += self._of_matrix(task, path, edges)
            else:
                stack.append(_Open(task, path, edges, self._members(task)))
        return found

    def _members(self, task: Task) -> Iterator[Task]:
        for name, owner in self._shapes.of(task).needs:
            found = find_task(self._program, name, owner.context)
            if found is not None:
                yield found

    def _mark(self, task: Task, shape: Shape) -> TagUse | None:
        """What makes it a test or a suite; its `type` is the full one."""
        for tag in task.tags:
            kind = find_type(self._program, tag.type, task.context)
            if kind is not None and self._shapes.is_a(kind, _TEST):
                return tag if tag.type == _TEST else TagUse(_TEST, tag.where, tag.fields)
            if kind is not None and self._shapes.is_a(kind, _SUITE):
                return TagUse(_SUITE, tag.where, tag.fields)
        if shape.item_type is not None and self._shapes.is_a(shape.item_type, _SUITE):
            given = task.params.get("name")
            fields: Fields = {} if given is None else {"name": given.value}
            return TagUse(_SUITE, task.where, fields)
        return None

    def _of_matrix(
        self, task: Task, path: tuple[str, ...], edges: tuple[Edge, ...]
    ) -> Iterator[Case]:
        cases: dict[str, Case] = {}
        for suffix, bindings in self._cells(task):
            name = self.test_of(bindings)
            if name:
                case = cases.setdefault(name, Case((*path, name), task, edges))
                case.variants.append(Variant(self.view_of(bindings), suffix))
        yield from cases.values()

    def view_of(self, bindings: Fields) -> str:
        return as_text(bindings.get(self._view_axis, ""))

    def test_of(self, bindings: Fields) -> str:
        """The test that a cell is: the axis of that name, or the field of an axis' value."""
        if self._test_key in bindings:
            return as_text(bindings[self._test_key])
        for value in bindings.values():
            if isinstance(value, dict) and self._test_key in value:
                return as_text(value[self._test_key])
        return ""


def _name(mark: TagUse, task: Task) -> str:
    given = mark.fields.get("name") or mark.fields.get("case")
    return as_text(given) if isinstance(given, str) and given else task.short
