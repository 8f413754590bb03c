"""Tasks of `std.TestRunner` and `std.TestInfo` while a graph is built (section 31.8)."""

from collections import deque
from collections.abc import Callable, Sequence

from dfm.errors import UsageError
from dfm.flow.choice import NOTHING_LEFT_OUT, LeftOut, Selection, choose, left_out, words
from dfm.flow.declarations import Program, Task
from dfm.flow.evaluation import Evaluation
from dfm.flow.instance import Instance
from dfm.flow.leaf import products
from dfm.flow.listing import FILE, listing
from dfm.flow.names import find_goal, find_task
from dfm.flow.problems import NOT_YET
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

    def left_out_of(self, runner: Task, params: Fields) -> LeftOut:
        """What a runner leaves out of the graph. Raises UsageError, BadValue."""
        selection = Selection.of(params)
        if selection.chooses_all():
            return NOTHING_LEFT_OUT
        cases = self._cases(runner, params)
        return left_out(cases, choose(cases, selection, runner.name))

    def producers(self, runner: Task, params: Fields) -> list[Task]:
        """The tasks that `build_only` means: the nearest ones below the chosen tests that declare to
        produce what it says. Raises UsageError, BadValue."""
        selection = Selection.of(params)
        cases = self._cases(runner, params)
        chosen = cases if selection.chooses_all() else choose(cases, selection, runner.name)
        wanted = [_pattern(word) for word in words(params["build_only"])]
        found: dict[int, Task] = {}
        seen: set[int] = set()
        tasks = deque(case.task for case in chosen)
        while tasks:
            task = tasks.popleft()
            if id(task) in seen:
                continue
            seen.add(id(task))
            if self._produces(task, wanted):
                found[id(task)] = task
                continue
            for name, owner in self._shapes.of(task).needs:
                need = find_task(self._program, name, owner.context)
                tasks += [] if need is None else [need]
        if not found:
            text = ",".join(words(params["build_only"]))
            raise UsageError(
                f"{runner.name}: nothing that its tests need declares to produce {text}"
            )
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
        if params["requires"]:
            raise UsageError(f"{task.name}: `requires` {NOT_YET}")
        runner = find_goal(self._program, str(params["target"]))
        shape = self._shapes.of(runner)
        if shape.library != RUNNER:
            raise UsageError(f"{task.name}: its target {runner.name} is no std.TestRunner")
        own = self._evaluation.params(self._instance_of(runner), shape)
        keys: Fields = {key: own[key] for key in ("test_key", "view_axis")}
        cases = self._cases(runner, keys)
        selection = Selection.of(params)
        if not selection.chooses_all():
            cases = choose(cases, selection, runner.name)
        text, file = listing(cases, selection, {**params, **keys}, runner.name)
        return Said(text, {FILE: file})

    def _cases(self, runner: Task, params: Fields) -> list[Case]:
        suites = Suites(
            self._program, self._shapes, self._cells, str(params["test_key"]),
            str(params["view_axis"]),
        )  # fmt: skip
        return suites.of(runner)

    def _cells(self, task: Task) -> list[tuple[str, Fields]]:
        instance, shape = self._instance_of(task), self._shapes.of(task)
        return self._evaluation.cells(instance, shape, self._evaluation.params(instance, shape))


def _pattern(word: str) -> Fields:
    """`std.FileSet:filetype=simDir` as the pattern of an item."""
    kind, _, rest = word.partition(":")
    fields = (field.partition("=") for field in rest.split(":") if field)
    return {"type": kind, **{name: value for name, _, value in fields}}
