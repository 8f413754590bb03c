"""What a filter of a flow makes of a value: an expression, or a program that is run (section 15.6)."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dfm.flow.declarations import MISSING, Context, Filter, Program
from dfm.flow.expressions import ExpressionError, NameUnknown
from dfm.flow.expressions.library import LIBRARY
from dfm.flow.names import meant
from dfm.flow.problems import did_you_mean
from dfm.graph.values import Value

if TYPE_CHECKING:
    from dfm.flow.world import World

_HARNESS = """
import contextlib, json, sys
given = json.load(sys.stdin)
names = {"__name__": "filter"}
with contextlib.redirect_stdout(sys.stderr):
    exec(compile(given["code"], "filter", "exec"), names)
    made = names["filter"](given["data"], **given["args"])
json.dump(made, sys.stdout)
"""


def find_filter(program: Program, name: str, context: Context) -> Filter | None:
    """One of the own fragment or package, by full name, or one that another package exports."""
    own = program.packages[context.package].filters
    if context.fragment and (found := own.get(f"{context.fragment}.{name}")):
        return found
    if found := own.get(f"{context.package}.{name}"):
        return found
    full = meant(program, name, context)
    for package in program.packages.values():
        found = package.filters.get(full)
        if found is not None and (found.is_exported or package.name == context.package):
            return found
    others = (
        package.filters.get(f"{package.name}.{name}") for package in program.packages.values()
    )
    return next((one for one in others if one is not None and one.is_exported), None)


def known_filters(program: Program, context: Context) -> Iterator[str]:
    yield from LIBRARY
    for package in program.packages.values():
        for name, one in package.filters.items():
            if package.name == context.package:
                yield name.removeprefix(f"{package.name}.")
            elif one.is_exported:
                yield name


def is_known(program: Program, name: str, context: Context) -> bool:
    return find_filter(program, name, context) is not None or _of_library(name) in LIBRARY


def apply(
    world: "World", name: str, value: Value, arguments: Sequence[Value], context: Context
) -> Value:
    """Raises ExpressionError."""
    found = find_filter(world.program, name, context)
    if found is None:
        function = LIBRARY.get(_of_library(name))
        if function is None:
            hint = did_you_mean(name, known_filters(world.program, context))
            raise ExpressionError(f"there is no filter `{name}`", hint=hint)
        try:
            return function(value, *arguments)
        except TypeError:
            raise ExpressionError(f"filter `{name}` takes other arguments") from None
    if found.expression is not None:
        return found.expression.evaluate(_Scope(world, found, value, arguments))
    if found.shell == "python":
        return _run_python(found, value, arguments)
    return _run_shell(found, value, arguments)


def _of_library(name: str) -> str:
    return name.removeprefix("std.")


class _Scope:
    """The names in a filter's expression: `input`, `arg0`..., its parameters, then the package's."""

    def __init__(
        self, world: "World", of: Filter, value: Value, arguments: Sequence[Value]
    ) -> None:
        self._world = world
        self._of = of
        self._names: dict[str, Value] = {"input": value}
        for number, (name, parameter) in enumerate(of.params.items()):
            self._names[name] = _given(arguments, number, parameter.value)
            self._names[f"arg{number}"] = self._names[name]
        self._names.update({f"arg{number}": one for number, one in enumerate(arguments)})

    def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
        if path[0] in self._names:
            return self._names[path[0]], 1
        found = self._world.find(path, self._of.context)
        if found is None:
            raise NameUnknown(path[:1], hint=did_you_mean(path[0], self._names))
        return found

    def apply(self, name: str, value: Value, arguments: Sequence[Value]) -> Value:
        return apply(self._world, name, value, arguments, self._of.context)


def _given(arguments: Sequence[Value], number: int, default: Value) -> Value:
    if number < len(arguments):
        return arguments[number]
    return None if default is MISSING else default


def _run_python(of: Filter, value: Value, arguments: Sequence[Value]) -> Value:
    import textwrap

    named = {f"arg{number}": one for number, one in enumerate(arguments)}
    given = {"code": textwrap.dedent(of.run), "data": value, "args": named}
    return _output(of, [sys.executable, "-c", _HARNESS], given, {})


def _run_shell(of: Filter, value: Value, arguments: Sequence[Value]) -> Value:
    variables = {
        f"ARG{number}": one if isinstance(one, str) else json.dumps(one)
        for number, one in enumerate(arguments)
    }
    return _output(of, [f"/bin/{of.shell}", "-c", of.run], value, variables)


def _output(of: Filter, words: list[str], given: Value, variables: Mapping[str, str]) -> Value:
    import os
    import subprocess

    try:
        done = subprocess.run(
            words, input=json.dumps(given), capture_output=True, encoding="utf-8",
            errors="surrogateescape", env={**os.environ, **variables}, cwd=of.context.srcdir,
            check=False,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise ExpressionError(f"cannot run filter `{of.name}`: {error}") from None
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        what = f"filter `{of.name}` ended with status {done.returncode}"
        raise ExpressionError(f"{what}: {said}" if said else what)
    try:
        made: Value = json.loads(done.stdout)
    except ValueError:
        raise ExpressionError(f"filter `{of.name}` did not print JSON") from None
    return made
