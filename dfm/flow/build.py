"""From declarations to the graph of one run (sections 11, 12, 16, 18, 19).

A node gets its number when it is first needed and is worked out later, from a queue: no recursion,
however deep the needs go.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from dfm.errors import FlowError
from dfm.flow.beneath import Beneath, beneath
from dfm.flow.body import Body
from dfm.flow.choice import NOTHING_LEFT_OUT
from dfm.flow.command_line import CommandLine
from dfm.flow.control import turns
from dfm.flow.declarations import MISSING, Program, Task
from dfm.flow.document import Where
from dfm.flow.evaluation import Evaluation
from dfm.flow.families import Families
from dfm.flow.finished import check_folders, fill_members, say_circle
from dfm.flow.instance import Instance, Level
from dfm.flow.late import finisher, is_late, late_params
from dfm.flow.layout import Layout
from dfm.flow.leaf import bare_node, leaf_node
from dfm.flow.needs import Needs
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.problems import Problems
from dfm.flow.products import Products
from dfm.flow.python_nodes import PythonNodes
from dfm.flow.requirements import Requirements
from dfm.flow.shapes import Shape, Shapes
from dfm.flow.suites import Edge
from dfm.flow.testing import INFO, RUNNER, TestTasks
from dfm.flow.trials import Runner, Trials
from dfm.flow.variants import Variants
from dfm.flow.world import World
from dfm.graph.node import Compound, Disabled, Entry, Gate, Graph, Node, Nothing, Script, cycle
from dfm.graph.values import Fields

# A task, and of a family the key of a variant, or a part of it.
Goal: TypeAlias = tuple[Task, str]
MOST_NODES = 2_000_000  # a few lines with bodies in bodies can stand for any number


class Builder:
    """Builds one graph. Faults are collected in `problems`."""

    def __init__(
        self,
        program: Program,
        shapes: Shapes,
        families: Families,
        world: World,
        line: CommandLine,
        problems: Problems,
        rundir: str,
        layout: Layout,
        around: Beneath | None = None,
    ) -> None:
        """`around`: for tasks of packages, those that set something for them."""
        self._layout = layout
        self._around_tasks = around or {}
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
        self._requirements = Requirements(shapes, self._evaluation, Products(program, shapes))
        self._variants = Variants(
            families, self._evaluation, layout, self._number_of, self._instance_of, self._new,
            self._todo.append,
        )  # fmt: skip
        self._needs = Needs(
            program, self._evaluation, families, self._variants.numbers_of, self._instance_of,
            self._is_left_out,
        )  # fmt: skip
        self._tests = TestTasks(program, shapes, self._evaluation, self._instance_of)
        self._trials = Trials(self._tests, layout, self._instance_of, self._new, self._todo.append)
        self._left_out = NOTHING_LEFT_OUT
        self._more_needs: dict[int, list[int]] = {}  # of the goals, by their numbers
        self._python = PythonNodes(
            program, families, self._evaluation, layout, self._needs, self._new
        )

    def build(self, goals: Iterable[Goal], more_needs: Iterable[Goal] = ()) -> Graph:
        """The graph of these tasks and of all that they need; more than they declare, if that is
        asked for. Raises FlowError, UsageError."""
        numbers = self._numbers_of(goals)
        more = self._numbers_of(more_needs)
        self._more_needs = {number: [n for n in more if n != number] for number in numbers}
        while self._todo:
            self._elaborate(self._todo.popleft())
        self._problems.raise_any()
        nodes = [node for node in self._nodes if node is not None]
        assert len(nodes) == len(self._nodes)
        check_folders(nodes, self.tasks, self._problems)
        fill_members(nodes, self._around)
        graph = Graph(nodes, list(dict.fromkeys(numbers)), self._program.root.name)
        circle = cycle(graph)
        if circle:
            say_circle([nodes[number] for number in circle], self.tasks, self._problems)
        else:
            self._requirements.check(nodes)
        self._problems.raise_any()
        return graph

    def compounds_around(self) -> list[int | None]:
        """Of each node: the compound that it is a member of."""
        return [None if around is None else around.number for around in self._around]

    def runners(self, graph: Graph) -> list[Runner]:
        """Those that were asked for, with their tests."""
        return self._trials.found(graph.goals, graph.nodes, self._around)

    def beneath(self, graph: Graph) -> Beneath:
        """The tasks of packages that are below others which set something."""
        return beneath(graph, [*self._instances.values(), *self._variants.made()])

    # Numbers

    def _numbers_of(self, goals: Iterable[Goal]) -> list[int]:
        return [number for task, key in goals for number in self._variants.goal(task, key)]

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
            folder = self._layout.top(task.name)
            stem = self._layout.stem(task.name, folder, is_shared=False)
            instance = Instance(-1, task, task.name, folder, folder, stem=stem)
            self._instances[id(task)] = instance
            for setting in self._around_tasks.get(id(task), ()):
                instance.body = self._evaluation.setting_for(
                    self._instance_of(setting), instance.body
                )
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
        if instance.level is None and not self._is_wanted(instance):
            instance.needs = []
            return bare_node(instance, Disabled())
        shape = self._evaluation.shape(task, instance.body)
        params = self._evaluation.params(instance, shape)
        if shape.elaborate is not None and instance.declared is None:
            self._python.elaborate(instance, shape, shape.elaborate, params)
            self.tasks[instance.number] = instance.task
            return self._node(instance)
        if shape.library == INFO:
            return self._listing(instance, params)
        if shape.library == RUNNER:
            self._choose_tests(instance, params.all())
        if instance.needs is None:
            instance.needs = self._needs.of(instance)
            if shape.library == RUNNER:
                instance.needs += self._trials.of_runner(instance, params.all())
        if instance.number in self._more_needs:
            more = self._more_needs[instance.number]
            instance.needs = list(dict.fromkeys([*instance.needs, *more]))
        if shape.requires:
            self._requirements.note(instance, shape, params)
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

    def _is_wanted(self, instance: Instance) -> bool:
        """Whether a task of a package is enabled, or a variant and its family."""
        family = instance.family
        if family is not None and not self._is_enabled(family.task, None):
            return False
        return self._is_enabled(instance.task, instance.body)

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
        if shape.generate is not None:
            members, terminals = self._python.generate(
                instance, shape.generate, params, entry, scope, bodies
            )
            self._todo += members
            return self._around_body(instance, shape, params, entry, terminals, max_failures)
        if shape.control is not None:
            turns, terminals = self._controlled(
                instance, shape, shape.control, params, entry, scope, bodies
            )
            return self._around_body(instance, shape, params, entry, terminals, max_failures, turns)
        for suffix, bindings in self._evaluation.cells(instance, shape, params):
            if (id(instance.task), suffix) in self._left_out.cells:
                continue
            body = self._evaluation.body(instance, params, bindings)
            members = self._members(instance, shape, body, suffix, scope, bodies)
            terminals += self._connect(members, entry, is_chain=shape.is_chain)
        return self._around_body(instance, shape, params, entry, terminals, max_failures)

    def _around_body(
        self,
        instance: Instance,
        shape: Shape,
        params: Parameters,
        entry: int,
        terminals: list[int],
        max_failures: int,
        turns: tuple[tuple[int, tuple[int, ...]], ...] | None = None,
    ) -> Node:
        """The node of the compound itself."""
        is_matrix = shape.matrix is not None
        work = Compound(
            members=(),
            on_error=_function(shape.on_error) if shape.on_error else None,
            max_failures=max_failures,
            is_matrix=is_matrix,
            is_empty=not terminals and turns is None,
            entry=entry,
            turns=turns,
            waits_for_entry=shape.generate is not None,
        )
        node = bare_node(instance, work)
        node.params = params.all()
        with_entry = is_matrix or turns is not None or not terminals
        node.needs = (entry, *terminals) if with_entry else tuple(terminals)
        task = instance.task
        if task.uptodate is not None:
            self._problems.warn(task.where.at("uptodate"), "`uptodate` of a compound has no effect")
        return node

    def _controlled(
        self, instance: Instance, shape: Shape, owner: Task, params: Parameters, entry: int,
        scope: int | None, bodies: frozenset[int],
    ) -> tuple[tuple[tuple[int, tuple[int, ...]], ...], list[int]]:  # fmt: skip
        """The branches or iterations of a task, each behind its gate, and all that end them."""
        found: list[tuple[int, tuple[int, ...]]] = []
        for number, turn in enumerate(turns(self._evaluation, instance, owner, params)):
            before, results = found[-1] if found else (None, ())
            gate = self._entry(instance, shape, f"in_{number}")
            node = self._nodes[gate]
            assert node is not None
            node.work = Gate(turn.gate, entry, before, results)
            node.scope = scope  # one that cannot decide fails as the body does
            self._around[gate] = instance
            node.needs = (entry, *(() if before is None else (before,)), *results)
            body = self._evaluation.body(instance, params, turn.bindings)
            members = self._members(
                instance, shape, body, turn.suffix, scope, bodies, turn.tasks, gate
            )
            found.append((gate, tuple(self._connect(members, gate, is_chain=False))))
        ends = [number for gate, results in found for number in (gate, *results)]
        return tuple(found), ends

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

    def _entry(self, instance: Instance, shape: Shape, short: str = "in") -> int:
        """The node where the compound's inputs come in."""
        number = self._new(instance.compound, None)
        name = f"{instance.name}.{short}"
        # That of a matrix lies beside it.
        is_inside = shape.matrix is None
        inside = instance.folder if is_inside else instance.folder.rpartition("/")[0]
        folder = self._layout.entry(name, inside)
        self._nodes[number] = Node(
            number,
            name,
            folder,
            instance.task.context.srcdir,
            Entry(),
            needs=tuple(instance.needs or ()),
            scope=instance.scope,
            gate=instance.gate,
            stem=self._layout.stem(name, folder, is_shared=False),
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
        tasks: Sequence[Task] | None = None,
        gate: int | None = None,
    ) -> list[Instance]:
        """The tasks of one body or cell that are enabled; the others become disabled nodes."""
        level = Level(compound.level)
        members = []
        for task in (shape.body or ()) if tasks is None else tasks:
            if task.abstract:  # a base for its siblings
                continue
            name = task.name + suffix
            # A name that was inherited, or is in a cell without saying which, is not the only one.
            repeats = compound.is_cell or task.enclosing is not compound.task
            is_top = shape.matrix is not None and not repeats
            inside = compound.inside if is_top else compound.folder
            folder = self._layout.inner(name, inside) if inside else self._layout.top(name, task)
            is_shared = task.rundir == "inherit"
            rundir = compound.folder if is_shared else folder
            member = level.members[task.short] = Instance(
                self._new(compound, task), task, name, folder, rundir, inside, body, level,
                compound, scope, bodies=bodies,
                gate=compound.gate if gate is None else gate,
                stem=self._layout.stem(name, rundir, is_shared=is_shared),
                is_copy=repeats or compound.is_copy,
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
            member.folder = self._layout.top(member.name)
            member.rundir = member.folder if is_own else member.rundir
        return True

    def _connect(self, members: list[Instance], entry: int, *, is_chain: bool) -> list[int]:
        """Works out the needs of the members of a body; returns those that no sibling needs. In a
        chain each needs the one before."""
        numbers = {member.number for member in members}
        for member in members:
            assert member.level is not None
            for name in member.task.feeds:
                fed = member.level.members.get(name)
                if fed is not None and fed.number in numbers:
                    member.level.feeders.setdefault(fed.number, []).append(member.number)
        for member in members:
            self._needs.of(member)
        if is_chain:
            for before, member in itertools.pairwise(members):
                assert member.needs is not None
                member.needs = list(dict.fromkeys([*member.needs, before.number]))
        needed: set[int] = set()
        for member in members:
            assert member.needs is not None
            siblings = numbers.intersection(member.needs)
            needed |= siblings
            if not siblings:
                member.needs = [*member.needs, entry]
            self._todo.append(member)
        return [member.number for member in members if member.number not in needed]


def _function(owner: Task) -> Script:
    """The function of `on_error`."""
    return Script("python", owner.on_error, "", owner.context.srcdir)
