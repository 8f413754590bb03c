"""From declarations to the graph of one run (sections 11, 12, 16, 18, 19).

A node gets its number when it is first needed and is worked out later, from a queue: no recursion,
however deep the needs go.
"""

import hashlib
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dfm.config.quantities import parse_walltime_s
from dfm.flow.command_line import CommandLine
from dfm.flow.conversion import from_text
from dfm.flow.declarations import MISSING, Context, Program, Task
from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError, truth
from dfm.flow.names import NEEDS_OF, find_task, known_names
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Shape, Shapes
from dfm.flow.templates import evaluate, report
from dfm.flow.world import BadValue, Body, Parameters, Scope, World
from dfm.graph.node import (
    Compound,
    Disabled,
    Emit,
    Entry,
    Graph,
    Library,
    Node,
    Nothing,
    Script,
    Selection,
    Work,
    cycle,
)
from dfm.graph.values import Fields, Value

MOST_CELLS = 1_000_000
_AWKWARD = str.maketrans(dict.fromkeys("\\/:*?\"<>|#%&{}$!'@+=;`", "_"))
_RUNDIR = "\0rundir\0"  # stands for the run directory while a script is hashed


@dataclass(slots=True)
class Level:
    """The tasks of one body by short name, and those of the bodies around it."""

    numbers: dict[str, int]
    outer: "Level | None"

    def find(self, short: str) -> int | None:
        level: Level | None = self
        while level is not None:
            if short in level.numbers:
                return level.numbers[short]
            level = level.outer
        return None


@dataclass(slots=True)
class Instance:
    """A declaration at one place of the graph."""

    number: int
    task: Task
    name: str
    rundir: str  # relative
    inside: str = ""  # relative: where the directories of its siblings lie
    body: Body | None = None  # around it
    level: Level | None = None
    compound: int | None = None  # around it
    scope: int | None = None
    needs: list[int] | None = None  # once known
    inherits_rundir: bool = False


