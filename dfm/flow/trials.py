"""What the tests of a runner are in a graph: their nodes, and those that repeat them (section 31.8)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from dfm.errors import UsageError
from dfm.flow.declarations import Task
from dfm.flow.instance import Instance
from dfm.flow.layout import Layout
from dfm.flow.suites import Case
from dfm.flow.testing import TestTasks
from dfm.graph.node import Node
from dfm.graph.values import Fields

MOST_EPOCHS = 10_000


class Trial(NamedTuple):
    """One time that a test is done in one view. It has passed when all of `ends` are done; `numbers`
    are all of its nodes."""

    path: str
    view: str  # "": it has none
    epoch: int  # from 1
    ends: tuple[int, ...]
    numbers: tuple[int, ...]


class Runner(NamedTuple):
    """A task that runs tests, by its number, and those of them that were chosen."""

    number: int
    params: Fields
    trials: list[Trial]


class _Chosen(NamedTuple):
    runner: Task
    params: Fields
    cases: list[Case]


class Trials:
    """Of the runners of one graph. `new` gives a node its number; `later` has it worked out."""

    def __init__(
        self, tests: TestTasks, layout: Layout, instance_of: Callable[[Task], Instance],
        new: Callable[[Instance | None, Task | None], int], later: Callable[[Instance], None],
    ) -> None:  # fmt: skip
        self._tests = tests
        self._layout = layout
        self._instance_of = instance_of
        self._new = new
        self._later = later
        self._chosen: dict[int, _Chosen] = {}  # by the numbers of the runners
        self._made: dict[tuple[int, int], Instance] = {}  # by task and epoch

    def of_runner(self, runner: Instance, params: Fields) -> list[int]:
        """The nodes that do its tests again, for all epochs but the first. Raises UsageError."""
        cases = self._tests.chosen(runner.task, params)
        self._chosen[runner.number] = _Chosen(runner.task, params, cases)
        epochs = params.get("epochs", 1)
        if not isinstance(epochs, int) or not 1 <= epochs <= MOST_EPOCHS:
            what = f"{runner.name}: `epochs` must be a number from 1 to {MOST_EPOCHS:,}"
            raise UsageError(f"{what}, not {epochs}")
        tasks = {id(case.task): case.task for case in cases}
        return [
            self._again(task, epoch).number
            for epoch in range(2, epochs + 1)
            for task in tasks.values()
        ]

    def _again(self, task: Task, epoch: int) -> Instance:
        made = self._made.get((id(task), epoch))
        if made is None:
            name = f"{task.name}_epoch_{epoch}"
            folder = self._layout.top(name, rivals=[name])
            stem = self._layout.stem(name, folder, is_shared=False)
            made = Instance(self._new(None, task), task, name, folder, folder, stem=stem)
            self._made[id(task), epoch] = made
            self._later(made)
        return made

    def found(
        self, goals: Sequence[int], nodes: Sequence[Node], around: Sequence[Instance | None]
    ) -> list[Runner]:
        """The runners that were asked for. `around` has the compound that each node is a member of."""
        chosen = {number: self._chosen[number] for number in goals if number in self._chosen}
        if not chosen:
            return []
        whole = {id(one): one for one in self._instances(chosen.values())}
        parts: dict[int, dict[int, list[int]]] = {key: {} for key in whole}
        for node in nodes:
            end, outer = node.number, around[node.number]
            while outer is not None and id(outer) not in whole:
                end, outer = outer.number, outer.compound
            if outer is not None:
                parts[id(outer)].setdefault(end, []).append(node.number)
        return [
            Runner(number, one.params, list(self._trials(one, parts, nodes)))
            for number, one in chosen.items()
        ]

    def _instances(self, chosen: Iterable[_Chosen]) -> Iterator[Instance]:
        for one in chosen:
            for case in one.cases:
                yield from (instance for _, instance in self._of_case(case, one.params))

    def _of_case(self, case: Case, params: Fields) -> Iterator[tuple[int, Instance]]:
        """Those that are in the graph, with their epochs."""
        first = self._instance_of(case.task)
        if first.number >= 0:
            yield 1, first
        epochs = params.get("epochs", 1)
        assert isinstance(epochs, int)
        for epoch in range(2, epochs + 1):
            yield epoch, self._made[id(case.task), epoch]

    def _trials(
        self, chosen: _Chosen, parts: dict[int, dict[int, list[int]]], nodes: Sequence[Node]
    ) -> Iterator[Trial]:
        for case in chosen.cases:
            path = ".".join(case.path)
            for epoch, instance in self._of_case(case, chosen.params):
                inside = parts[id(instance)]
                if not case.variants[0].cell:
                    numbers = [number for inner in inside.values() for number in inner]
                    own = instance.number
                    yield Trial(path, "", epoch, (own,), (own, *numbers))
                    continue
                for view in dict.fromkeys(variant.view for variant in case.variants):
                    wanted = (case.path[-1], view)
                    ends = [
                        end for end in inside
                        if self._tests.cell(nodes[end].bindings, chosen.params) == wanted
                    ]  # fmt: skip
                    numbers = [number for end in ends for number in inside[end]]
                    yield Trial(path, view, epoch, tuple(ends), tuple(numbers))
