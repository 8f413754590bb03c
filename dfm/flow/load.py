"""From a flow file to a program that is checked, and from that to the graph of a run."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dfm.errors import Place, Problem, UsageError
from dfm.flow.beneath import Beneath
from dfm.flow.build import Builder
from dfm.flow.check import Check
from dfm.flow.command_line import CommandLine, assign
from dfm.flow.declarations import Configuration, Package, Parameter, Program, Task
from dfm.flow.document import Document, Where
from dfm.flow.families import Families
from dfm.flow.fields import Reader
from dfm.flow.find import find_root
from dfm.flow.names import NEEDS_OF, find_goal, find_task, known_names
from dfm.flow.parse_package import parse_package
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.reading import read
from dfm.flow.resources import place_of
from dfm.flow.shapes import Merged, Shapes, variable
from dfm.flow.world import BadValue, World
from dfm.graph.node import Graph
from dfm.graph.values import Fields, Value

_STD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "std", "flow.yaml")
_DATA_ITEM = "std.DataItem"


class Options(NamedTuple):
    """What the command line says about the flow itself."""

    root: str = ""  # where to look for the flow file; empty: DV_FLOW_ROOT, or here
    configuration: str = ""  # -c
    definitions: Sequence[str] = ()  # -D
    parameter_files: Sequence[str] = ()  # -P


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
        world: World, line: CommandLine, problems: Problems,
    ) -> None:  # fmt: skip
        self.file = document.file
        self.folder = document.directory
        self.program = program
        self._shapes = shapes
        self._families = families
        self._world = world
        self._line = line
        self._problems = problems
        self._tasks: Sequence[Task | None] = ()  # that declare the nodes of the last graph

    def warnings(self) -> list[Problem]:
        return self._problems.warnings

    def description(self, task: Task) -> str:
        """What its `desc` says, or that of the nearest base that has one."""
        return next((link.desc for link in self._shapes.of(task).chain if link.desc), "")

    def is_provided(self, task: Task) -> bool:
        """Whether it is more than a place that the project leaves empty (std.NotProvided)."""
        return self._shapes.of(task).library != "NotProvided"

    def is_implemented(self, task: Task) -> bool:
        """Whether it would do anything: what std.check.Implemented looks at, before the graph stands."""
        shape = self._shapes.of(task)
        does = shape.run or shape.library or shape.item_type or shape.is_compound
        return bool(does or shape.needs or any(link.is_computed for link in shape.chain))

    def graph(self, tasks: Sequence[str], rundir: str) -> Graph:
        """The graph of these tasks; `rundir` is absolute. Raises FlowError, UsageError."""
        goals = [self._goal(name) for name in tasks]
        builder = self._builder(rundir)
        graph = builder.build(goals)
        around = builder.beneath(graph)
        if around:
            builder = self._builder(rundir, around)
            graph = builder.build(goals)
        self._tasks = builder.tasks
        graph.types = self._item_types()
        self._problems.raise_any()
        return graph

    def _builder(self, rundir: str, around: Beneath | None = None) -> Builder:
        return Builder(
            self.program, self._shapes, self._families, self._world, self._line, self._problems,
            rundir, around,
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
                if self._shapes.is_a(kind, _DATA_ITEM):
                    try:
                        found[kind.name] = self._world.defaults(self._shapes.of_type(kind))
                    except BadValue:
                        continue  # said already
        return found


def load(options: Options, environ: Mapping[str, str]) -> Flow:
    """Reads and checks a flow. Raises FlowError with all its faults, or UsageError."""
    document = find_root(options.root or environ.get("DV_FLOW_ROOT", "") or ".")
    problems = Problems()
    package = parse_package(Reader(problems), document)
    std = _standard_library()
    if package.name == std.name:
        problems.add(package.where.at("name"), f"`{std.name}` is the name of the standard library")
        problems.raise_any()
    program = Program(package, {std.name: std, package.name: package})
    chosen = _configurations(package, options.configuration, problems)
    _extend(program, chosen, problems)
    variables = {name: _variables(one) for name, one in program.packages.items()}
    _revalue(variables[package.name], chosen, problems)
    shapes = Shapes(program, problems)
    line = CommandLine()
    if not problems.any():  # else the faults of the files are said first, all at once
        line = assign(
            program, shapes, variables, options.definitions, options.parameter_files, problems
        )
    world = World(
        program, problems, environ=environ, root_file=document.file, variables=variables,
        overrides=line.variables,
    )  # fmt: skip
    families = Families(program, shapes, world, problems)
    Check(program, shapes, world, families, problems).package(package, variables[package.name])
    problems.raise_any()
    return Flow(document, program, shapes, families, world, line, problems)


def _standard_library() -> Package:
    problems = Problems()
    package = parse_package(Reader(problems), read(_STD))
    problems.raise_any()
    for task in package.tasks.values():
        task.library = task.short
    return package


def _variables(package: Package) -> dict[str, Merged]:
    return {name: variable(parameter) for name, parameter in package.params.items()}


def _configurations(package: Package, name: str, problems: Problems) -> list[Configuration]:
    """The selected configuration with its bases, bases first."""
    known = package.configurations
    if not name:
        name = "default" if "default" in known else ""
    elif name not in known:
        problems.raise_any()  # it may be one that could not be read
        raise UsageError(
            f"package {package.name} has no configuration `{name}`",
            place=Place(package.where.document.file), hint=did_you_mean(name, known),
        )  # fmt: skip
    chosen: list[Configuration] = []
    while name:
        configuration = known.get(name)
        if configuration is None:
            where = chosen[-1].where.at("uses")
            problems.add(where, f"no configuration `{name}`", hint=did_you_mean(name, known))
            break
        if configuration in chosen:
            circle = [one.name for one in chosen[chosen.index(configuration) :]]
            problems.add(
                configuration.where.at("uses"),
                f"configuration `{name}` uses itself: {' -> '.join([*circle, name])}",
            )
            break
        chosen.append(configuration)
        name = configuration.uses
    return chosen[::-1]


def _extend(program: Program, chosen: list[Configuration], problems: Problems) -> None:
    """Applies the extensions of the selected configurations to the tasks themselves."""
    for configuration in chosen:
        for extension in configuration.extensions:
            task = find_task(program, extension.task, program.root.context)
            if task is None:
                known = known_names(program, program.root.context)
                problems.add(
                    extension.where.at("task"), f"no task `{extension.task}` to extend",
                    hint=did_you_mean(extension.task, known),
                )  # fmt: skip
                continue
            task.extensions.append(extension.params)
            task.needs += [
                name
                for number, name in enumerate(extension.needs)
                if _can_be_needed(name, extension.where.at("needs", number), program, problems)
            ]


def _can_be_needed(name: str, where: Where, program: Program, problems: Problems) -> bool:
    """Whether a need of an extension names a task; a fault at its place if not."""
    context = program.root.context
    names = (name, name.removesuffix(NEEDS_OF))
    if not name or "${{" in name or any(find_task(program, one, context) for one in names):
        return True
    problems.add(
        where, f"no task `{name}` to be needed",
        hint=did_you_mean(name, known_names(program, context)),
    )  # fmt: skip
    return False


def _revalue(variables: dict[str, Merged], chosen: list[Configuration], problems: Problems) -> None:
    """Puts the values of the selected configurations over those of the package."""
    for configuration in chosen:
        for name, writing in configuration.params.items():
            if name in variables:
                variables[name] = variables[name].changed_by(writing)
            else:
                _no_such_variable(writing, variables, problems)


def _no_such_variable(
    writing: Parameter, variables: Mapping[str, Merged], problems: Problems
) -> None:
    problems.add(
        writing.where.key(), f"the package has no variable `{writing.name}`",
        hint=did_you_mean(writing.name, variables),
    )  # fmt: skip