class Builder:
    """Builds one graph. Faults are collected in `problems`."""

    def __init__(
        self,
        program: Program,
        shapes: Shapes,
        world: World,
        line: CommandLine,
        problems: Problems,
        rundir: str,
    ) -> None:
        self._program = program
        self._shapes = shapes
        self._world = world
        self._line = line
        self._problems = problems
        self._rundir = rundir
        self._nodes: list[Node | None] = []
        self._tasks: list[Task | None] = []  # of each node: its declaration
        self._around: list[int | None] = []  # of each node: the compound that it is a member of
        self._numbers: dict[int, int] = {}  # of the tasks of packages, by identity
        self._todo: deque[Instance] = deque()
        self._feeders = self._find_feeders()

    def build(self, goals: Iterable[Task]) -> Graph:
        """The graph of these tasks and of all that they need. Raises FlowError."""
        numbers = [self._number_of(task, task.where) for task in goals]
        while self._todo:
            self._elaborate(self._todo.popleft())
        self._problems.raise_any()
        nodes = [node for node in self._nodes if node is not None]
        assert len(nodes) == len(self._nodes)
        self._fill_members(nodes)
        graph = Graph(nodes, list(dict.fromkeys(numbers)), self._program.root.name)
        circle = cycle(graph)
        if circle:
            self._say_circle([nodes[number] for number in circle])
        return graph

    def _say_circle(self, circle: list[Node]) -> None:
        names = " -> ".join(node.name for node in circle)
        places = [f"{node.name}: {task.where.place()}" for node in circle[:-1]
                  if (task := self._tasks[node.number])]  # fmt: skip
        task = next(filter(None, (self._tasks[node.number] for node in circle)))
        self._problems.add(
            task.where, f"tasks need each other in a circle: {names}", hint="\n".join(places)
        )
        self._problems.raise_any()

    def _find_feeders(self) -> dict[int, list[Task]]:
        feeders: dict[int, list[Task]] = {}
        for package in self._program.packages.values():
            for task in package.tasks.values():
                for name in task.feeds:
                    fed = find_task(self._program, name, task.context)
                    if fed is not None:
                        feeders.setdefault(id(fed), []).append(task)
        return feeders

    # Numbers

    def _new(self, compound: int | None, task: Task | None) -> int:
        self._nodes.append(None)
        self._tasks.append(task)
        self._around.append(compound)
        return len(self._nodes) - 1

    def _number_of(self, task: Task, where: Where) -> int:
        """The node of a task of a package, made when it is first wanted."""
        number = self._numbers.get(id(task))
        if number is None:
            if task.abstract:
                self._problems.add(
                    where, f"{task.name} is abstract: a base for others, not to be run"
                )
            number = self._numbers[id(task)] = self._new(None, task)
            self._todo.append(Instance(number, task, task.name, task.name.translate(_AWKWARD)))
        return number

    # One node

    def _elaborate(self, instance: Instance) -> None:
        """Works a node out; one that cannot be is put into the graph as empty, with its faults said."""
        try:
            node = self._node(instance)
        except BadValue:
            node = Node(instance.number, instance.name, instance.rundir, "", Nothing())
        self._nodes[instance.number] = node

    def _node(self, instance: Instance) -> Node:
        task = instance.task
        if instance.level is None and not self._is_enabled(task, None):
            return self._disabled(instance)
        shape = self._shape(task, instance.body)
        params = self._params(instance, shape)
        if instance.needs is None:
            needs = self._needs(instance, shape, params)
            needs += [self._number_of(fed, fed.where) for fed in self._feeders.get(id(task), ())]
            instance.needs = list(dict.fromkeys(needs))
        if shape.is_compound:
            return self._compound(instance, shape, params)
        return self._leaf(instance, shape, params)

    def _shape(self, task: Task, body: Body | None) -> Shape:
        def compute_uses(link: Task) -> str | None:
            scope = Scope(self._world, link.context, body=body)
            value = self._value(link.uses, scope, link.where.at("uses"), f"`uses` of {link.name}")
            return str(value)

        return self._shapes.of(task, compute_uses)

    def _params(self, instance: Instance, shape: Shape) -> Parameters:
        def scope(context: Context, own: Parameters) -> Scope:
            return Scope(
                self._world, context, params=own, body=instance.body, name=instance.name,
                rundir=f"{self._rundir}/{instance.rundir}",
            )  # fmt: skip

        given: Fields = {}
        if instance.level is None:
            for name, text in self._line.everywhere.items():
                if name in shape.params:
                    given[name] = from_text(text, shape.params[name].kind)
            given.update(self._line.tasks.get(instance.task.name, {}))
        return Parameters(shape.params, self._world, scope, given)

    def _leaf(self, instance: Instance, shape: Shape, params: Parameters) -> Node:
        scope = self._scope(instance, instance.task, params)
        node = self._bare(instance, self._work(instance, shape, params))
        node.needs = tuple(instance.needs or ())
        try:
            node.params = params.all()
        except ExpressionError as error:
            report(error, instance.task.where, "", self._problems, instance.task.name)
            raise BadValue from None
        if shape.consumes is not MISSING:
            node.consumes = _selection(shape.consumes)
        if shape.passthrough is not MISSING:
            node.passthrough = _selection(shape.passthrough)
        if shape.produces is not None:
            where = shape.produces.where.at("produces")
            made = self._value(list(shape.produces.produces or ()), scope, where, "`produces`")
            node.produces = [pattern for pattern in _list(made) if isinstance(pattern, dict)]
        if shape.uptodate is not None and shape.uptodate.uptodate is not None:
            node.uptodate = shape.uptodate.uptodate
        self._take_resources(node, shape, scope)
        return node

    def _bare(self, instance: Instance, work: Work) -> Node:
        node = Node(
            instance.number,
            instance.name,
            instance.rundir,
            instance.task.context.srcdir,
            work,
            inherits_rundir=instance.inherits_rundir,
            scope=instance.scope,
        )
        if instance.body is not None:
            node.bindings = dict(instance.body.bindings)
        return node

    def _disabled(self, instance: Instance) -> Node:
        return self._bare(instance, Disabled())

    def _work(self, instance: Instance, shape: Shape, params: Parameters) -> Work:
        if shape.run is not None:
            return self._script(instance, shape.run, params)
        if shape.library:
            return Library(shape.library)
        if shape.item_type is not None:
            return Emit(shape.item_type.name)
        return Nothing()

    def _script(self, instance: Instance, owner: Task, params: Parameters) -> Script:
        scope = self._scope(instance, owner, params)
        scope.rundir = _RUNDIR
        where = owner.where.at(owner.run_field)
        assert owner.run is not None
        text = str(self._value(owner.run, scope, where, f"`run` of {owner.name}"))
        digest = hashlib.blake2b(
            f"{owner.shell}\0{text}".encode(errors="surrogateescape"), digest_size=16
        ).hexdigest()
        text = text.replace(_RUNDIR, f"{self._rundir}/{instance.rundir}")
        return Script(owner.shell, text, digest, owner.context.srcdir)

    def _scope(self, instance: Instance, owner: Task, params: Parameters | None) -> Scope:
        """The names for a text of `owner`, which is the task or one of its bases."""
        return Scope(
            self._world, owner.context, params=params, body=instance.body, name=instance.name,
            rundir=f"{self._rundir}/{instance.rundir}",
        )  # fmt: skip

    def _value(self, value: Value, scope: Scope, where: Where, subject: str) -> Value:
        """Raises BadValue after the fault is said."""
        try:
            return evaluate(value, scope)
        except ExpressionError as error:
            report(error, where, value, self._problems, subject)
            raise BadValue from None

    def _is_enabled(self, task: Task, body: Body | None) -> bool:
        if task.iff is MISSING:
            return True
        scope = Scope(self._world, task.context, body=body)
        value = self._value(task.iff, scope, task.where.at("iff"), f"`iff` of {task.name}")
        return truth(value)

    def _take_resources(self, node: Node, shape: Shape, scope: Scope) -> None:
        tag = shape.resources
        if tag is None:
            return
        fields = self._value(tag.fields, scope, tag.where, f"tag of {node.name}")
        assert isinstance(fields, dict)
        cores, walltime = fields.get("cores"), fields.get("walltime")
        try:
            if cores is not None:
                node.cores = int(str(cores))
                if node.cores < 1:
                    raise ValueError("a positive number of cores")
            if walltime is not None:
                node.walltime_s = parse_walltime_s(str(walltime))  # YAML reads 1:30 as 90
        except ValueError as error:
            self._problems.add(tag.where, f"resources of {node.name}: must be {error}")

    # Needs

    def _needs(self, instance: Instance, shape: Shape, params: Parameters) -> list[int]:
        found: list[int] = []
        for name, owner in shape.needs:
            scope = self._scope(instance, owner, params)
            value = self._value(name, scope, owner.where.at("needs"), f"`needs` of {owner.name}")
            for one in _list(value) if isinstance(value, list) else [value]:
                level = instance.level if self._stands_inside(owner, instance) else None
                found += self._resolve(str(one), owner, level, set())
        return found

    @staticmethod
    def _stands_inside(owner: Task, instance: Instance) -> bool:
        """Whether a text of `owner` stands in the body around the instance, and sees its tasks."""
        return owner is instance.task or owner.enclosing is not None

    def _resolve(self, name: str, owner: Task, level: Level | None, open_: set[str]) -> list[int]:
        where = owner.where.at("needs")
        number = level.find(name) if level else None
        if number is not None:
            return [number]
        task = find_task(self._program, name, owner.context)
        if task is not None:
            return [self._number_of(task, where)]
        if name.endswith(NEEDS_OF) and name not in open_:
            same_as = find_task(self._program, name.removesuffix(NEEDS_OF), owner.context)
            if same_as is not None:
                return self._needs_of(same_as, open_ | {name})
        known = known_names(self._program, owner.context)
        self._problems.add(
            where, f"{owner.name} needs `{name}`, and there is no such task",
            hint=did_you_mean(name, known),
        )  # fmt: skip
        return []

    def _needs_of(self, task: Task, open_: set[str]) -> list[int]:
        """`NAME.needs`: what NAME needs, without building NAME."""
        shape = self._shape(task, None)
        found: list[int] = []
        for name, owner in shape.needs:
            scope = Scope(self._world, owner.context)
            value = self._value(name, scope, owner.where.at("needs"), f"`needs` of {owner.name}")
            found += self._resolve(str(value), owner, None, open_)
        return found

    # Compounds

    def _compound(self, instance: Instance, shape: Shape, params: Parameters) -> Node:
        task = instance.task
        contains = bool(shape.on_error) or shape.max_failures != -1
        scope = instance.number if contains else instance.scope
        cells = self._cells(instance, shape, params)
        is_matrix = shape.matrix is not None
        inside = instance.inside if is_matrix else f"{instance.rundir}/"
        entry = self._entry(instance, is_matrix)
        terminals: list[int] = []
        for suffix, bindings in cells:
            body = Body(params, bindings, instance.body)
            level = Level({}, instance.level)
            members = self._members(instance, shape, body, level, suffix, inside, scope)
            terminals += self._connect(members, entry)
        node = self._bare(
            instance,
            Compound(
                members=(),
                on_error=_function(shape.on_error) if shape.on_error else None,
                max_failures=shape.max_failures,
                is_matrix=is_matrix,
                is_empty=not terminals,
            ),
        )
        node.params = params.all()
        node.needs = (entry, *terminals) if is_matrix or not terminals else tuple(terminals)
        if task.uptodate is not None:
            self._problems.warn(task.where.at("uptodate"), "`uptodate` of a compound has no effect")
        return node

    def _entry(self, instance: Instance, is_matrix: bool) -> int:
        """The node where the compound's inputs come in."""
        number = self._new(instance.compound, None)
        name = f"{instance.name}.in"
        folder = "" if is_matrix else f"{instance.rundir}/"
        self._nodes[number] = Node(
            number,
            name,
            folder + name.translate(_AWKWARD),
            instance.task.context.srcdir,
            Entry(),
            needs=tuple(instance.needs or ()),
            scope=instance.scope,
        )
        return number

    def _cells(
        self, instance: Instance, shape: Shape, params: Parameters
    ) -> list[tuple[str, Fields]]:
        """The suffix of the names and the axis values of each cell; a single one if there is no
        matrix."""
        owner = shape.matrix
        if owner is None or owner.matrix is None:
            return [("", {})]
        axes: dict[str, list[Value]] = {}
        for axis, written in owner.matrix.items():
            where = owner.where.at("strategy", "matrix", axis)
            scope = self._scope(instance, owner, params)
            value = self._value(written, scope, where, f"axis `{axis}` of {owner.name}")
            if not isinstance(value, list):
                self._problems.add(
                    where, f"axis `{axis}` of {owner.name} is {value!r}, and must be a list",
                    within=axis,
                )  # fmt: skip
                raise BadValue
            axes[axis] = value
        if math.prod(map(len, axes.values())) > MOST_CELLS:
            self._problems.add(owner.where, f"the matrix has more than {MOST_CELLS} cells")
            raise BadValue
        choices = [list(enumerate(values)) for values in axes.values()]
        return [
            (
                "".join(f"_{index}" for index, _ in cell),
                dict(zip(axes, (value for _, value in cell), strict=True)),
            )
            for cell in itertools.product(*choices)
        ]

    def _members(
        self,
        compound: Instance,
        shape: Shape,
        body: Body,
        level: Level,
        suffix: str,
        inside: str,
        scope: int | None,
    ) -> list[Instance]:
        """The tasks of one body or cell that are enabled; the others become disabled nodes."""
        enabled = []
        for task in shape.body or ():
            number = self._new(compound.number, task)
            level.numbers[task.short] = number
            name = task.name + suffix
            is_matrix = self._shape(task, body).matrix is not None
            folder = name.translate(_AWKWARD)
            inherits = task.rundir == "inherit"
            rundir = folder if is_matrix else inside + folder
            instance = Instance(
                number, task, name, compound.rundir if inherits else rundir, inside, body, level,
                compound.number, scope, inherits_rundir=inherits,
            )  # fmt: skip
            if self._is_enabled(task, body):
                enabled.append(instance)
            else:
                self._nodes[number] = self._disabled(instance)
        return enabled

    def _connect(self, members: list[Instance], entry: int) -> list[int]:
        """Works out the needs of the members of a body; returns those that no sibling needs."""
        numbers = {member.number for member in members}
        for member in members:
            shape = self._shape(member.task, member.body)
            if shape.needs:
                member.needs = self._needs(member, shape, self._params(member, shape))
        by_number = {member.number: member for member in members}
        for member in members:
            for name in member.task.feeds:
                fed = member.level.find(name) if member.level else None
                if fed in by_number:
                    by_number[fed].needs = [*(by_number[fed].needs or ()), member.number]
        needed: set[int] = set()
        for member in members:
            member.needs = list(dict.fromkeys(member.needs or ()))
            siblings = numbers.intersection(member.needs)
            needed |= siblings
            if not siblings:
                member.needs.append(entry)
            self._todo.append(member)
        return [member.number for member in members if member.number not in needed]

    def _fill_members(self, nodes: list[Node]) -> None:
        """Tells the compounds that contain failures which nodes are in their bodies."""
        members: dict[int, list[int]] = {
            node.number: []
            for node in nodes
            if isinstance(node.work, Compound) and node.work.contains_failures
        }
        if not members:
            return
        for number in range(len(nodes)):
            for around in self._compounds_around(number):
                if around in members:
                    members[around].append(number)
        for number, inner in members.items():
            work = nodes[number].work
            assert isinstance(work, Compound)
            nodes[number].work = Compound(
                tuple(inner), work.on_error, work.max_failures, work.is_matrix, work.is_empty
            )

    def _compounds_around(self, number: int) -> Iterator[int]:
        around = self._around[number]
        while around is not None:
            yield around
            around = self._around[around]


def _function(owner: Task) -> Script:
    """The function of `on_error`."""
    return Script("python", owner.on_error, "", owner.context.srcdir)


def _selection(value: Value) -> Selection:
    if isinstance(value, list):
        return [pattern for pattern in value if isinstance(pattern, dict)]
    assert value in ("all", "none", "unused"), value
    return value  # type: ignore[return-value]


def _list(value: Value) -> list[Value]:
    assert isinstance(value, list), value
    return value
