"""From declarations to the graph of one run (sections 11, 12, 16, 18, 19).

A node gets its number when it is first needed and is worked out later, from a queue: no recursion,
however deep the needs go.
"""

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator

from dfm.errors import FlowError
from dfm.flow.choice import NOTHING_LEFT_OUT
from dfm.flow.command_line import CommandLine
from dfm.flow.declarations import MISSING, Program, Task
from dfm.flow.document import Where
from dfm.flow.evaluation import Evaluation
from dfm.flow.instance import Instance, Level, folder_name
from dfm.flow.late import finisher, is_late, late_params
from dfm.flow.leaf import bare_node, leaf_node
from dfm.flow.needs import Needs
from dfm.flow.problems import Problems
from dfm.flow.shapes import Shape, Shapes
from dfm.flow.suites import Edge
from dfm.flow.testing import INFO, RUNNER, TestTasks
from dfm.flow.world import BadValue, Body, Parameters, World
from dfm.graph.node import Compound, Disabled, Entry, Graph, Node, Nothing, Script, cycle
from dfm.graph.values import Fields

MOST_NODES = 2_000_000  # a few lines with bodies in bodies can stand for any number


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
        self._problems = problems
        self._nodes: list[Node | None] = []
        self.tasks: list[Task | None] = []  # of each node: its declaration; None: an entry node
        self._around: list[
            Instance | None
        ] = []  # of each node: the compound that it is a member of
        self._instances: dict[int, Instance] = {}  # of the tasks of packages, by identity
        self._todo: deque[Instance] = deque()
        self._evaluation = Evaluation(shapes, world, line, problems, rundir)
        self._needs = Needs(
            program, self._evaluation, self._number_of, self._instance_of, self._is_left_out
        )
        self._tests = TestTasks(program, shapes, self._evaluation, self._instance_of)
        self._left_out = NOTHING_LEFT_OUT

    def build(self, goals: Iterable[Task]) -> Graph:
        """The graph of these tasks and of all that they need. Raises FlowError, UsageError."""
        numbers = [self._number_of(task, task.where) for task in goals]
        while self._todo:
            self._elaborate(self._todo.popleft())
        self._problems.raise_any()
        nodes = [node for node in self._nodes if node is not None]
        assert len(nodes) == len(self._nodes)
        self._check_folders(nodes)
        self._fill_members(nodes)
        graph = Graph(nodes, list(dict.fromkeys(numbers)), self._program.root.name)
        circle = cycle(graph)
        if circle:
            self._say_circle([nodes[number] for number in circle])
        self._problems.raise_any()
        return graph

    def compounds_around(self) -> list[int | None]:
        """Of each node: the compound that it is a member of."""
        return [None if around is None else around.number for around in self._around]

    def _say_circle(self, circle: list[Node]) -> None:
        names = " -> ".join(node.name for node in circle)
        places = [f"{node.name}: {task.place}" for node in circle[:-1]
                  if (task := self.tasks[node.number])]  # fmt: skip
        task = next(filter(None, (self.tasks[node.number] for node in circle)))
        self._problems.add(
            task.where, f"tasks need each other in a circle: {names}", hint="\n".join(places),
            kind="CircularDependency", tasks=tuple(node.name for node in circle),
        )  # fmt: skip

    def _check_folders(self, nodes: list[Node]) -> None:
        """Two tasks whose names become the same would overwrite each other's results."""
        owners: dict[str, Node] = {}
        for node in nodes:
            owner = node if node.inherits_rundir else owners.setdefault(node.rundir, node)
            if owner is not node:
                task = self.tasks[node.number] or self.tasks[owner.number]
                assert task is not None, "entry nodes have the names of their compounds"
                self._problems.add(
                    task.where,
                    f"{owner.name} and {node.name} have one run directory: {node.rundir}",
                )

    # Numbers

    def _new(self, compound: Instance | None, task: Task | None) -> int:
        if len(self._nodes) == MOST_NODES:
            raise FlowError(f"the graph has more than {MOST_NODES:,} nodes")
        self._nodes.append(None)
        self.tasks.append(task)
        self._around.append(compound)
        return len(self._nodes) - 1

    def _instance_of(self, task: Task) -> Instance:
        """The one of a task of a package, whether or not it gets into the graph."""
        task = self._program.replaced.get(id(task), task)
        instance = self._instances.get(id(task))
        if instance is None:
            folder = folder_name(task.name)
            instance = self._instances[id(task)] = Instance(-1, task, task.name, folder, folder)
        return instance

    def _number_of(self, task: Task, where: Where) -> int:
        """The node of a task of a package, made when it is first wanted."""
        instance = self._instance_of(task)
        task = instance.task
        if instance.number < 0:
            if task.abstract:
                self._problems.add(
                    where, f"{task.name} is abstract: a base for others, not to be run"
                )
            instance.number = self._new(None, task)
            self._todo.append(instance)
        return instance.number

    # One node

    def _elaborate(self, instance: Instance) -> None:
        """Works a node out; one that cannot be is put into the graph as empty, with its faults said."""
        try:
            node = self._node(instance)
        except BadValue:
            node = bare_node(instance, Nothing())
        self._nodes[instance.number] = node

    def _node(self, instance: Instance) -> Node:
        task = instance.task
        if instance.level is None and not self._is_enabled(task, None):
            instance.needs = []
            return bare_node(instance, Disabled())
        shape = self._evaluation.shape(task, instance.body)
        params = self._evaluation.params(instance, shape)
        if shape.library == INFO:
            return self._listing(instance, params)
        if shape.library == RUNNER:
            self._choose_tests(instance, params.all())
        if instance.needs is None:
            instance.needs = self._needs.of(instance)
        if shape.is_compound:
            return self._compound(instance, shape, params)
        if not is_late(shape):
            return leaf_node(self._evaluation, instance, shape, params)
        node = leaf_node(self._evaluation, instance, shape, params, late_params(shape))
        node.finish = finisher(self._evaluation, instance, shape)
        return node

    def _choose_tests(self, instance: Instance, params: Fields) -> None:
        if params["build_only"]:
            tasks = self._tests.producers(instance.task, params)
            instance.needs = [self._number_of(task, task.where) for task in tasks]
        else:
            more = self._tests.left_out_of(instance.task, params)
            self._left_out = self._left_out.with_more(more)

    def _listing(self, instance: Instance, params: Parameters) -> Node:
        """Of tests, which are not built for it."""
        instance.needs = []
        node = bare_node(instance, self._tests.said_by(instance.task, params.all()))
        node.params, node.uptodate = params.all(), False
        return node

    def _is_left_out(self, owner: Task, need: Task) -> bool:
        edges = self._left_out.edges
        return bool(edges) and Edge(id(owner), id(need)) in edges

    def _is_enabled(self, task: Task, body: Body | None) -> bool:
        return task.iff is MISSING or self._evaluation.is_enabled(task, body)

    # Compounds

    def _compound(self, instance: Instance, shape: Shape, params: Parameters) -> Node:
        bodies = self._bodies(instance, shape)
        max_failures = shape.max_failures or -1  # section 28: 0 is the same
        contains = bool(shape.on_error) or max_failures != -1
        scope = instance.number if contains else instance.scope
        entry = self._entry(instance, shape)
        terminals: list[int] = []
        for suffix, bindings in self._evaluation.cells(instance, shape, params):
            if (id(instance.task), suffix) in self._left_out.cells:
                continue
            body = Body(params, bindings, instance.body)
            members = self._members(instance, shape, body, suffix, scope, bodies)
            terminals += self._connect(members, entry)
        is_matrix = shape.matrix is not None
        work = Compound(
            members=(),
            on_error=_function(shape.on_error) if shape.on_error else None,
            max_failures=max_failures,
            is_matrix=is_matrix,
            is_empty=not terminals,
            entry=entry,
        )
        node = bare_node(instance, work)
        node.params = params.all()
        node.needs = (entry, *terminals) if is_matrix or not terminals else tuple(terminals)
        task = instance.task
        if task.uptodate is not None:
            self._problems.warn(task.where.at("uptodate"), "`uptodate` of a compound has no effect")
        return node

    def _bodies(self, instance: Instance, shape: Shape) -> frozenset[int]:
        """The declared bodies that its members stand in. Raises BadValue if one is there twice."""
        own = frozenset(id(link) for link in shape.chain if link.body is not None)
        if own & instance.bodies:
            path = [instance]
            while path[-1].compound is not None and own & path[-1].bodies:
                path.append(path[-1].compound)
            names = " -> ".join(one.name for one in reversed(path))
            self._problems.add(
                instance.task.where.at("uses"),
                f"the body of {path[-1].name} contains itself: {names}",
            )
            raise BadValue
        return instance.bodies | own

    def _entry(self, instance: Instance, shape: Shape) -> int:
        """The node where the compound's inputs come in."""
        number = self._new(instance.compound, None)
        name = f"{instance.name}.in"
        # That of a matrix lies beside it.
        inside, _, own = instance.folder.rpartition("/")
        if shape.matrix is None:
            inside = f"{inside}/{own}" if inside else own
        folder = folder_name(name)
        self._nodes[number] = Node(
            number,
            name,
            f"{inside}/{folder}" if inside else folder,
            instance.task.context.srcdir,
            Entry(),
            needs=tuple(instance.needs or ()),
            scope=instance.scope,
        )
        return number

    def _members(
        self,
        compound: Instance,
        shape: Shape,
        body: Body,
        suffix: str,
        scope: int | None,
        bodies: frozenset[int],
    ) -> list[Instance]:
        """The tasks of one body or cell that are enabled; the others become disabled nodes."""
        level = Level(compound.level)
        members = []
        for task in shape.body or ():
            name = task.name + suffix
            # A name that was inherited, or is in a cell without saying which, is not the only one.
            repeats = compound.is_cell or task.enclosing is not compound.task
            is_top = shape.matrix is not None and not repeats
            inside = compound.inside if is_top else f"{compound.folder}/"
            folder = inside + folder_name(name)
            rundir = compound.folder if task.rundir == "inherit" else folder
            member = level.members[task.short] = Instance(
                self._new(compound, task), task, name, folder, rundir, inside, body, level,
                compound, scope, bodies=bodies, is_copy=repeats or compound.is_copy,
            )  # fmt: skip
            members.append(member)
        return [member for member in members if self._take_up(member)]

    def _take_up(self, member: Instance) -> bool:
        """Whether a member of a body is enabled."""
        if not self._is_enabled(member.task, member.body):
            self._nodes[member.number] = bare_node(member, Disabled())
            return False
        shape = self._evaluation.shape(member.task, member.body)
        if shape.matrix is not None and not member.is_copy:  # a matrix lies at the top
            is_own = member.rundir == member.folder
            member.folder = folder_name(member.name)
            member.rundir = member.folder if is_own else member.rundir
        return True

    def _connect(self, members: list[Instance], entry: int) -> list[int]:
        """Works out the needs of the members of a body; returns those that no sibling needs."""
        numbers = {member.number for member in members}
        for member in members:
            assert member.level is not None
            for name in member.task.feeds:
                fed = member.level.members.get(name)
                if fed is not None and fed.number in numbers:
                    member.level.feeders.setdefault(fed.number, []).append(member.number)
        for member in members:
            self._needs.of(member)
        needed: set[int] = set()
        for member in members:
            assert member.needs is not None
            siblings = numbers.intersection(member.needs)
            needed |= siblings
            if not siblings:
                member.needs = [*member.needs, entry]
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
            nodes[number].work = dataclasses.replace(work, members=tuple(inner))

    def _compounds_around(self, number: int) -> Iterator[int]:
        around = self._around[number]
        while around is not None:
            yield around.number
            around = around.compound


def _function(owner: Task) -> Script:
    """The function of `on_error`."""
    return Script("python", owner.on_error, "", owner.context.srcdir)
