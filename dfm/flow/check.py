"""What is wrong with declarations, found before any graph is built: references, parameters, names in
expressions, tags (section 2, step 2). Every declaration is looked at, not only those of the run."""

import contextlib
from collections.abc import Iterator, Mapping

from dfm.flow.control import KNOWN, expression
from dfm.flow.declarations import (
    Context,
    Control,
    Package,
    Program,
    Rebinding,
    Requirement,
    Select,
    TagUse,
    Task,
    Type,
)
from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError, NameUnknown, Reference, template
from dfm.flow.expressions.builtins import PIPED
from dfm.flow.families import Families
from dfm.flow.names import NEEDS_OF, find_task, find_type, known_names, known_types, unknown
from dfm.flow.parameters import BadValue
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Merged, Shapes
from dfm.flow.templates import report, texts
from dfm.flow.world import LATE_NAMES, World
from dfm.graph.values import Value

_ALWAYS_THERE = frozenset({"env", "srcdir", "rootdir", "root", "rundir", "name", "this", "matrix"})
_RUN_TIME = frozenset({"inputs", "memento", "result_file"})  # section 15.7
_TAG = "std.Tag"
_CHECK = "std.Check"
_NONE: Mapping[str, Merged] = {}


class Check:
    """Goes through the declarations of one package; what is wrong ends up in `problems`."""

    def __init__(
        self, program: Program, shapes: Shapes, world: World, families: Families, problems: Problems
    ) -> None:
        self._program = program
        self._families = families
        self._shapes = shapes
        self._world = world
        self._problems = problems

    def package(self, package: Package, variables: Mapping[str, Merged]) -> None:
        """`variables` have the values of the selected configuration."""
        around = _Around(package.context)
        self._world.check_constants(variables)
        for name, variable in variables.items():
            for writing in variable.writings:
                place = _Around(writing.context)
                for part in writing.parts():
                    self._texts(part, writing.where, f"package variable `{name}`", place)
        for tag in package.tags:
            self._tag(tag, around)
        for kind in package.types.values():
            self._type(kind)
        for task in package.tasks.values():
            for inner in task.walk():
                self._task(inner)

    def _type(self, kind: Type) -> None:
        fields = self._shapes.of_type(kind)
        self._world.check_constants(fields)
        around = _Around(kind.context, fields=fields)
        for parameter in kind.params.values():
            for part in parameter.parts():
                self._texts(
                    part, parameter.where, f"field `{parameter.name}` of {kind.name}", around
                )
        for tag in kind.tags:
            self._tag(tag, around)

    def _task(self, task: Task) -> None:
        shape = self._shapes.of(task)
        self._world.check_constants(shape.params)
        inside = _Around(task.context, task)
        late = _Around(task.context, task, is_run_time=True)
        outside = _Around(task.context, task.enclosing, unseen=shape.params)
        self._references(task, inside)
        for layer in (task.params, *task.extensions):
            for parameter in layer.values():
                for part in parameter.parts():
                    subject = f"parameter `{parameter.name}` of {task.name}"
                    # An extension has another context.
                    around = _Around(parameter.context, task, is_run_time=True)
                    self._texts(part, parameter.where, subject, around)
        where = task.where
        if task.run is not None:
            field = task.run_field
            self._texts(task.run, where.at(field), f"`{field}` of {task.name}", late)
        self._texts(task.uses, where.at("uses"), f"`uses` of {task.name}", outside)
        self._texts(task.iff, where.at("iff"), f"`iff` of {task.name}", outside)
        for number, pattern in enumerate(task.produces or ()):
            place = where.at("produces", number)
            self._texts(pattern, place, f"`produces` of {task.name}", inside)
        for axis, values in (task.matrix or {}).items():
            place = where.at("strategy", "matrix", axis)
            self._texts(values, place, f"axis `{axis}` of {task.name}", inside)
            if not isinstance(values, list) and "${{" not in str(values):
                self._problems.add(place.key(), f"axis `{axis}` must be a list")
        if task.control is not None:
            self._control(task, task.control)
        for rebinding in task.sets:
            self._rebinding(task, rebinding, inside)
        for name, value in task.lets.items():
            self._texts(value, where.at("let", name), f"`let` of {task.name}", inside)
        if task.select is not None:
            self._select(task, task.select, inside)
        for tag in task.tags:
            self._tag(tag, inside)
        for requirement in task.requires:
            self._type_use(requirement, inside, _CHECK, "check")

    def _control(self, task: Task, control: Control) -> None:
        """Syntax and names of the conditions, which are evaluated when the run comes to them."""
        conditions = [("cond", control.cond), ("until", control.until)]
        conditions += [("cases", branch.condition) for branch in task.branches]
        conditions.append(("state", control.feedback))
        around = _Around(task.context, task)
        for field, condition in conditions:
            where, subject = control.where.at(field), f"`{field}` of {task.name}"
            try:
                made = expression(condition)
            except ExpressionError as error:
                report(error, where, condition, self._problems, subject)
                continue
            for reference in made.references() if made else ():
                known = reference.optional or reference.path[0] in KNOWN
                if not known and not self._is_known(reference.path, around):
                    unknown = self._unknown(reference, around)
                    report(unknown, where, condition, self._problems, subject)

    def _rebinding(self, task: Task, rebinding: Rebinding, inside: "_Around") -> None:
        for name, value, where in rebinding.assignments:
            self._texts(value, where, f"`set` of {task.name}", inside)
            path = tuple(name.split("."))
            if rebinding.is_forcing or self._world.variable(path, task.context) is not None:
                continue
            what = f"no package variable `{name}` to set"
            known = self._world.names(task.context)
            self._problems.add(where.key(), what, hint=did_you_mean(name, known))

    def _select(self, task: Task, select: Select, inside: "_Around") -> None:
        for axis, values in select.axes.items():
            place = select.where.at("axes", axis)
            self._texts(values, place, f"axis `{axis}` of {task.name}", _Around(task.context))
        for field in ("key", "default"):
            value = select.key if field == "key" else select.default
            self._texts(value, select.where.at(field), f"`{field}` of {task.name}", inside)
        if not self._problems.any():  # else its axes may be what is wrong
            with contextlib.suppress(BadValue):
                self._families.cells(task)

    def _references(self, task: Task, around: "_Around") -> None:
        for number, name in enumerate(task.needs):
            where = task.where.at("needs", number)
            if "${{" in name:
                self._texts(name, where, f"`needs` of {task.name}", around)
            elif self._is_hidden(name, task):
                what = f"{task.name} needs `{name}`, which its package does not export"
                self._problems.warn(where, what)
            elif name and not self._resolves(name, task) and not self._is_open(task.enclosing):
                self._no_such_need(name, task, where)
        for number, name in enumerate(task.feeds):
            if name:
                self._feeds(name, task, task.where.at("feeds", number))

    def _no_such_need(self, name: str, task: Task, where: Where) -> None:
        found = self._families.find(name, task.context)
        if found is None:
            self._problems.add(
                where, f"{task.name} needs `{name}`, and there is no such task",
                hint=did_you_mean(name, self._known(task)),
            )  # fmt: skip
            return
        with contextlib.suppress(BadValue):
            if found[1] not in self._families.cells(found[0]):
                what, hint = self._families.unknown_key(*found)
                self._problems.add(where, f"{task.name} needs `{name}`: {what}", hint=hint)

    def _feeds(self, name: str, task: Task, where: Where) -> None:
        """A task feeds what could need it: one of its body feeds siblings only."""
        if "${{" in name:
            self._problems.add(where, "`feeds` takes the names of tasks, and no expressions")
            return
        body = task.enclosing
        what = f"{task.name} feeds `{name}`, and there is no such task"
        if body is not None:
            siblings = self._shapes.of(body).siblings
            if name not in siblings and not self._is_open(body):
                what += f" in the body of {body.name}"
                self._problems.add(where, what, hint=did_you_mean(name, siblings))
        elif find_task(self._program, name, task.context) is None:
            known = known_names(self._program, task.context)
            self._problems.add(where, what, hint=did_you_mean(name, known))

    def _is_hidden(self, name: str, task: Task) -> bool:
        """Whether it is a task of another package that is not meant for others (section 21)."""
        if "." not in name or name in task.foreign_needs:
            return False
        found = find_task(self._program, name, task.context)
        return (
            found is not None
            and found.context.package != task.context.package
            and found.scopes.isdisjoint(("export", "root"))
            and not found.name.startswith("std.")
        )

    def _resolves(self, name: str, task: Task) -> bool:
        if self._find(name, task):
            return True
        return name.endswith(NEEDS_OF) and self._find(name.removesuffix(NEEDS_OF), task)

    def _find(self, name: str, task: Task) -> bool:
        for around in _enclosing(task.enclosing):
            if name in self._shapes.of(around).siblings:
                return True
        return find_task(self._program, name, task.context) is not None

    def _known(self, task: Task) -> Iterator[str]:
        for around in _enclosing(task.enclosing):
            yield from self._shapes.of(around).siblings
        yield from known_names(self._program, task.context)

    def _tag(self, tag: TagUse, around: "_Around") -> None:
        self._type_use(tag, around, _TAG, "tag")

    def _type_use(
        self, tag: TagUse | Requirement, around: "_Around", base: str, what_kind: str
    ) -> None:
        """A type with values for its fields: it derives from `base`, and has those fields."""
        kind = find_type(self._program, tag.type, around.context)
        if kind is None or not self._shapes.is_a(kind, base):
            types = (
                name
                for name in known_types(self._program, around.context)
                if (known := find_type(self._program, name, around.context))
                and self._shapes.is_a(known, base)
            )
            what = f"`{tag.type}` is no {what_kind}: it does not derive from {base}"
            if kind is None:
                what = unknown("type", tag.type)
            self._problems.add(tag.where, what, hint=did_you_mean(tag.type, types))
            return
        fields = self._shapes.of_type(kind)
        for field, value in tag.fields.items():
            where = tag.where.at(tag.type, field)
            self._texts(value, where, f"{what_kind} {tag.type}", around)
            if field not in fields:
                self._problems.add(
                    where.key(), f"{what_kind} {tag.type} has no field `{field}`",
                    hint=did_you_mean(field, fields),
                )  # fmt: skip

    # Expressions

    def _texts(self, value: Value, where: Where, subject: str, around: "_Around") -> None:
        """Syntax and names of all expressions in a value."""
        for text in texts(value):
            try:
                made = template(text)
            except ExpressionError as error:
                report(error, where, text, self._problems, subject)
                continue
            if made is None:
                continue
            for name, offset in made.filters():
                self._filter(name, offset, where, text, subject, around)
            for reference in made.references():
                head = reference.path[0]
                if self._world.is_of_root_only(head, around.context) and not (
                    head in around.fields or self._is_parameter(head, around.task)
                ):
                    what = f"{subject}: `{head}` is a variable of another package, the root one"
                    hint = f"write {self._program.root.name}.{head}"
                    self._problems.warn(where, what, within=head, hint=hint)
                if not reference.optional and not self._is_known(reference.path, around):
                    unknown = self._unknown(reference, around)
                    report(unknown, where, text, self._problems, subject)

    def _filter(
        self, name: str, offset: int, where: Where, text: str, subject: str, around: "_Around"
    ) -> None:
        from dfm.flow.filters import is_known, known_filters  # few flows pipe into any

        if not is_known(self._program, name, around.context):
            known = (*PIPED, *known_filters(self._program, around.context))
            hint = did_you_mean(name, known)
            error = ExpressionError(f"there is no filter `{name}`", offset, hint)
            report(error, where, text, self._problems, subject)

    def _is_known(self, path: tuple[str, ...], around: "_Around") -> bool:
        head = path[0]
        return (
            head in _ALWAYS_THERE
            or (around.is_run_time and head in LATE_NAMES)
            or self._world.has(path, around.context)
            or head in around.fields
            or self._is_parameter(head, around.task)
            or self._is_open(around.task)
        )

    def _unknown(self, reference: Reference, around: "_Around") -> ExpressionError:
        path, offset = reference.path, reference.offset
        if path[0] in _RUN_TIME:
            return ExpressionError(
                f"`{path[0]}` is known when the task runs: only parameters and scripts can use it"
                if path[0] in LATE_NAMES
                else f"`{path[0]}` is known in the texts of tasks that use std.Agent",
                offset,
            )
        if path[0] in around.unseen:
            hint = "it is a parameter of the task itself, which cannot be used here"
        else:
            hint = did_you_mean(".".join(path), self._names(around))
        what = f"`{'.'.join(self._world.missing(path))}` is not defined"
        return NameUnknown(path, what, offset, hint)

    def _is_parameter(self, name: str, task: Task | None) -> bool:
        for around in _enclosing(task):
            shape = self._shapes.of(around)
            if name in shape.params or name in shape.axes:
                return True
        return False

    def _is_open(self, task: Task | None) -> bool:
        """Whether a computed `uses` may bring names that are not known yet."""
        return any(
            link.is_computed
            for around in _enclosing(task)
            for link in self._shapes.of(around).chain
        )

    def _names(self, around: "_Around") -> Iterator[str]:
        yield from around.fields
        for task in _enclosing(around.task):
            shape = self._shapes.of(task)
            yield from shape.params
            yield from shape.axes
        yield from self._world.names(around.context)


class _Around:
    """What a text stands in: its package, the task whose parameters it sees, or the fields of its
    type. `unseen` are those of its own task, where it cannot use them."""

    __slots__ = ("context", "fields", "is_run_time", "task", "unseen")

    def __init__(
        self,
        context: Context,
        task: Task | None = None,
        *,
        fields: Mapping[str, Merged] = _NONE,
        unseen: Mapping[str, Merged] = _NONE,
        is_run_time: bool = False,
    ) -> None:
        self.is_run_time = is_run_time
        self.context = context
        self.task = task
        self.fields = fields
        self.unseen = unseen


def _enclosing(task: Task | None) -> Iterator[Task]:
    """The task and those in whose bodies it stands, from the inside out."""
    while task is not None:
        yield task
        task = task.enclosing
