"""The names that expressions see, nearest first (13.3, 15.2), of one text of one node."""

import os
from collections.abc import Iterator, Mapping, Sequence

from dfm.flow.body import Body
from dfm.flow.declarations import MISSING, Context, Program
from dfm.flow.expressions import ExpressionError, NameUnknown
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Merged
from dfm.graph.values import Fields, Value

LATE_NAMES = frozenset({"inputs", "memento"})  # section 15.7: known when the task runs
Found = tuple[Value, int]  # a value, and how many parts of a dotted name it took


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
            name: Parameters(merged, problems, self._plain, overrides.get(name, {}))
            for name, merged in variables.items()
        }

    def variables(self, package: str) -> Parameters:
        """Those of a package by its name."""
        return self._variables[package]

    def defaults(self, merged: Mapping[str, Merged]) -> Fields:
        """The values of a type's fields. Raises BadValue."""
        return Parameters(merged, self.problems, self._around, {}).all()

    def check_constants(self, merged: Mapping[str, Merged]) -> None:
        """Collects the faults of values that flow files give without an expression."""
        values = Parameters(merged, self.problems, self._plain, {})
        for name, one in merged.items():
            if one.is_constant() and one.written():
                try:
                    values[name]
                except BadValue:
                    continue

    def _plain(self, context: Context, own: Parameters) -> "Scope":
        return Scope(self, context)

    def _around(self, context: Context, own: Parameters) -> "Scope":
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
        params: Parameters | None = None,
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
