"""What is wrong with declarations, found before any graph is built: references, parameters, names in
expressions, tags (section 2, step 2). Every declaration is looked at, not only those of the run."""

from collections.abc import Iterator

from dfm.flow.declarations import Package, Program, TagUse, Task
from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError, template
from dfm.flow.names import NEEDS_OF, find_task, find_type, known_names
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Shapes
from dfm.flow.templates import report, texts
from dfm.flow.world import World
from dfm.graph.values import Value

_ALWAYS_THERE = frozenset({"env", "srcdir", "rootdir", "root", "rundir", "name", "this", "matrix"})
_RUN_TIME = frozenset({"inputs", "memento", "result_file"})  # section 15.7


class Check:
    """Goes through the declarations of one package; what is wrong ends up in `problems`."""

    def __init__(self, program: Program, shapes: Shapes, world: World, problems: Problems) -> None:
        self._program = program
        self._shapes = shapes
        self._world = world
        self._problems = problems

    def package(self, package: Package) -> None:
        for kind in package.types.values():
            self._shapes.of_type(kind)
        for task in package.tasks.values():
            for inner in task.walk():
                self._task(inner)
        for name, variable in package.params.items():
            for part in variable.parts():
                self._texts(part, variable.where, f"package variable `{name}`", None)

    def _task(self, task: Task) -> None:
        self._shapes.of(task)
        self._references(task)
        for parameter in task.params.values():
            for part in parameter.parts():
                self._texts(part, parameter.where, f"parameter `{parameter.name}`", task)
        where = task.where
        if task.run is not None:
            self._texts(task.run, where.at(task.run_field), f"`run` of {task.name}", task)
        self._texts(task.iff, where.at("iff"), f"`iff` of {task.name}", task)
        for axis, values in (task.matrix or {}).items():
            place = where.at("strategy", "matrix", axis)
            self._texts(values, place, f"axis `{axis}` of {task.name}", task)
            if not isinstance(values, list) and "${{" not in str(values):
                self._problems.add(place, f"axis `{axis}` must be a list", within=axis)
        for tag in task.tags:
            self._tag(tag, task)

    def _references(self, task: Task) -> None:
        for field, names in (("needs", task.needs), ("feeds", task.feeds)):
            for number, name in enumerate(names):
                where = task.where.at(field, number)
                if "${{" in name:
                    self._texts(name, where, f"`{field}` of {task.name}", task)
                elif not self._resolves(name, task):
                    self._problems.add(
                        where, f"{task.name} {field} `{name}`, and there is no such task",
                        hint=did_you_mean(name, self._known(task)),
                    )  # fmt: skip

    def _resolves(self, name: str, task: Task) -> bool:
        if self._find(name, task):
            return True
        return name.endswith(NEEDS_OF) and self._find(name.removesuffix(NEEDS_OF), task)

    def _find(self, name: str, task: Task) -> bool:
        around = task.enclosing
        while around is not None:
            if name in self._shapes.of(around).siblings:
                return True
            around = around.enclosing
        return find_task(self._program, name, task.context) is not None

    def _known(self, task: Task) -> Iterator[str]:
        around = task.enclosing
        while around is not None:
            yield from self._shapes.of(around).siblings
            around = around.enclosing
        yield from known_names(self._program, task.context)

    def _tag(self, tag: TagUse, task: Task) -> None:
        kind = find_type(self._program, tag.type, task.context)
        if kind is None or not self._shapes.is_a(kind, "std.Tag"):
            types = (
                declared
                for package in self._program.packages.values()
                for declared, known in package.types.items()
                if self._shapes.is_a(known, "std.Tag")
            )
            what = "is no tag: it does not derive from std.Tag" if kind else "is no type"
            self._problems.add(
                tag.where, f"`{tag.type}` {what}", hint=did_you_mean(tag.type, types)
            )
            return
        known = self._shapes.of_type(kind)
        for field in tag.fields:
            if field not in known:
                self._problems.add(
                    tag.where, f"tag {tag.type} has no field `{field}`", within=field,
                    hint=did_you_mean(field, known),
                )  # fmt: skip

    def _texts(self, value: Value, where: Where, subject: str, task: Task | None) -> None:
        """Syntax and names of all expressions in a value."""
        for text in texts(value):
            try:
                made = template(text)
            except ExpressionError as error:
                report(error, where, text, self._problems, subject)
                continue
            for reference in made.references() if made else ():
                if not reference.optional:
                    self._name(reference.path, reference.offset, text, where, subject, task)

    def _name(
        self,
        path: tuple[str, ...],
        offset: int,
        text: str,
        where: Where,
        subject: str,
        task: Task | None,
    ) -> None:
        head = path[0]
        context = task.context if task else self._program.root.context
        if head in _ALWAYS_THERE or self._world.has(path, context):
            return
        if task is not None and (self._is_parameter(head, task) or self._is_open(task)):
            return
        hint = did_you_mean(".".join(path), self._names(task))
        what = f"`{head}` is not defined"
        if head in _RUN_TIME:
            what = f"`{head}` is known when the task runs, which this version does not evaluate yet"
            hint = ""
        report(ExpressionError(what, offset, hint), where, text, self._problems, subject)

    def _is_parameter(self, name: str, task: Task) -> bool:
        around: Task | None = task
        while around is not None:
            shape = self._shapes.of(around)
            if name in shape.params or (shape.matrix and name in (shape.matrix.matrix or ())):
                return True
            around = around.enclosing
        return False

    def _is_open(self, task: Task) -> bool:
        """Whether a computed `uses` may bring names that are not known yet."""
        around: Task | None = task
        while around is not None:
            if any("${{" in link.uses for link in self._shapes.of(around).chain):
                return True
            around = around.enclosing
        return False

    def _names(self, task: Task | None) -> Iterator[str]:
        around = task
        while around is not None:
            shape = self._shapes.of(around)
            yield from shape.params
            yield from (shape.matrix.matrix or ()) if shape.matrix else ()
            around = around.enclosing
        yield from self._world.names(task.context if task else self._program.root.context)
