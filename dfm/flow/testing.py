"""Tasks of `std.TestRunner` and `std.TestInfo` while a graph is built (section 31.8)."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from dfm.errors import UsageError
from dfm.flow.choice import NOTHING_LEFT_OUT, LeftOut, Selection, choose, left_out, words
from dfm.flow.declarations import Program, Task
from dfm.flow.evaluation import Evaluation
from dfm.flow.instance import Instance
from dfm.flow.leaf import products
from dfm.flow.listing import FILE, listing
from dfm.flow.names import find_goal, find_task
from dfm.flow.shapes import Shapes
from dfm.flow.suites import Case, Suites
from dfm.graph.node import Said
from dfm.graph.values import Fields

RUNNER, INFO = "TestRunner", "TestInfo"


class TestTasks:
    """What they come to in one graph."""

    def __init__(
        self,
        program: Program,
        shapes: Shapes,
        evaluation: Evaluation,
        instance_of: Callable[[Task], Instance],
    ) -> None:
        self._program = program
        self._shapes = shapes
        self._evaluation = evaluation
        self._instance_of = instance_of

    def chosen(self, runner: Task, params: Fields) -> list[Case]:
        """The tests that its parameters choose. Raises UsageError, BadValue."""
        selection = Selection.of(params)
        cases = self._cases(runner, params)
        return cases if selection.chooses_all() else choose(cases, selection, runner.name)

    def left_out_of(self, runner: Task, params: Fields) -> LeftOut:
        """What a runner leaves out of the graph. Raises UsageError, BadValue."""
        if Selection.of(params).chooses_all():
            return NOTHING_LEFT_OUT
        return left_out(self._cases(runner, params), self.chosen(runner, params))

    def cell(self, bindings: Fields, params: Fields) -> tuple[str, str]:
        """The test and the view that a cell with these axis values is; `params` are the runner's."""
        suites = self._suites(params)
        return suites.test_of(bindings), suites.view_of(bindings)

    def producers(self, runner: Task, params: Fields) -> list[Task]:
        """The tasks that `build_only` means: the nearest ones below the chosen tests that declare to
        produce what it says. Raises UsageError, BadValue."""
        wanted = words(params["build_only"])
        tasks = [case.task for case in self.chosen(runner, params)]
        found = self._nearest(tasks, wanted)
        if not found:
            raise UsageError(
                f"{runner.name}: nothing that its tests need declares to produce {','.join(wanted)}"
            )
        return found

    def _nearest(self, tasks: Iterable[Task], patterns: Sequence[str]) -> list[Task]:
        """The nearest tasks from these on down that declare to produce what one of the patterns says."""
        wanted = [_pattern(word) for word in patterns]
        found: dict[int, Task] = {}
        seen: set[int] = set()
        todo = deque(tasks)
        while todo:
            task = todo.popleft()
            if id(task) in seen:
                continue
            seen.add(id(task))
            if self._produces(task, wanted):
                found[id(task)] = task
                continue
            for name, owner in self._shapes.of(task).needs:
                need = find_task(self._program, name, owner.context)
                todo += [] if need is None else [need]
        return list(found.values())

    def _produces(self, task: Task, wanted: Sequence[Fields]) -> bool:
        shape = self._shapes.of(task)
        if shape.produces is None:
            return False
        instance = self._instance_of(task)
        params = self._evaluation.params(instance, shape)
        scope = self._evaluation.scope(instance, shape.produces, params)
        made = products(self._evaluation, shape.produces, scope)
        return any(pattern.items() <= product.items() for pattern in wanted for product in made)

    def said_by(self, task: Task, params: Fields) -> Said:
        """What `std.TestInfo` prints. Raises UsageError, BadValue."""
        runner = find_goal(self._program, str(params["target"]))
        shape = self._shapes.of(runner)
        if shape.library != RUNNER:
            raise UsageError(f"{task.name}: its target {runner.name} is no std.TestRunner")
        own = self._evaluation.params(self._instance_of(runner), shape)
        keys: Fields = {key: own[key] for key in ("test_key", "view_axis")}
        params = {**params, **keys}
        cases = self.chosen(runner, params)
        required = None
        if params["requires"]:
            patterns = words(params["requires"])
            required = [
                [found.name for found in self._nearest([case.task], patterns)] for case in cases
            ]
        text, file = listing(cases, Selection.of(params), params, runner.name, required)
        return Said(text, {FILE: file})

    def _cases(self, runner: Task, params: Fields) -> list[Case]:
        return self._suites(params).of(runner)

    def _suites(self, params: Fields) -> Suites:
        return Suites(
            self._program, self._shapes, self._cells, str(params["test_key"]),
            str(params["view_axis"]),
        )  # fmt: skip

    def _cells(self, task: Task) -> list[tuple[str, Fields]]:
        instance, shape = self._instance_of(task), self._shapes.of(task)
        return self._evaluation.cells(instance, shape, self._evaluation.params(instance, shape))


def _pattern(word: str) -> Fields:
    """`std.FileSet:filetype=simDir` as the pattern of an item; the type may be left out."""
    kind, _, rest = ("", "", word) if "=" in word.partition(":")[0] else word.partition(":")
    fields = (field.partition("=") for field in rest.split(":") if field)
    return {**({"type": kind} if kind else {}), **{name: value for name, _, value in fields}}
