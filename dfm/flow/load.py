"""From a flow file to a program that is checked, and from that to the graph of a run."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dfm.errors import Place, Problem, UsageError
from dfm.flow import made
from dfm.flow.beneath import Beneath
from dfm.flow.build import Builder
from dfm.flow.catalog import Catalog, computed
from dfm.flow.check import Check
from dfm.flow.command_line import CommandLine, Variables, assign
from dfm.flow.configurations import choose, choose_imported, declare, extend, likely, revalue
from dfm.flow.declarations import Configuration, Package, Program, Task
from dfm.flow.document import Document
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import ExpressionError
from dfm.flow.families import Families
from dfm.flow.fields import Reader
from dfm.flow.find import find_root
from dfm.flow.finder import Finder
from dfm.flow.import_expressions import Outside
from dfm.flow.inheritance import inherit
from dfm.flow.instance import Instance
from dfm.flow.layout import Layout, layout_of
from dfm.flow.leaf import products
from dfm.flow.made import Emitted, Made
from dfm.flow.names import find_goal
from dfm.flow.overrides import replace, replace_by_line
from dfm.flow.packages import Packages
from dfm.flow.parameters import BadValue
from dfm.flow.parse_package import parse_package
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.reading import read
from dfm.flow.resources import place_of
from dfm.flow.shapes import Merged, Shapes
from dfm.flow.trials import Runner
from dfm.flow.world import World
from dfm.graph.names import file_name
from dfm.graph.node import Graph
from dfm.graph.values import Fields, Value

if TYPE_CHECKING:
    from dfm.flow.flags import Flag

_STD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "std", "flow.yaml")
_STD_NAME = "std"
_NO_ITEMS = ("std.Tag", "std.Check")  # bases of the types that are none of data


class Options(NamedTuple):
    """What the command line says about the flow itself."""

    root: str = ""  # where to look for the flow file; empty: DV_FLOW_ROOT, or here
    configuration: str = ""  # -c
    definitions: Sequence[str] = ()  # -D
    parameter_files: Sequence[str] = ()  # -P
    overrides: Sequence[str] = ()  # --override
    package_maps: Sequence[str] = ()  # --package-map
    words: Sequence[str] = ()  # tasks, and options that the flow declares


class SummaryFunction(NamedTuple):
    """The function of a task that reports when the run is over."""

    root: int  # the task's node
    reference: str
    srcdir: str
    place: Place


class Flow:
    """A flow that was loaded without a fault. `file` and `folder` are those of the root flow file."""

    def __init__(
        self, document: Document, program: Program, shapes: Shapes, families: Families,
        world: World, line: CommandLine, problems: Problems, variables: Variables,
        goals: Sequence[str], layout: Callable[[], Layout],
    ) -> None:  # fmt: skip
        self.file = document.file
        self.folder = document.directory
        self.program = program
        self.goals = goals  # the tasks that the command line names
        self._variables = variables
        self._shapes = shapes
        self._families = families
        self._world = world
        self._line = line
        self._problems = problems
        self._layout = layout  # a new one for each graph
        self.runners: list[Runner] = []  # of tests, that the last graph was built for
        self._tasks: Sequence[Task | None] = ()  # that declare the nodes of the last graph
        self._around: Callable[[], list[int | None]] = list  # the compounds of these nodes

    def warnings(self) -> list[Problem]:
        return list(dict.fromkeys(self._problems.warnings))

    @property
    def catalog(self) -> Catalog:
        """The flow for those who only look at it."""
        return Catalog(self.program, self._shapes, self._world)

    def parameter_values(self, task: Task) -> Fields:
        """The parameters of a task of a package, as far as they are known without its graph."""
        evaluation, instance = self._alone(task)
        try:
            shape = evaluation.shape(task, None)
            return computed(evaluation.params(instance, shape))
        except BadValue:
            return {}

    def products(self, task: Task) -> list[Fields] | None:
        """What it declares to emit, with its expressions replaced; None if it declares nothing, or
        nothing that is known before a run. A task that is the item of a data type declares it."""
        evaluation, instance = self._alone(task)
        try:
            shape = evaluation.shape(task, None)
            params = evaluation.params(instance, shape)
            if shape.produces is not None:
                scope = evaluation.scope(instance, task, params)
                return products(evaluation, shape.produces, scope)
            if shape.item_type is not None and shape.run is None and not shape.is_compound:
                return [{**params.all(), "type": shape.item_type.name}]
        except (BadValue, ExpressionError):
            pass
        return None

    def _alone(self, task: Task) -> tuple[Evaluation, Instance]:
        """What it takes to evaluate the texts of a task that is in no graph."""
        folder = file_name(task.name)
        # Faults are no business of who only looks: they are in problems of their own.
        evaluation = Evaluation(self._shapes, self._world, self._line, Problems(), "rundir")
        return evaluation, Instance(-1, task, task.name, folder, folder)

    def description(self, task: Task) -> str:
        """What its `desc` says, or that of the nearest base that has one."""
        return self.catalog.desc(task)

    def is_provided(self, task: Task) -> bool:
        """Whether it is more than a place that the project leaves empty (std.NotProvided)."""
        return self._shapes.of(task).library != "NotProvided"

    def is_implemented(self, task: Task) -> bool:
        """Whether it would do anything: what std.check.Implemented looks at, before the graph stands."""
        shape = self._shapes.of(task)
        does = shape.run or shape.library or shape.item_type or shape.is_compound
        return bool(does or shape.needs or any(link.is_computed for link in shape.chain))

    def graph(self, tasks: Sequence[str], rundir: str, needs: Sequence[str] = ()) -> Graph:
        """The graph of these tasks, which have these needs after their own; `rundir` is absolute.

        Raises FlowError, UsageError.
        """
        goals, more = [[self._goal(name) for name in names] for names in (tasks, needs)]
        builder = self._builder(rundir)
        graph = builder.build(goals, more)
        around = builder.beneath(graph)
        if around:
            builder = self._builder(rundir, around)
            graph = builder.build(goals, more)
        self._tasks, self._around = builder.tasks, builder.compounds_around
        self.runners = builder.runners(graph)
        graph.types = self._item_types()
        self._problems.raise_any()
        return graph

    def compounds_around(self) -> list[int | None]:
        """Of each node of the last graph: the compound that it is a member of."""
        return self._around()

    def flags(self, task: Task) -> "list[Flag]":
        """The options of `dfm run` that a task declares."""
        from dfm.flow.flags import flags_of

        return flags_of(task, self._shapes)

    def project_options(self) -> "list[Flag]":
        """Those of all tasks."""
        from dfm.flow.flags import project_options

        return project_options(self.program, self._variables)

    def graph_of(self, batch: Sequence[Made], rundir: str, emitted: Emitted) -> Graph:
        """The graph of tasks that a running task has made. Raises FlowError, UsageError."""
        tasks = made.declare(self.program, batch)
        for one, task in zip(batch, tasks.values(), strict=True):
            known = self._shapes.of(task).params
            for name in one.params:
                if name not in known:
                    raise UsageError(
                        f"{one.name}: {one.type} has no parameter `{name}`",
                        hint=did_you_mean(name, known),
                    )
            self._line.tasks[one.name] = dict(one.params)
        graph = self.graph([*tasks], rundir)
        return made.without_others(graph, {one.name: one.type for one in batch}, emitted)

    def _builder(self, rundir: str, around: Beneath | None = None) -> Builder:
        return Builder(
            self.program, self._shapes, self._families, self._world, self._line, self._problems,
            rundir, self._layout(), around,
        )  # fmt: skip

    def _goal(self, name: str) -> tuple[Task, str]:
        """A task, and of a family the key of a variant. Raises UsageError."""
        try:
            return find_goal(self.program, name), ""
        except UsageError:
            found = self._families.goal(name)
            if found is None:
                raise
            return found

    def axes(self, task: Task) -> dict[str, list[Value]]:
        """Of a family of variants; empty for any other task."""
        return self._families.axes(task) if self._families.owner(task) else {}

    def place_of_request(self, number: int, field: str) -> Place | None:
        """Where a node of the last graph asks for a resource."""
        task = self._tasks[number]
        if task is None:
            return None
        tag = self._shapes.of(task).resources
        return place_of(tag, field).place() if tag else task.place

    def summaries(self, graph: Graph) -> list[SummaryFunction]:
        """Of the tasks that were asked for in the last graph, those that have one of their own."""
        found = []
        for number in graph.goals:
            task = self._tasks[number]
            owner = self._shapes.of(task).summary if task is not None else None
            if owner is not None and owner.summary:
                place = owner.where.at("summary").place()
                found.append(SummaryFunction(number, owner.summary, owner.context.srcdir, place))
        return found

    def _item_types(self) -> dict[str, Fields]:
        """The registered item types with their defaults."""
        found: dict[str, Fields] = {}
        for package in self.program.packages.values():
            for kind in package.types.values():
                if not any(self._shapes.is_a(kind, other) for other in _NO_ITEMS):
                    try:
                        found[kind.name] = self._world.defaults(self._shapes.of_type(kind))
                    except BadValue:
                        continue  # said already
        return found


def load(options: Options, environ: Mapping[str, str]) -> Flow:
    """Reads and checks a flow. Raises FlowError with all its faults, or UsageError."""
    document = find_root(options.root or environ.get("DV_FLOW_ROOT", "") or ".")
    problems = Problems()
    reader = Reader(problems)
    finder = Finder(reader, environ, options.package_maps)
    packages = Packages(reader, finder, Outside(environ, document.file, options.definitions))
    named = [name for one in options.overrides for name in one.split("=")]
    package = packages.begin(document, _standard_library(), named)
    packages.import_for(package, package.imports, likely(package, options.configuration))
    packages.settle()
    chosen = _configure(reader, packages, options.configuration)
    program = Program(package, packages.by_name, {}, {})
    for configurations in chosen.values():
        extend(program, configurations, problems)
    # The root's come last, and win.
    overrides = [one for name, owner in packages.by_name.items() if name != package.name
                 for one in owner.overrides]  # fmt: skip
    variables = {
        name: _variables(packages, owner, chosen[name]) for name, owner in packages.by_name.items()
    }
    shapes = Shapes(program, problems)
    line = CommandLine()
    replace(program, [*overrides, *package.overrides], problems)
    if not problems.any():  # else the faults of the files are said first, all at once
        replace_by_line(program, options.overrides)
        line = assign(
            program, shapes, variables, options.definitions, options.parameter_files, problems
        )
    goals = list(options.words)
    if not problems.any() and any(word.startswith("-") for word in goals):
        from dfm.flow.flags import take_flags

        goals = take_flags(program, shapes, variables, goals, line)
    world = World(
        program, problems, environ=environ, root_file=document.file, variables=variables,
        overrides=line.variables,
    )  # fmt: skip
    families = Families(program, shapes, world, problems)
    check = Check(program, shapes, world, families, problems)
    for name, owner in packages.by_name.items():
        if not owner.is_installed and name != _STD_NAME:
            check.package(owner, variables[name])
    problems.raise_any()
    return Flow(
        document, program, shapes, families, world, line, problems, variables, goals,
        layout_of(environ, program),
    )  # fmt: skip


def _configure(reader: Reader, packages: Packages, selected: str) -> dict[str, list[Configuration]]:
    """Lets packages inherit and adds what their configurations declare, more packages included."""
    chosen: dict[str, list[Configuration]] = {}
    todo = [packages.root]
    while todo:
        for package in todo:
            inherit(reader, package, packages)
            if package is packages.root:
                found = choose(package, selected, reader.problems)
            else:
                found = _of_imports(package, packages, reader.problems)
            chosen[package.name] = found
            before = len(package.imports)
            declare(reader, package, found)
            if any(one.contents for one in found):
                packages.import_for(package, package.imports[before:], found)
                packages.look_through(package)
                packages.settle()
        todo = [one for one in packages.by_name.values() if one.name not in chosen]
    return chosen


def _of_imports(package: Package, packages: Packages, problems: Problems) -> list[Configuration]:
    """The configuration that those who import a package want."""
    wanted = packages.wanted.get(package.name)
    if wanted is None or wanted.where is None:
        return []
    return choose_imported(package, wanted.configuration, wanted.where, problems)


def _variables(
    packages: Packages, package: Package, chosen: list[Configuration]
) -> dict[str, Merged]:
    """With the values of its configurations, and those of imports over them."""
    variables = packages.variables(package)
    problems = packages.problems
    for configuration in chosen:
        revalue(variables, configuration.params.values(), problems)
    wanted = packages.wanted.get(package.name)
    if wanted is not None:
        revalue(variables, wanted.params.values(), problems)
    return variables


def _standard_library() -> Package:
    problems = Problems()
    package = parse_package(Reader(problems), read(_STD))
    problems.raise_any()
    for task in package.tasks.values():
        if task.run is None and not task.uses:
            task.library = task.short
    package.is_installed = True
    return package
