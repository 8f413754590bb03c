"""The graph of one run: its nodes, what each does, and in which order they can be done."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from dfm.graph.resources import Request
from dfm.graph.values import Fields, Value

Pattern: TypeAlias = Fields  # of data items; "type" is the item's full type name
Selection: TypeAlias = Literal["all", "none", "unused"] | list[Pattern]


@dataclass(frozen=True, slots=True)
class Script:
    """Runs a command: a shell's script, or Python."""

    language: str  # "bash", "csh", "tcsh", "python"
    text: str  # expanded
    run_hash: str  # of the text, with the run directory left as a name, and the language
    srcdir: str  # of the flow file in which the text stands


@dataclass(frozen=True, slots=True)
class Library:
    """A task of the standard library, done by dfm itself."""

    function: str


@dataclass(frozen=True, slots=True)
class Emit:
    """Emits one item of a data type; the node's parameters are its fields."""

    type: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """A task without implementation: there to be needed."""


@dataclass(frozen=True, slots=True)
class Disabled:
    """A task whose `iff` is false: it does nothing and emits nothing."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A task that was done in another run: it emits what its record says."""

    items: list[Fields]


@dataclass(frozen=True, slots=True)
class Said:
    """Prints what was worked out when the graph was built, and writes it to files."""

    text: str
    files: dict[str, str]  # by name


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a compound's inputs come in for the tasks of its body."""


class Decision(NamedTuple):
    """Of a gate, about one branch or iteration."""

    taken: bool
    is_settled: bool  # no later one is done
    state: Fields
    items: list[Fields] | None  # that come in; None: those of the task


class GateError(Exception):
    """A gate cannot decide; says why."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Where the inputs of a branch or iteration come in, if it is done at all. `decide` is told what
    the gate before said, the inputs of the task, and what the iteration before has emitted."""

    decide: Callable[["Decision | None", Sequence[Fields], Sequence[Fields]], Decision]
    entry: int  # of the task
    before: int | None  # the gate of the one before
    results: tuple[int, ...]  # the nodes whose output that one emits


@dataclass(frozen=True, slots=True)
class Compound:
    """Is done when its body is."""

    members: tuple[int, ...]  # all nodes of the body, those of inner bodies too
    on_error: Script | None = None  # a Python function that judges the body
    max_failures: int = -1
    is_matrix: bool = False
    is_empty: bool = False  # emits nothing: no task in its body
    entry: int | None = None  # the node where its inputs come in
    turns: tuple[tuple[int, tuple[int, ...]], ...] | None = None  # gates, and what is emitted then
    waits_for_entry: bool = False  # its body need not do so

    @property
    def contains_failures(self) -> bool:
        """Whether a failure inside stops nothing outside."""
        return self.on_error is not None or self.max_failures != -1


Work: TypeAlias = (
    Script | Library | Emit | Nothing | Disabled | Recorded | Said | Entry | Gate | Compound
)


@dataclass(frozen=True, slots=True)
class Caching:
    """That a task's results may be kept, and what they depend on besides what dfm knows."""

    values: tuple[object, ...]  # of the expressions under `hash`
    compression: str  # "no", "gzip", "bzip2"


# Of a node whose parameters need what comes in: from the consumed items and the memento to its parameters
# and work. Raises FlowError.
Finish: TypeAlias = Callable[[list[Fields], Value], tuple[Fields, Work]]


@dataclass(slots=True)
class Node:
    """One thing to be done. Numbers index `Graph.nodes`."""

    number: int
    name: str  # full name; not unique: bodies that were inherited keep their names
    rundir: str  # relative to the run's, unique but for tasks that share it; empty: it has none
    srcdir: str  # absolute
    work: Work
    needs: tuple[int, ...] = ()  # whose output comes in, in this order
    params: Fields = field(default_factory=dict)
    consumes: Selection = "all"
    passthrough: Selection = "unused"
    produces: list[Pattern] | None = None
    uptodate: bool | str = True  # False: always run; else the function that is asked besides
    inherits_rundir: bool = False
    scope: int | None = None  # the nearest compound around it that contains failures
    gate: int | None = None  # the nearest that it stands behind
    bindings: Fields = field(default_factory=dict)  # axis values, for those who read reports
    finish: Finish | None = None  # None: all is known
    cache: Caching | None = None  # None: its results are not kept
    stem: str | None = None  # of the files that dfm writes there (dfm.wire.files); None: its name
    request: Request | None = None  # what it asks of who runs it; None: it has no such tag

    @property
    def file_stem(self) -> str:
        return self.name if self.stem is None else self.stem

    @property
    def is_task(self) -> bool:
        """Whether users count it: not what is there to keep a compound's books."""
        if isinstance(self.work, Compound):
            return self.work.on_error is not None
        return not isinstance(self.work, Entry | Gate | Disabled | Recorded)


@dataclass(slots=True)
class Graph:
    """The nodes of a run, and those that were asked for."""

    nodes: list[Node]
    goals: list[int]
    package: str = ""  # of the root flow file
    types: dict[str, Fields] = field(default_factory=dict)  # registered item types: their defaults

    def waits(self, node: Node) -> Iterable[int]:
        """The nodes that must be over before this one: a compound that contains failures waits for
        its whole body, any other node for its needs."""
        if isinstance(node.work, Compound) and node.work.contains_failures:
            return dict.fromkeys((*node.needs, *node.work.members))
        if isinstance(node.work, Compound) and node.work.waits_for_entry:
            assert node.work.entry is not None
            return dict.fromkeys((*node.needs, node.work.entry))
        return dict.fromkeys(node.needs)


def cycle(graph: Graph) -> list[int] | None:
    """Nodes that wait for each other in a circle, the first one repeated at the end; or None."""
    waits = [list(graph.waits(node)) for node in graph.nodes]
    missing = [len(needed) for needed in waits]
    dependents: list[list[int]] = [[] for _ in graph.nodes]
    for number, needed in enumerate(waits):
        for need in needed:
            dependents[need].append(number)
    ready = [number for number, count in enumerate(missing) if not count]
    done = 0
    while ready:
        done += 1
        for dependent in dependents[ready.pop()]:
            missing[dependent] -= 1
            if not missing[dependent]:
                ready.append(dependent)
    if done == len(graph.nodes):
        return None
    return _circle(waits, missing)


def _circle(waits: Sequence[Sequence[int]], missing: Sequence[int]) -> list[int]:
    """From any node that could not be done, along needs that could not be done either."""
    place: dict[int, int] = {}
    path: list[int] = []
    number = next(number for number, count in enumerate(missing) if count)
    while number not in place:
        place[number] = len(path)
        path.append(number)
        number = next(need for need in waits[number] if missing[need])
    return [*path[place[number] :], number]
