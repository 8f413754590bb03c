"""Values that the command line gives to package variables and parameters (section 14).

The more qualified form wins, among equal forms the last; `-D` wins over `-P`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dfm.errors import UsageError
from dfm.flow.conversion import Unfit, convert, from_text, is_accepted
from dfm.flow.declarations import Program, Task
from dfm.flow.document import MOST_NESTED, describe
from dfm.flow.expressions import as_text
from dfm.flow.problems import Problems, did_you_mean
from dfm.flow.shapes import Merged, Shapes
from dfm.graph.values import Fields, Value

Variables = Mapping[str, Mapping[str, Merged]]  # of all packages


@dataclass(slots=True)
class CommandLine:
    """What `-D` and `-P` set."""

    variables: dict[str, Fields] = field(default_factory=dict)  # by package
    tasks: dict[str, Fields] = field(default_factory=dict)  # by full name of the task
    everywhere: dict[str, str] = field(default_factory=dict)  # `-D name=v`, as text, for every node
    # `-D task.param=v`, as text, by full name of a task whose parameters the graph will know
    later: dict[str, dict[str, str]] = field(default_factory=dict)


def assign(
    program: Program,
    shapes: Shapes,
    variables: Variables,
    definitions: Sequence[str],
    files: Sequence[str],
    problems: Problems,
) -> CommandLine:
    """Finds what each value is for. Unknown names are warnings; anything else raises UsageError."""
    assigner = _Assigner(program, shapes, variables, problems)
    for source in files:
        assigner.take_file(source)
    by_dots: list[list[tuple[str, str]]] = [[], [], []]
    for definition in definitions:
        name, equals, text = definition.partition("=")
        if not equals or not name:
            raise UsageError(f"-D {definition}: not of the form NAME=VALUE")
        by_dots[min(name.count("."), 2)].append((name, text))
    for pairs in by_dots:
        for name, text in pairs:
            assigner.take(name, text)
    return assigner.line


class _Assigner:
    def __init__(
        self, program: Program, shapes: Shapes, variables: Variables, problems: Problems
    ) -> None:
        self.line = CommandLine()
        self._program = program
        self._shapes = shapes
        self._variables = variables
        self._problems = problems

    def take(self, name: str, text: str) -> None:
        """`-D name=text`."""
        owner, _, last = name.rpartition(".")
        shown = f"-D {name}={text}"
        if not owner:
            self._take_everywhere(last, text, shown)
        elif last in self._variables.get(owner, {}):
            self._set_variable(owner, last, value_of(text, self._variables[owner][last], shown))
        elif (task := self._task(owner)) and last in self._params(task):
            self._set_param(task, last, value_of(text, self._params(task)[last], shown))
        elif task and self._is_open(task):
            self.line.later.setdefault(task.name, {})[last] = text
        else:
            known = [f"{package}.{name}" for package in self._variables
                     for name in self._variables[package]]  # fmt: skip
            known += [
                f"{task.short}.{name}" for task in self._tasks() for name in self._params(task)
            ]
            self._warn(f"-D {name}: nothing has this name", did_you_mean(name, known))

    def _take_everywhere(self, name: str, text: str, shown: str) -> None:
        """`-D name=v`: the variable in every package that has one, and the parameter of every node."""
        for given in self.line.tasks.values():
            given.pop(name, None)  # of a `-P`
        owners = []
        for package, variables in self._variables.items():
            if name in variables:
                self._set_variable(package, name, value_of(text, variables[name], shown))
                owners.append(f"package {package}")
        packages = len(owners)
        self.line.everywhere[name] = text
        for task in self._tasks():
            if name in self._params(task):
                value_of(text, self._params(task)[name], shown)
                owners.append(f"task {task.name}")
        is_open = any(task.is_computed for task in self._tasks())  # who knows what they will have
        if not owners and not is_open:
            known = {name for variables in self._variables.values() for name in variables}
            known.update(name for task in self._tasks() for name in self._params(task))
            self._warn(f"-D {name}: nothing has this name", did_you_mean(name, known))
        elif 0 < packages < len(owners):
            more = f" and {len(owners) - 6} more" if len(owners) > 6 else ""
            self._warn(f"{shown} sets more than one thing: {', '.join(owners[:6])}{more}")

    def take_file(self, source: str) -> None:
        """`-P`: {"package": {variable: value}, "tasks": {task: {parameter: value}}}, typed."""
        shown = _shown(source)
        data = _object(_read(source), shown)
        root = self._program.root
        for key in data:
            if key not in ("package", "tasks"):
                self._warn(f"{shown}: no `{key}`", "known are `package`, `tasks`")
        for name, value in _object(data.get("package", {}), shown).items():
            merged = self._variables[root.name].get(name)
            if merged is None:
                hint = did_you_mean(name, self._variables[root.name])
                self._warn(f"{shown}: no package variable `{name}`", hint)
            else:
                self._set_variable(root.name, name, _typed(value, merged, f"{shown}: `{name}`"))
        for name, values in _object(data.get("tasks", {}), shown).items():
            task = self._task(name)
            if task is None:
                hint = did_you_mean(name, (task.short for task in root.tasks.values()))
                self._warn(f"{shown}: no task `{name}`", hint)
            else:
                self._take_params(task, _object(values, shown), shown)

    def _take_params(self, task: Task, values: Mapping[str, Any], shown: str) -> None:
        params = self._params(task)
        for name, value in values.items():
            if name in params:
                self._set_param(
                    task, name, _typed(value, params[name], f"{shown}: `{task.short}.{name}`")
                )
            elif self._is_open(task):
                self._set_param(task, name, value)
            else:
                self._warn(f"{shown}: {task.name} has no `{name}`", did_you_mean(name, params))

    def _tasks(self) -> list[Task]:
        """The tasks whose nodes `-D name=v` reaches: those of packages, not those in bodies."""
        packages = self._program.packages.values()
        return [task for package in packages for task in package.tasks.values() if not task.library]

    def _task(self, name: str) -> Task | None:
        found = self._program.task(name) or self._program.task(f"{self._program.root.name}.{name}")
        if found is not None:
            return found
        inside = [task for task in self._program.root.tasks.values() if task.short == name]
        return inside[0] if len(inside) == 1 else None  # of a named fragment

    def _params(self, task: Task) -> Mapping[str, Merged]:
        return self._shapes.of(task).params

    def _is_open(self, task: Task) -> bool:
        """Whether a computed `uses` may bring parameters that are not known yet."""
        return any(link.is_computed for link in self._shapes.of(task).chain)

    def _set_variable(self, package: str, name: str, value: Value) -> None:
        self.line.variables.setdefault(package, {})[name] = value

    def _set_param(self, task: Task, name: str, value: Value) -> None:
        self.line.tasks.setdefault(task.name, {})[name] = value

    def _warn(self, what: str, hint: str = "") -> None:
        self._problems.warn(None, what, hint=hint)


def variables_of(
    package: str, variables: Mapping[str, Merged], definitions: Sequence[str]
) -> Fields:
    """What `-D` says of the variables of one package. Raises UsageError."""
    given: Fields = {}
    for wanted in ("", package):  # the more qualified form wins
        for definition in definitions:
            name, equals, text = definition.partition("=")
            owner, _, last = name.rpartition(".")
            if equals and owner == wanted and last in variables:
                given[last] = value_of(text, variables[last], f"-D {definition}")
    return given


def value_of(text: str, merged: Merged, shown: str) -> Value:
    """A value of `-D`, which is how it is shown in errors. Raises UsageError."""
    try:
        value = from_text(text, merged.kind)
    except Unfit as error:
        raise UsageError(f"{shown}: {error}") from None
    return _accepted(value, merged, shown)


def _typed(value: Any, merged: Merged, shown: str) -> Value:
    """The value as it is, if it fits. Raises UsageError."""
    try:
        convert(value, merged.kind)
    except Unfit as error:
        raise UsageError(f"{shown} {error}") from None
    return _accepted(value, merged, shown)


def _accepted(value: Value, merged: Merged, shown: str) -> Value:
    """The value, if it is one of a closed set or the set is none."""
    if merged.accepted is not None and not merged.accepts_others:
        for given in value if isinstance(value, list) else [value]:
            if not is_accepted(given, merged.accepted):
                words = ", ".join(map(as_text, merged.accepted))
                raise UsageError(f"{shown}: accepted are {words}")
    return value


def _shown(source: str) -> str:
    return "-P '{...}'" if _is_json(source) else f"-P {source}"


def _is_json(source: str) -> bool:
    return source.lstrip().startswith("{")


def _read(source: str) -> Any:
    shown = _shown(source)
    try:
        if _is_json(source):
            data = json.loads(source)
        else:
            with open(source, encoding="utf-8") as file:
                data = json.load(file)
        _check(data, 0)
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{shown}: not JSON: {error}") from None
    except RecursionError:
        raise UsageError(f"{shown}: nested more than {MOST_NESTED} levels deep") from None
    return data


def _check(data: Any, depth: int) -> None:
    """Raises ValueError for what is no text, RecursionError for what is nested too deep."""
    if depth > MOST_NESTED:
        raise RecursionError
    if isinstance(data, str):
        try:
            data.encode(errors="surrogateescape")
        except UnicodeEncodeError:
            raise ValueError("a text with half of a surrogate pair") from None
    elif isinstance(data, list | dict):
        for element in data:
            _check(element, depth + 1)
            if isinstance(data, dict):
                _check(data[element], depth + 1)


def _object(data: Any, shown: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise UsageError(f"{shown}: a JSON object is wanted, not {describe(data)}")
    return data
