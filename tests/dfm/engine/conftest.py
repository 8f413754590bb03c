"""A world for the engine: graphs written by hand, and a dispatcher that answers what it is told."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dfm.engine.outcome import Ending, Outcome
from dfm.engine.run import Run
from dfm.engine.specs import Places, RunContext
from dfm.graph.node import Graph, Node, Script, Work
from dfm.graph.resources import Request
from dfm.graph.values import Fields
from dfm.wire.task import Command, Requirements, TaskResult, TaskSpec, WorkerShape

TYPES: dict[str, Fields] = {
    "std.FileSet": {
        "filetype": "", "basedir": "", "files": [], "incdirs": [], "defines": [], "attributes": [],
    },
    "p.Note": {"text": "", "n": 7},
}  # fmt: skip


def script(text: str = "true") -> Script:
    return Script("bash", text, f"hash of {text}", "/src")


def node(name: str, work: Work | None = None, needs: Sequence[int] = (), **more: Any) -> Node:
    """A node whose number is set when it is put into a graph."""
    return Node(0, f"p.{name}", f"p.{name}", "/src", work or script(), tuple(needs), **more)


def graph(*nodes: Node) -> Graph:
    for number, one in enumerate(nodes):
        one.number = number
    return Graph(list(nodes), [len(nodes) - 1], "p", TYPES)


def result(status: int = 0, **more: Any) -> TaskResult:
    return TaskResult(status, 0.0, 1.0, [Command(["true"], status)], [], **more)


def lines(*items: Fields) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


class Watcher:
    """Remembers what a run tells."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.begun: list[str] = []
        self.texts: list[str] = []

    def started(self, node: Node, where: str) -> None:
        self.begun.append(node.name)

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def said(self, text: str) -> None:
        self.texts.append(text)

    def notice(self, text: str) -> None:
        self.texts.append(text)

    def of(self, ending: Ending) -> list[str]:
        return [outcome.node.name for outcome in self.outcomes if outcome.ending is ending]


class Hands:
    """A dispatcher: keeps what is submitted until `answer` is called. At most `slots` at once."""

    def __init__(self, slots: int = 1000) -> None:
        self.run: Run | None = None
        self.slots = slots
        self.specs: dict[int, TaskSpec] = {}
        self.inputs: dict[int, Any] = {}
        self.requirements: dict[int, Requirements] = {}
        self.expected_s: dict[str, float] = {}
        self.submitted: list[str] = []
        self.cancelled: float | None = None

    def wants_more(self) -> bool:
        return len(self.specs) < self.slots

    def submit(
        self,
        number: int,
        spec: TaskSpec,
        inputs: bytes,
        requirements: Requirements,
        expected_s: float,
    ) -> None:
        self.specs[number] = spec
        self.inputs[number] = json.loads(inputs)
        self.submitted.append(spec.name)
        self.requirements[number] = requirements
        self.expected_s[spec.name] = expected_s

    def withdraw(self) -> None:
        numbers, self.specs = list(self.specs), {}
        assert self.run is not None
        self.run.withdrawn(numbers)

    def cancel(self, grace_s: float) -> None:
        self.cancelled = grace_s


Answers = Callable[[TaskSpec], TaskResult]


def resolve(request: Request | None) -> Requirements:
    """What is asked for, and nothing else."""
    asked = request or Request()
    cores, walltime_s = asked.cores or 0, asked.walltime_s or 0
    shape = WorkerShape("shape", cores, 0)
    return Requirements(shape, cores, walltime_s, "here", asked.limits, asked.priority)


class World:
    """One project folder, in which graphs are run again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rundir = folder / "rundir"
        self.watcher = Watcher()
        self.hands = Hands()
        self.limits: dict[str, int] = {}

    def make(self, graph: Graph, *, slots: int = 1000, **options: Any) -> Run:
        self.watcher, self.hands = Watcher(), Hands(slots)
        context = RunContext(
            Places(str(self.rundir), str(self.folder), str(self.folder)),
            {"PATH": "/bin"},
            graph.types,
        )
        run = Run(graph, context, self.watcher, **options)
        self.hands.run = run
        run.begin()
        return run

    def attach(self, run: Run) -> None:
        run.attach(self.hands, resolve, self.limits)

    def step(self, run: Run, answers: Answers) -> None:
        """Advances as far as it goes, then answers one task."""
        while run.advance(10):
            pass
        if run.wants_dispatcher:
            self.attach(run)
            self.step(run, answers)
        elif self.hands.specs:
            number = next(iter(self.hands.specs))
            run.finished(number, answers(self.hands.specs.pop(number)))

    def run(
        self, graph: Graph, answers: Answers = lambda spec: result(), **options: Any
    ) -> Watcher:
        """A whole run; returns what was told of it."""
        run = self.make(graph, **options)
        for _ in range(10_000):
            if run.is_over():
                break
            self.step(run, answers)
        assert run.is_over()
        run.close()
        return self.watcher

    def record(self, name: str) -> Any:
        return json.loads((self.rundir / name / f"{name}.exec_data.json").read_text())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
