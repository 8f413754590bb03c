"""What a flow file declares, checked for shape and not yet for meaning."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, cast

from dfm.errors import Place
from dfm.flow.document import Where
from dfm.graph.node import Pattern
from dfm.graph.values import Fields, Value

MISSING = cast(Value, object())  # a value that a flow file does not give

Kind: TypeAlias = str  # of a parameter: "str", "int", "float", "bool", "list", "map"
KINDS: dict[Kind, Value] = {"str": "", "int": 0, "float": 0.0, "bool": False, "list": [], "map": {}}


class Context(NamedTuple):
    """Where a text stands: what bare names, `srcdir` and relative paths in it mean."""

    package: str
    srcdir: str


@dataclass(slots=True)
class Parameter:
    """One writing of a parameter: a definition, or a value for an inherited one."""

    name: str
    where: Where
    context: Context
    kind: Kind | None = None
    value: Value = MISSING
    prepend: Value = MISSING
    append: Value = MISSING
    path_prepend: Value = MISSING
    path_append: Value = MISSING
    doc: str | None = None
    accepted: list[Value] | None = None  # None: not said
    accepts_others: bool = False

    @property
    def changes_list(self) -> bool:
        return any(part is not MISSING for part in self._additions())

    def parts(self) -> list[Value]:
        """All values in it that a flow file gives."""
        return [part for part in (self.value, *self._additions()) if part is not MISSING]

    def _additions(self) -> tuple[Value, ...]:
        return self.prepend, self.append, self.path_prepend, self.path_append


@dataclass(slots=True)
class TagUse:
    """A tag with the values of its fields."""

    type: str
    where: Where
    fields: Fields


@dataclass(slots=True)
class Requirement:
    """A check of the graph that a task asks for, with the values of its fields."""

    type: str
    where: Where
    fields: Fields

    def field_where(self, name: str) -> Where:
        return self.where.at(self.type, name)


@dataclass(slots=True)
class Type:
    """A data item, tag or check type."""

    name: str  # full
    where: Where
    context: Context
    uses: str = ""
    doc: str = ""
    params: dict[str, Parameter] = field(default_factory=dict)
    tags: list[TagUse] = field(default_factory=list)
    check: str = ""  # of a check type: the function


class Assignment(NamedTuple):
    """A name and what it is set to."""

    name: str
    value: Value
    where: Where


class Rebinding(NamedTuple):
    """What a task sets for all below it: variables, or parameters of the nodes that fit."""

    where: Where
    assignments: list[Assignment]
    uses: str = ""  # a pattern of types of nodes
    path: str = ""  # a pattern of names of nodes
    is_forcing: bool = False  # parameters, not variables


class Control(NamedTuple):
    """Under which conditions, and how often, the body of a task is done."""

    where: Where
    kind: str
    cond: Value
    until: Value
    most: Value  # iterations
    init: Fields  # of the state
    feedback: Value


class Branch(NamedTuple):
    """Tasks that are done under one condition; None: if no other is true."""

    suffix: str  # of their names
    condition: Value
    tasks: "list[Task]"


class Generate(NamedTuple):
    """Python that makes the body of a task."""

    where: Where
    run: str


class Select(NamedTuple):
    """The axes of a family of variants."""

    where: Where
    axes: dict[str, Value]
    key: str  # empty: the values, joined by dots
    default: Value  # "all", "none", values of axes; MISSING


@dataclass(slots=True)
class Task:
    """A task declaration, in a package or in the body of another."""

    name: str  # full: "PKG.TASK", "PKG.COMP.SUB"
    short: str
    where: Where
    context: Context
    named_by: str = "name"  # the field that the name stands in
    scopes: frozenset[str] = frozenset()
    uses: str = ""
    desc: str = ""
    doc: str = ""
    needs: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    params: dict[str, Parameter] = field(default_factory=dict)
    iff: Value = MISSING
    run: str | None = None
    run_field: str = "run"  # the field that it stands in
    shell: str = ""
    library: str = ""  # of a standard task: the function of dfm that does it
    body: list["Task"] | None = None
    matrix: dict[str, Value] | None = None  # axes
    select: Select | None = None
    generate: Generate | None = None
    is_chain: bool = False
    control: Control | None = None
    branches: list[Branch] = field(default_factory=list)  # of the control
    consumes: Value = MISSING
    passthrough: Value = MISSING
    produces: list[Pattern] | None = None
    rundir: str = "unique"
    uptodate: bool | str | None = None
    tags: list[TagUse] = field(default_factory=list)
    requires: list[Requirement] = field(default_factory=list)
    sets: list[Rebinding] = field(default_factory=list)
    lets: dict[str, Value] = field(default_factory=dict)
    abstract: bool = False
    elaborate: str = ""  # module:function
    summary: str | None = None  # the same; empty: the built-in one
    max_failures: int | None = None
    on_error: str = ""
    enclosing: "Task | None" = None
    extensions: list[dict[str, Parameter]] = field(default_factory=list)  # of the configuration
    _by_short: dict[str, "Task"] | None = None

    @property
    def place(self) -> Place:
        """Where its name stands."""
        return self.where.at(self.named_by).place()

    @property
    def has_strategy(self) -> bool:
        """Whether it says how its body is repeated or made."""
        return (
            self.matrix is not None
            or self.select is not None
            or self.generate is not None
            or self.is_chain
        )

    @property
    def is_computed(self) -> bool:
        """Whether what it uses is known when the graph is built, and not before."""
        return "${{" in self.uses

    def in_body(self, short: str) -> "Task | None":
        """A task that is written in this one's body."""
        if self._by_short is None:
            self._by_short = {task.short: task for task in self.body or ()}
        return self._by_short.get(short)

    def walk(self) -> Iterator["Task"]:
        """This task and all in its body, in the order written."""
        todo = [self]
        while todo:
            task = todo.pop()
            yield task
            todo.extend(reversed(task.body or ()))
            for branch in task.branches:
                if branch.tasks is not task.body:
                    todo.extend(reversed(branch.tasks))


@dataclass(slots=True)
class Extension:
    """Of a configuration: a change of a task in place."""

    task: str
    where: Where
    needs: list[str]
    params: dict[str, Parameter]


@dataclass(slots=True)
class Configuration:
    """A named set of changes that `-c` selects."""

    name: str
    where: Where
    desc: str = ""
    uses: str = ""
    params: dict[str, Parameter] = field(default_factory=dict)
    extensions: list[Extension] = field(default_factory=list)


@dataclass(slots=True)
class Package:
    """A package with all that it declares itself."""

    name: str
    where: Where
    context: Context
    desc: str = ""
    doc: str = ""
    params: dict[str, Parameter] = field(default_factory=dict)
    tags: list[TagUse] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)  # by full name, without bodies
    types: dict[str, Type] = field(default_factory=dict)  # by full name
    configurations: dict[str, Configuration] = field(default_factory=dict)


class Program(NamedTuple):
    """All packages of one run."""

    root: Package
    packages: dict[str, Package]

    def task(self, name: str) -> Task | None:
        """A task by its full name; package names may have dots."""
        for package in self.packages.values():
            if name in package.tasks:
                return package.tasks[name]
        return None

    def type(self, name: str) -> Type | None:
        for package in self.packages.values():
            if name in package.types:
                return package.types[name]
        return None
