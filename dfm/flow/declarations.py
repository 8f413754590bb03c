"""What a flow file declares, checked for shape and not yet for meaning."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from dfm.errors import Place
from dfm.flow.document import Where
from dfm.graph.node import Pattern
from dfm.graph.values import Fields, Value

if TYPE_CHECKING:
    from dfm.flow.expressions import Expression

MISSING = cast(Value, object())  # a value that a flow file does not give

Kind: TypeAlias = str  # of a parameter: "str", "int", "float", "bool", "list", "map"
KINDS: dict[Kind, Value] = {"str": "", "int": 0, "float": 0.0, "bool": False, "list": [], "map": {}}


class Context(NamedTuple):
    """Where a text stands: what bare names, `srcdir` and relative paths in it mean."""

    package: str
    srcdir: str
    fragment: str = ""  # in a named fragment: its full name, which references try first
    base: str = ""  # of what a package inherited: the package that it was written for


class Listed(NamedTuple):
    """A path in a list of a flow file, relative to `folder`."""

    path: str
    where: Where
    folder: str


class Cli(NamedTuple):
    """A parameter as an option of the command line. An empty name is that of the parameter."""

    name: str = ""
    short: str = ""  # one letter
    is_hidden: bool = False


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
    cli: Cli | None = None
    says_cli: bool = False  # `cli: false` takes an inherited option away

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


class CachePolicy(NamedTuple):
    """`cache:` of a task."""

    is_enabled: bool
    hash: list[str]
    compression: str


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
    cache: CachePolicy | None = None
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
    foreign_needs: set[str] = field(default_factory=set)  # that extensions give it
    mentions: frozenset[str] = frozenset()  # of one that overrides another: the fields it has
    examples: list[dict[str, str]] = field(default_factory=list)  # for readers
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

    def forget_names(self) -> None:
        """After a change of its body."""
        self._by_short = None

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
class Import:
    """A package that another one wants to be loaded. Names and paths may hold expressions."""

    text: str  # of the short form: a name, else a path
    where: Where
    context: Context
    name: str = ""
    path: str = ""
    alias: str = ""
    configuration: str = ""
    params: dict[str, Parameter] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        return self.text or self.name or self.path


@dataclass(slots=True)
class Filter:
    """A function for the right side of a pipe: an expression, or a program."""

    name: str  # full
    where: Where
    context: Context
    scopes: frozenset[str] = frozenset()
    params: dict[str, Parameter] = field(default_factory=dict)
    expr: str = ""
    expression: "Expression | None" = None  # what `expr` was parsed to
    run: str = ""
    shell: str = "bash"

    @property
    def is_exported(self) -> bool:
        return not self.scopes.isdisjoint({"export", "root"})


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

    name: str  # in a named fragment FRAG.NAME
    where: Where
    context: Context
    desc: str = ""
    uses: str = ""
    params: dict[str, Parameter] = field(default_factory=dict)
    extensions: list[Extension] = field(default_factory=list)
    fragments: list[Listed] = field(default_factory=list)
    contents: "Package | None" = None  # what it adds to its package
    below: "Configuration | None" = None  # of the base package, with the same name


@dataclass(slots=True)
class Override:
    """Something else is to be built wherever a task, or those of a package, are needed."""

    target: str
    where: Where
    context: Context
    replacement: str = ""
    inline: Task | None = None
    is_package: bool = False


@dataclass(slots=True)
class Package:
    """A package with all that its file and its fragments declare."""

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
    fragments: dict[str, Where] = field(default_factory=dict)  # by name: where that stands
    files: set[str] = field(default_factory=set)  # of its fragments, without links
    imports: list[Import] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    replacing: list[Task] = field(default_factory=list)  # tasks with `override`
    uses: str = ""  # the package that it inherits from
    inherited: list[dict[str, Parameter]] = field(default_factory=list)  # variables of bases
    bases: list[str] = field(default_factory=list)  # that package, its own base, and so on
    maps: list[Listed] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)  # in its texts: names of packages
    filters: dict[str, Filter] = field(default_factory=dict)  # by full name
    is_installed: bool = False  # comes with dfm or a plugin: not the project's own


class Program(NamedTuple):
    """All packages of one run."""

    root: Package
    packages: dict[str, Package]
    replaced: dict[int, Task]  # by identity: what is built in place of a task
    renamed: dict[str, str]  # packages: what is meant in place of one

    def task(self, name: str) -> Task | None:
        """A task by its full name."""
        for package in self._owners(name):
            if name in package.tasks:
                return package.tasks[name]
        return None

    def type(self, name: str) -> Type | None:
        for package in self._owners(name):
            if name in package.types:
                return package.types[name]
        return None

    def _owners(self, name: str) -> Iterator[Package]:
        """The packages that a full name may be of, the longest name first: they may have dots."""
        end = name.rfind(".")
        while end > 0:
            package = self.packages.get(name[:end])
            if package is not None:
                yield package
            end = name.rfind(".", 0, end)
