"""What a task is with all that it inherits (section 11), and the same for types.

A shape depends on declarations only, so that it is made once for all nodes of a task; but for a task
whose `uses` is computed, which has a shape for every base it comes to.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from dfm.flow.declarations import (
    KINDS,
    MISSING,
    Cli,
    Context,
    Parameter,
    Program,
    Requirement,
    TagUse,
    Task,
    Type,
)
from dfm.flow.names import find_base, find_type, known_names, known_types, unknown
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.templates import has_expressions
from dfm.graph.values import Value

RESOURCE_TAG = "std.ResourceTag"

# Evaluates a `uses` that holds expressions; None if that cannot be done here.
ComputeUses = Callable[[Task], str | None]


@dataclass(slots=True)
class Merged:
    """A parameter with all writings along the chain, the base's first."""

    name: str
    kind: str
    writings: list[Parameter]
    doc: str = ""
    accepted: list[Value] | None = None
    accepts_others: bool = False
    cli: Cli | None = None
    constant: Value = MISSING  # its value, once computed, if it is the same for all nodes
    _is_constant: bool | None = None

    def is_constant(self) -> bool:
        """Whether no expression is in it."""
        if self._is_constant is None:
            self._is_constant = not any(
                has_expressions(part) for writing in self.writings for part in writing.parts()
            )
        return self._is_constant

    def written(self) -> Parameter | None:
        """The last writing that gives a value; None if its value is the empty one of its type."""
        return next((one for one in reversed(self.writings) if one.parts()), None)

    def default(self) -> Value:
        """What a type's field is when nobody gives it: a plain value, as types of checks have."""
        written = self.written()
        return KINDS[self.kind] if written is None else written.value

    def changed_by(self, writing: Parameter) -> "Merged":
        """With one more writing, which replaces only what it mentions."""
        says_values = writing.accepted is not None
        starts_anew = writing.value is not MISSING and not writing.changes_list
        return Merged(
            self.name,
            writing.kind or self.kind,
            [writing] if starts_anew else [*self.writings, writing],
            self.doc if writing.doc is None else writing.doc,
            writing.accepted if says_values else self.accepted,
            writing.accepts_others if says_values else self.accepts_others,
            writing.cli if writing.says_cli else self.cli,
        )


@dataclass(slots=True)
class Shape:
    """A task with its bases."""

    task: Task
    chain: list[Task]  # the task first
    item_type: Type | None  # the data type that the chain ends in
    params: dict[str, Merged] = field(default_factory=dict)
    needs: list[tuple[str, Task]] = field(default_factory=list)  # with the task that says so
    run: Task | None = None  # whose `run` and `shell` count
    library: str = ""
    body: list[Task] | None = None
    siblings: dict[str, Task] = field(default_factory=dict)  # the body by short names
    matrix: Task | None = None  # whose axes count
    select: Task | None = None  # the same of a family
    generate: Task | None = None
    is_chain: bool = False
    control: Task | None = None
    consumes: Value = MISSING
    passthrough: Value = MISSING
    produces: Task | None = None
    uptodate: Task | None = None
    cache: Task | None = None
    late: frozenset[str] | None = None  # parameters that are known at run time; None: not looked at
    max_failures: int = -1
    on_error: Task | None = None
    resources: TagUse | None = None
    elaborate: Task | None = None
    summary: Task | None = None
    # By full type and `id`: the nearest of each, with the task that says so.
    requires: dict[tuple[str, str], tuple[Requirement, Task]] = field(default_factory=dict)

    @property
    def axes(self) -> Collection[str]:
        """Of its cells, of a matrix or of a family."""
        if self.matrix is not None:
            return self.matrix.matrix or ()
        if self.control is not None:
            return "_iter", "_max_iter"
        return self.select.select.axes if self.select and self.select.select else ()

    @property
    def is_compound(self) -> bool:
        return self.body is not None


