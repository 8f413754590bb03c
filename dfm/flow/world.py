"""The names that expressions see, nearest first (13.3, 15.2), and the values of parameters."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from dfm.flow.conversion import Unfit, convert, is_accepted
from dfm.flow.declarations import KINDS, MISSING, Context, Kind, Parameter, Program, Task
from dfm.flow.document import Where, describe
from dfm.flow.expressions import ExpressionError, NameUnknown, as_text
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Merged
from dfm.flow.templates import evaluate, report
from dfm.graph.values import Fields, Value

LATE_NAMES = frozenset({"inputs", "memento"})  # section 15.7: known when the task runs
Found = tuple[Value, int]  # a value, and how many parts of a dotted name it took
_DEEPEST = 75  # parameters that refer to parameters; each level takes ten frames of Python's stack


class BadValue(Exception):
    """A value that could not be computed; it is in the problems already."""


class Body:
    """The inside of a compound, or of one cell of a matrix."""

    __slots__ = ("bindings", "has_settings", "outer", "params", "settings")

    def __init__(self, params: "Parameters", bindings: Fields, outer: "Body | None") -> None:
        self.params = params
        self.bindings = bindings
        self.outer = outer
        self.settings: Set | None = None  # of the task whose body it is
        self.has_settings: bool = outer is not None and outer.has_settings

    def set(self, settings: "Set") -> None:
        self.settings = settings
        self.has_settings = True

    def around(self) -> Iterator["Set"]:
        """What is set here and in the bodies around, from the inside out."""
        body: Body | None = self
        while body is not None and body.has_settings:
            if body.settings is not None:
                yield body.settings
            body = body.outer

    def rebound(self, name: str) -> Value:
        """What a variable is set to, by its full name: the outermost counts. MISSING if nowhere."""
        value = MISSING
        for settings in self.around():
            value = settings.variables().get(name, value)
        return value

    def find(self, name: str) -> Value:
        """An axis value or a parameter, of this body or of one around it; MISSING if none has it."""
        body: Body | None = self
        while body is not None:
            if name in body.bindings:
                return body.bindings[name]
            if name in body.params:
                return body.params[name]
            body = body.outer
        return MISSING

    def binding(self, name: str) -> Value:
        body: Body | None = self
        while body is not None:
            if name in body.bindings:
                return body.bindings[name]
            body = body.outer
        return MISSING

    def names(self) -> Iterator[str]:
        body: Body | None = self
        while body is not None:
            yield from body.bindings
            yield from body.params
            body = body.outer


class Set(Protocol):
    """What a task sets for those below it, see dfm/flow/settings.py."""

    def variables(self) -> Fields: ...

    def lets(self, name: str) -> bool: ...

    def let(self, name: str) -> Value: ...


class World:
    """What is the same for all of a program: packages and their variables, environment, places."""

    def __init__(
        self,
        program: Program,
        problems: Problems,
        *,
        environ: Mapping[str, str],
        root_file: str,
        variables: Mapping[str, Mapping[str, Merged]],
        overrides: Mapping[str, Fields],
    ) -> None:
        self.program = program
        self.problems = problems
        self._environ = environ
        self._root_file = root_file
        self._given = overrides
        self._variables = {
            name: Parameters(merged, self, None, overrides.get(name, {}))
            for name, merged in variables.items()
        }

    def variables(self, package: str) -> "Parameters":
        """Those of a package by its name."""
        return self._variables[package]

    def defaults(self, merged: Mapping[str, Merged]) -> Fields:
        """The values of a type's fields. Raises BadValue."""
        return Parameters(merged, self, self._around, {}).all()

    def check_constants(self, merged: Mapping[str, Merged]) -> None:
        """Collects the faults of values that flow files give without an expression."""
        values = Parameters(merged, self, None, {})
        for name, one in merged.items():
            if one.is_constant() and one.written():
                try:
                    values[name]
                except BadValue:
                    continue

    def _around(self, context: Context, own: "Parameters") -> "Scope":
        return Scope(self, context, params=own)

    def find(self, path: tuple[str, ...], context: Context) -> Found | None:
        """Anything but parameters of tasks."""
        variable = self.variable(path, context)
        if variable is not None:
            package, name, used = variable
            return self._variables[package][name], used
        head = path[0]
        match head:
            case "env" if (
                len(path) > 1 and head not in self._variables and path[1] in self._environ
            ):
                return self._environ[path[1]], 2
            case "srcdir":
                return context.srcdir, 1
            case "rootdir":
                return os.path.dirname(self._root_file), 1
            case "root":
                return self._root_file, 1
        return None

    def variable(self, path: tuple[str, ...], context: Context) -> tuple[str, str, int] | None:
        """The package and the name of the variable that a path begins with, and its parts."""
        head = path[0]
        if head in self._variables[context.package]:
            return context.package, head, 1
        for length in range(len(path) - 1, 0, -1):
            package = self._meant(path[:length], context)
            if path[length] in self._variables.get(package, ()):
                return package, path[length], length + 1
        root = self.program.root.name
        return (root, head, 1) if head in self._variables[root] else None

    def is_given(self, package: str, name: str) -> bool:
        """Whether the command line says what a variable is."""
        return name in self._given.get(package, ())

    def variable_of(self, package: str, name: str) -> Value:
        """MISSING if the package has none of this name."""
        variables = self._variables[package]
        return variables.get(name, MISSING)

    def has(self, path: tuple[str, ...], context: Context) -> bool:
        """Whether a package has a variable of this name; its value may be a fault, not computed here."""
        return self.variable(path, context) is not None

    def is_of_root_only(self, head: str, context: Context) -> bool:
        """Whether a bare name is one of the root package, in a text of another one."""
        root = self.program.root.name
        return (
            context.package != root
            and head not in self._variables[context.package]
            and head in self._variables[root]
        )

    def _meant(self, path: tuple[str, ...], context: Context) -> str:
        """The package that a name stands for: an alias, or the base of what inherited the text."""
        name = ".".join(path)
        name = self.program.packages[context.package].aliases.get(name, name)
        return context.package if name == context.base else name

    def missing(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The part of an unknown path that is to blame: of `pkg.var` both."""
        for length in range(len(path) - 1, 0, -1):
            if ".".join(path[:length]) in self._variables:
                return path[: length + 1]
        return path[:2] if path[0] == "env" else path[:1]

    def names(self, context: Context) -> Iterator[str]:
        yield from self._variables[context.package]
        yield from self._variables[self.program.root.name]
        for alias, name in self.program.packages[context.package].aliases.items():
            yield from (f"{alias}.{one}" for one in self._variables.get(name, ()))
        for package, variables in self._variables.items():
            yield from (f"{package}.{name}" for name in variables)
        yield from ("srcdir", "rootdir", "root", "rundir", "name", "this", "matrix", "env")


class Scope:
    """The names around one text of one node. Satisfies the expressions' protocol of that name."""

    __slots__ = ("body", "context", "late", "name", "params", "rundir", "world")

    def __init__(
        self,
        world: World,
        context: Context,
        *,
        params: "Parameters | None" = None,
        body: Body | None = None,
        name: str = "",
        rundir: str = "",
        late: Fields | None = None,
    ) -> None:
        self.late = late  # what is known when the task runs; None: it does not yet
        self.world = world
        self.context = context
        self.params = params
        self.body = body
        self.name = name
        self.rundir = rundir

    def resolve(self, path: tuple[str, ...]) -> Found:
        head = path[0]
        params = self.params
        if params is not None and params.offers(head):
            return params[head], 1
        if len(path) > 1 and head in ("this", "matrix"):
            value = self._inside(head, path[1])
            if value is not MISSING:
                return value, 2
            raise NameUnknown(path[:2], hint=did_you_mean(path[1], self._known()))
        if self.body is not None:
            value = self.body.find(head)
            if value is not MISSING:
                return value, 1
            if self.body.has_settings:
                variable = self.world.variable(path, self.context)
                if variable is not None:
                    value = self.body.rebound(f"{variable[0]}.{variable[1]}")
                    if value is not MISSING:
                        return value, variable[2]
        found = self.world.find(path, self.context)
        if found is not None:
            return found
        if head == "rundir" and self.rundir:
            return self.rundir, 1
        if head == "name" and self.name:
            return self.name, 1
        if head in LATE_NAMES:
            if self.late is None:
                raise ExpressionError(f"`{head}` is known when the task runs, and not before")
            return self.late[head], 1
        raise NameUnknown(self.world.missing(path), hint=self._hint(path))

    def apply(self, name: str, value: Value, arguments: Sequence[Value]) -> Value:
        from dfm.flow import filters  # few flows pipe into any

        return filters.apply(self.world, name, value, arguments, self.context)

    def provided(self, arguments: Sequence[Value]) -> Value:
        """`resolve(name, default)`, `resolve(default)`, `resolve()`: see section 24."""
        evaluated = self.params.evaluated() if self.params is not None else ""
        # A lone argument is the default of the parameter; in other texts it can only be a name.
        is_name = len(arguments) == 2 or (len(arguments) == 1 and not evaluated)
        name = arguments[0] if is_name else evaluated
        if not isinstance(name, str) or not name:
            raise ExpressionError("`resolve` without a name is for the values of parameters")
        for settings in self.body.around() if self.body is not None else ():
            if settings.lets(name):
                return settings.let(name)
        for link in self.params.chain if self.params is not None else ():
            value = self.world.variable_of(link.context.package, name)
            if value is not MISSING:
                return value
        if len(arguments) > is_name:
            return arguments[-1]
        raise ExpressionError(f"nothing provides `{name}`, and there is no default")

    def _inside(self, head: str, name: str) -> Value:
        if self.body is not None:
            value = self.body.binding(name) if head == "matrix" else self.body.find(name)
            if value is not MISSING:
                return value
        if head == "this" and self.params is not None and self.params.offers(name):
            return self.params[name]
        return MISSING

    def _known(self) -> Iterator[str]:
        yield from self.params or ()
        if self.body is not None:
            yield from self.body.names()

    def _hint(self, path: tuple[str, ...]) -> str:
        if path[0] == "env":
            return "it is not in the environment of dfm; ${{ env.NAME:-text }} has a fallback"
        if path[0] in ("rundir", "name"):
            return "it is known in the parameters and the script of a task"
        if path[0] in ("this", "matrix"):
            return f"`{path[0]}` is followed by a dot and a name"
        return did_you_mean(".".join(path), (*self._known(), *self.world.names(self.context)))


class Parameters(Mapping[str, Value]):
    """The parameters of one node, or the variables of a package: each computed when it is wanted."""

    def __init__(
        self,
        merged: Mapping[str, Merged],
        world: World,
        scope: Callable[[Context, "Parameters"], Scope] | None,
        overrides: Fields,
    ) -> None:
        self._merged = merged
        self._world = world
        self._scope = scope or (lambda context, own: Scope(world, context))
        self._values: Fields = dict(overrides)
        self._open: list[str] = []
        self.chain: Sequence[Task] = ()  # of a node: its task and the bases

    def evaluated(self) -> str:
        """The one that is computed now; empty if none is."""
        return self._open[-1] if self._open else ""

    def __getitem__(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._compute(self._merged[name])
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._merged)

    def __len__(self) -> int:
        return len(self._merged)

    def __contains__(self, name: object) -> bool:
        return name in self._merged

    def offers(self, name: str) -> bool:
        """Whether the text that is evaluated now sees this one: a parameter does not see itself, so
        that `top: "${{ top }}"` takes the variable of that name from outside."""
        return name in self._merged and not (self._open and self._open[-1] == name)

    def all(self) -> Fields:
        return {name: self[name] for name in self._merged}

    def _compute(self, merged: Merged) -> Value:
        if merged.constant is not MISSING:
            return merged.constant
        if merged.name in self._open:
            names = " -> ".join([*self._open[self._open.index(merged.name) :], merged.name])
            raise ExpressionError(f"parameters refer to each other in a circle: {names}")
        if len(self._open) > _DEEPEST:
            names = " -> ".join([*self._open[:3], "..."])
            raise ExpressionError(
                f"parameters refer to each other more than {_DEEPEST} deep: {names}"
            )
        self._open.append(merged.name)
        try:
            value = self._written(merged)
        finally:
            self._open.pop()
        if merged.is_constant():
            merged.constant = value
        return value

    def _written(self, merged: Merged) -> Value:
        value: Value = MISSING
        for writing in merged.writings:
            value = self._apply(writing, value, merged.kind)
        if value is MISSING:
            value = KINDS[merged.kind]
        where = (merged.written() or merged.writings[-1]).where
        try:
            value = convert(value, merged.kind)
        except Unfit as error:
            self._world.problems.add(where, f"`{merged.name}` {error}")
            raise BadValue from None
        check_accepted(merged, value, where, self._world.problems)
        return value

    def _apply(self, writing: Parameter, below: Value, kind: Kind) -> Value:
        scope = self._scope(writing.context, self)
        value = below
        if writing.value is not MISSING:
            value = self._evaluate(writing.value, scope, writing)
        if not writing.changes_list:
            return value
        if value is MISSING:
            value = KINDS[kind]
        if not isinstance(value, list):
            self._world.problems.add(
                writing.where.key(),
                f"`{writing.name}` is no list to add to: it is {describe(value)}",
            )
            raise BadValue
        return [
            *self._part(writing.path_prepend, scope, writing),
            *self._part(writing.prepend, scope, writing),
            *value,
            *self._part(writing.append, scope, writing),
            *self._part(writing.path_append, scope, writing),
        ]

    def _part(self, part: Value, scope: Scope, writing: Parameter) -> list[Value]:
        if part is MISSING:
            return []
        value = self._evaluate(part, scope, writing)
        return value if isinstance(value, list) else [value]

    def _evaluate(self, value: Value, scope: Scope, writing: Parameter) -> Value:
        try:
            return evaluate(value, scope)
        except ExpressionError as error:
            subject = f"`{writing.name}`"
            if scope.name:
                subject = f"parameter {subject} of {scope.name}"
            report(error, writing.where, value, self._world.problems, subject)
            raise BadValue from None


def check_accepted(merged: Merged, value: Value, where: Where, problems: Problems) -> None:
    """Faults for values outside a closed set; a warning where others are accepted too."""
    if merged.accepted is None:
        return
    for given in value if isinstance(value, list) else [value]:
        if is_accepted(given, merged.accepted):
            continue
        words = [as_text(accepted) for accepted in merged.accepted]
        what = f"`{merged.name}` is {given!r}, not one of {', '.join(words)}"
        if merged.accepts_others:
            problems.warn(where, what)
        else:
            problems.add(where, what, hint=did_you_mean(as_text(given), words))
            raise BadValue
