"""What a task is with all that it inherits (section 11), and the same for types.

A shape depends on declarations only, so that it is made once for all nodes of a task; but for a task
whose `uses` is computed, which has a shape for every base it comes to.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dfm.flow.declarations import MISSING, Context, Parameter, Program, TagUse, Task, Type
from dfm.flow.document import Where
from dfm.flow.names import find_base, find_type, known_names
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
    constant: Value = MISSING  # its value, once computed, if it is the same for all nodes
    _is_constant: bool | None = None

    def is_constant(self) -> bool:
        """Whether no expression is in it."""
        if self._is_constant is None:
            self._is_constant = not any(
                has_expressions(part) for writing in self.writings for part in writing.parts()
            )
        return self._is_constant

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
    consumes: Value = MISSING
    passthrough: Value = MISSING
    produces: Task | None = None
    uptodate: Task | None = None
    max_failures: int = -1
    on_error: Task | None = None
    resources: TagUse | None = None

    @property
    def is_compound(self) -> bool:
        return self.body is not None


class Shapes:
    """All shapes of a program, made when they are asked for."""

    def __init__(self, program: Program, problems: Problems) -> None:
        self._program = program
        self._problems = problems
        self._made: dict[tuple[int, str], Shape] = {}
        self._types: dict[str, dict[str, Merged]] = {}

    def of(self, task: Task, compute_uses: ComputeUses = lambda task: None) -> Shape:
        """The shape of a task. Faults that its own declaration has are collected once."""
        is_computed = "${{" in task.uses
        if not is_computed and (known := self._made.get((id(task), ""))):
            return known
        chain, end = self._chain(task, compute_uses)
        bases = " ".join([link.name for link in chain[1:]] + [end.name if end else ""])
        key = (id(task), bases if is_computed else "")
        if key not in self._made:
            self._made[key] = self._merge(chain, end)
        return self._made[key]

    def of_type(self, kind: Type) -> dict[str, Merged]:
        """The fields of a type, those of its bases first."""
        if kind.name not in self._types:
            chain = self._type_chain(kind)
            fields: dict[str, Merged] = {}
            for link in reversed(chain):
                fields = self._layer(fields, link.params, link.where, f"type {link.name}", True)
            self._types[kind.name] = fields
        return self._types[kind.name]

    def is_a(self, kind: Type, base: str) -> bool:
        """Whether a type is, or derives from, the type of this full name."""
        return any(link.name == base for link in self._type_chain(kind))

    def _chain(self, task: Task, compute_uses: ComputeUses) -> tuple[list[Task], Type | None]:
        chain = [task]
        while chain[-1].uses:
            link = chain[-1]
            name = compute_uses(link) if "${{" in link.uses else link.uses
            if name is None:
                break
            base = find_base(self._program, name, link)
            if base is None:
                self._unresolved(link, name)
                break
            if isinstance(base, Type):
                return chain, base
            if base in chain:
                self._problems.add(task.where.at("uses"), f"`{task.name}` uses itself")
                break
            chain.append(base)
        return chain, None

    def _unresolved(self, task: Task, name: str) -> None:
        known = known_names(self._program, task.context, types=True)
        self._problems.add(
            task.where.at("uses"), f"no task or type `{name}`", hint=did_you_mean(name, known)
        )

    def _type_chain(self, kind: Type) -> list[Type]:
        chain = [kind]
        while chain[-1].uses:
            base = find_type(self._program, chain[-1].uses, chain[-1].context)
            if base is None:
                known = (
                    name for package in self._program.packages.values() for name in package.types
                )
                self._problems.add(
                    chain[-1].where.at("uses"),
                    f"no type `{chain[-1].uses}`",
                    hint=did_you_mean(chain[-1].uses, known),
                )
                chain[-1].uses = ""  # said once
                break
            if base in chain:
                self._problems.add(kind.where.at("uses"), f"type `{kind.name}` uses itself")
                break
            chain.append(base)
        return chain

    def _merge(self, chain: list[Task], end: Type | None) -> Shape:
        shape = Shape(chain[0], chain, end, dict(self.of_type(end)) if end else {})
        is_whole = bool(end) or not chain[-1].uses
        for link in reversed(chain):
            own = link is chain[0]
            of = f"task {link.name}"
            for layer in (link.params, *link.extensions):
                shape.params = self._layer(
                    shape.params, layer, link.where, of, own and is_whole, chain
                )
            self._take(shape, link)
        shape.siblings = {task.short: task for task in shape.body or ()}
        return shape

    def _take(self, shape: Shape, link: Task) -> None:
        """What a link of the chain says replaces what its bases said."""
        shape.needs += [(need, link) for need in link.needs]
        if link.body is not None:
            shape.body = [*(shape.body or ()), *link.body]
            shape.matrix = None  # a strategy is inherited together with its body only
        if link.matrix is not None:
            shape.matrix = link
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
        if link.max_failures is not None:
            shape.max_failures = link.max_failures
        if link.on_error:
            shape.on_error = link
        for tag in link.tags:
            if self._tag_type(tag, link.context) == RESOURCE_TAG:
                shape.resources = tag

    def _tag_type(self, tag: TagUse, context: Context) -> str:
        kind = find_type(self._program, tag.type, context)
        return kind.name if kind else ""

    def _layer(
        self,
        below: dict[str, Merged],
        writings: dict[str, Parameter],
        where: Where,
        of: str,
        report: bool,
        chain: Iterable[Task] = (),
    ) -> dict[str, Merged]:
        if not writings:
            return below
        merged = dict(below)
        for name, writing in writings.items():
            old = below.get(name)
            if old is not None:
                merged[name] = old.changed_by(writing)
            elif writing.kind is not None:
                merged[name] = _first(writing)
            elif report:
                self._no_such_parameter(writing, of, below, chain)
        return merged

    def _no_such_parameter(
        self, writing: Parameter, of: str, below: dict[str, Merged], chain: Iterable[Task]
    ) -> None:
        bases = [task.name for task in chain][1:]
        what = f"{of} has no parameter `{writing.name}`"
        if bases:
            what += f", nor has {bases[0]}, which it uses"
        hint = did_you_mean(writing.name, below) if below else ""
        self._problems.add(
            writing.where, what, within=writing.name,
            hint=hint or "a new parameter needs a type: {type: str, value: ...}",
        )  # fmt: skip


def _first(writing: Parameter) -> Merged:
    assert writing.kind is not None
    return Merged(
        writing.name, writing.kind, [writing], writing.doc or "", writing.accepted,
        writing.accepts_others,
    )  # fmt: skip


def variable(definition: Parameter) -> Merged:
    """A package variable as its package defines it."""
    return _first(definition)