class Shapes:
    """All shapes of a program, made when they are asked for."""

    def __init__(self, program: Program, problems: Problems) -> None:
        self._program = program
        self._problems = problems
        self._made: dict[int, Shape] = {}
        self._computed: dict[tuple[int, ...], Shape] = {}  # by the identities of the whole chain
        self._types: dict[str, dict[str, Merged]] = {}

    def of(self, task: Task, compute_uses: ComputeUses = lambda task: None) -> Shape:
        """The shape of a task. Faults that its own declaration has are collected once."""
        if known := self._made.get(id(task)):
            return known
        chain, end = self._chain(task, compute_uses)
        if not any(link.is_computed for link in chain):
            shape = self._made[id(task)] = self._merge(chain, end)
            return shape
        key = (*map(id, chain), id(end))
        if key not in self._computed:
            self._computed[key] = self._merge(chain, end)
        return self._computed[key]

    def of_type(self, kind: Type) -> dict[str, Merged]:
        """The fields of a type, those of its bases first."""
        if kind.name not in self._types:
            chain = self._type_chain(kind)
            fields: dict[str, Merged] = {}
            bases = [base.name for base in chain[1:]]
            for link in reversed(chain):
                report = link is kind and not chain[-1].uses
                fields = self._layer(
                    fields, link.params, f"type {link.name}", bases if report else None
                )
            self._types[kind.name] = fields
        return self._types[kind.name]

    def type_of(self, ref: str, context: Context) -> Type | None:
        return find_type(self._program, ref, context)

    def types_below(self, name: str) -> list[Type]:
        """A type and its bases, by its full name; it exists."""
        kind = self._program.type(name)
        assert kind is not None, name
        return self._type_chain(kind)

    def is_a(self, kind: Type, base: str) -> bool:
        """Whether a type is, or derives from, the type of this full name."""
        return any(link.name == base for link in self._type_chain(kind))

    def _chain(self, task: Task, compute_uses: ComputeUses) -> tuple[list[Task], Type | None]:
        chain = {id(task): task}
        link = task
        while link.uses:
            name = compute_uses(link) if link.is_computed else link.uses
            if name is None:
                break
            base = find_base(self._program, name, link)
            if base is None:
                self._unresolved(link, name)
                break
            if isinstance(base, Type):
                return [*chain.values()], base
            if id(base) in chain:
                self._uses_itself(base, [one.name for one in chain.values()])
                break
            chain[id(base)] = link = base
        return [*chain.values()], None

    def _uses_itself(self, base: Task | Type, names: list[str]) -> None:
        """A chain of these names has come back to `base`, which need not be where it began."""
        circle = names[names.index(base.name) :]
        what = f"`{base.name}` uses itself"
        if len(circle) > 1:
            what += f": {' -> '.join([*circle, base.name])}"
        self._problems.add(base.where.at("uses"), what)

    def _unresolved(self, task: Task, name: str) -> None:
        known = known_names(self._program, task.context, types=True)
        self._problems.add(
            task.where.at("uses"), unknown("task or type", name), hint=did_you_mean(name, known)
        )

    def _type_chain(self, kind: Type) -> list[Type]:
        chain = {id(kind): kind}
        link = kind
        while link.uses:
            base = find_type(self._program, link.uses, link.context)
            if base is None:
                known = known_types(self._program, link.context)
                self._problems.add(
                    link.where.at("uses"), unknown("type", link.uses),
                    hint=did_you_mean(link.uses, known),
                )  # fmt: skip
                break
            if id(base) in chain:
                self._uses_itself(base, [one.name for one in chain.values()])
                break
            chain[id(base)] = link = base
        return [*chain.values()]

    def _merge(self, chain: list[Task], end: Type | None) -> Shape:
        shape = Shape(chain[0], chain, end, dict(self.of_type(end)) if end else {})
        is_whole = bool(end) or not chain[-1].uses
        bases = [base.name for base in chain[1:]] + ([end.name] if end else [])
        for link in reversed(chain):
            report = link is chain[0] and is_whole
            for layer in (link.params, *link.extensions):
                shape.params = self._layer(
                    shape.params, layer, f"task {link.name}", bases if report else None
                )
            self._take(shape, link)
        shape.siblings = {task.short: task for task in shape.body or ()}
        if shape.control is not None:
            for branch in shape.control.branches:
                shape.siblings.update({task.short: task for task in branch.tasks})
        return shape

    def _take(self, shape: Shape, link: Task) -> None:
        """What a link of the chain says replaces what its bases said."""
        shape.needs += [(need, link) for need in link.needs]
        if link.body is not None:
            shape.body = [*(shape.body or ()), *link.body]
        if link.body is not None or link.has_strategy:
            shape.control = link if link.control is not None else None
            # A strategy is inherited together with its body only.
            shape.matrix = link if link.matrix is not None else None
            shape.select = link if link.select is not None else None
            shape.generate = link if link.generate is not None else None
            shape.is_chain = link.is_chain
            if link.has_strategy:
                shape.body = shape.body or []
        if link.run is not None and shape.body is None:
            shape.run, shape.library = link, ""
        if link.library:
            shape.library = link.library
        if link.consumes is not MISSING:
            shape.consumes = link.consumes
        if link.passthrough is not MISSING:
            shape.passthrough = link.passthrough
        if link.produces is not None:
            shape.produces = link
        if link.uptodate is not None:
            shape.uptodate = link
        if link.cache is not None:
            shape.cache = link
        if link.max_failures is not None:
            shape.max_failures = link.max_failures
        if link.elaborate:
            shape.elaborate = link
        if link.summary is not None:
            shape.summary = link
        if link.on_error:
            shape.on_error = link
        for tag in link.tags:
            kind = find_type(self._program, tag.type, link.context)
            if kind is not None and self.is_a(kind, RESOURCE_TAG):
                shape.resources = self._with_defaults(tag, kind)
        for requirement in link.requires:
            kind = find_type(self._program, requirement.type, link.context)
            if kind is not None:
                key = kind.name, str(requirement.fields.get("id", ""))
                shape.requires.pop(key, None)  # in the order of those that count
                shape.requires[key] = requirement, link

    def _with_defaults(self, tag: TagUse, kind: Type) -> TagUse:
        """A tag of a type that derives from std.ResourceTag says what that type says, too."""
        said: dict[str, Value] = {}
        for link in self._type_chain(kind):
            if link.name == RESOURCE_TAG:
                break
            for name, parameter in link.params.items():
                if parameter.value is not MISSING:
                    said.setdefault(name, parameter.value)
        return TagUse(tag.type, tag.where, {**said, **tag.fields}) if said else tag

    def _layer(
        self,
        below: dict[str, Merged],
        writings: dict[str, Parameter],
        of: str,
        bases: list[str] | None,
    ) -> dict[str, Merged]:
        """`below` with one more writing of some. With the names of the bases, faults are said."""
        if not writings:
            return below
        merged = dict(below)
        for name, writing in writings.items():
            old = below.get(name)
            if old is not None:
                merged[name] = old.changed_by(writing)
            elif writing.kind is not None:
                merged[name] = _first(writing)
            elif bases is not None:
                self._no_such_parameter(writing, of, below, bases)
        return merged

    def _no_such_parameter(
        self, writing: Parameter, of: str, below: dict[str, Merged], bases: list[str]
    ) -> None:
        what = f"{of} has no parameter `{writing.name}`"
        if bases:
            what += f", nor has {bases[0]}, which it uses"
        hint = did_you_mean(writing.name, below) if below else ""
        self._problems.add(
            writing.where.key(), what,
            hint=hint or "a new parameter needs a type: {type: str, value: ...}",
        )  # fmt: skip


def _first(writing: Parameter) -> Merged:
    assert writing.kind is not None
    return Merged(
        writing.name, writing.kind, [writing], writing.doc or "", writing.accepted,
        writing.accepts_others, writing.cli,
    )  # fmt: skip


def variable(definition: Parameter) -> Merged:
    """A package variable as its package defines it."""
    return _first(definition)
