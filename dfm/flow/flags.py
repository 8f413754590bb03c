"""Parameters as options of `dfm run TASK` (section 14.4)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dfm.errors import UsageError
from dfm.flow.command_line import CommandLine, Variables, value_of
from dfm.flow.declarations import Program, Task
from dfm.flow.names import find_goal
from dfm.flow.problems import did_you_mean
from dfm.flow.shapes import Merged, Shapes
from dfm.graph.values import Fields, Value


class Flag(NamedTuple):
    """An option that sets a parameter of a task, or a variable of the root package."""

    word: str  # "--seed"
    short: str  # "-s"; empty: none
    merged: Merged
    is_hidden: bool
    task: Task | None  # None: a project option

    @property
    def is_switch(self) -> bool:
        return self.merged.kind == "bool"


def flags_of(task: Task, shapes: Shapes) -> list[Flag]:
    return _flags(shapes.of(task).params.values(), task)


def project_options(program: Program, variables: Variables) -> list[Flag]:
    return _flags(variables[program.root.name].values(), None)


def _flags(parameters: Iterable[Merged], task: Task | None) -> list[Flag]:
    return [
        Flag(
            f"--{merged.cli.name or merged.name}",
            f"-{merged.cli.short}" if merged.cli.short else "",
            merged, merged.cli.is_hidden, task,
        )
        for merged in parameters
        if merged.cli is not None
    ]  # fmt: skip


def take_flags(
    program: Program, shapes: Shapes, variables: Variables, words: Sequence[str], line: CommandLine
) -> list[str]:
    """Sets what the flags among the words say; returns the other words, the tasks.

    Raises UsageError.
    """
    if not any(word.startswith("-") for word in words):
        return list(words)
    taker = _Taker(program, shapes, variables, line)
    taker.take(iter(words))
    return taker.names


class _Taker:
    def __init__(
        self, program: Program, shapes: Shapes, variables: Variables, line: CommandLine
    ) -> None:
        self.names: list[str] = []
        self._program = program
        self._shapes = shapes
        self._line = line
        self._unqualified = ""  # a task's flag that does not say whose it is
        self._known: dict[str, Flag] = {}
        self._set: set[tuple[str, str]] = set()  # lists that a flag has begun
        self._know(project_options(program, variables), ())

    def take(self, words: Iterator[str]) -> None:
        for word in words:
            if word.startswith("-") and word != "-":
                self._flag(word, words)
            else:
                self._task(word)
        if self._unqualified and len(self.names) > 1:
            raise UsageError(
                f"{self._unqualified} may be meant for one of several tasks",
                hint=f"write --TASK.{self._unqualified.lstrip('-')}",
            )

    def _task(self, name: str) -> None:
        self.names.append(name)
        task = find_goal(self._program, name)
        self._know(flags_of(task, self._shapes), dict.fromkeys((name, task.short, task.name)))

    def _know(self, flags: Iterable[Flag], owners: Iterable[str]) -> None:
        owners = list(owners)
        for flag in flags:
            for word in filter(None, (flag.word, flag.short)):
                self._known[word] = flag
            for owner in owners:
                self._known[f"--{owner}.{flag.word[2:]}"] = flag

    def _flag(self, word: str, words: Iterator[str]) -> None:
        name, equals, text = word.partition("=")
        if not word.startswith("--") and word[:2] in self._known:
            name, text = word[:2], word[2:].removeprefix("=")
            equals = "=" if len(word) > 2 else ""
        flag = self._known.get(name)
        if flag is None:
            raise UsageError(self._unknown(name), hint=did_you_mean(name, self._known))
        if flag.task is not None and name in (flag.word, flag.short):
            self._unqualified = self._unqualified or name
        if flag.is_switch:
            self._put(flag, value_of(text, flag.merged, word) if equals else True)
            return
        if not equals:
            following = next(words, None)
            if following is None:
                raise UsageError(f"{name} needs a value")
            text = following
        self._put(flag, value_of(text, flag.merged, f"{name} {text}"))

    def _unknown(self, word: str) -> str:
        if not self.names:
            return f"neither `dfm run` nor the project has an option {word}"
        whose = " or ".join(self.names)
        return f"no option {word}: neither {whose} nor the project declares it"

    def _put(self, flag: Flag, value: Value) -> None:
        name = flag.merged.name
        if flag.task is None:
            owner, values = "", self._line.variables.setdefault(self._program.root.name, {})
        else:
            owner = flag.task.name
            values = self._line.tasks.setdefault(owner, {})
        self._join(values, name, value, repeats=(owner, name) in self._set)
        self._set.add((owner, name))

    @staticmethod
    def _join(values: Fields, name: str, value: Value, *, repeats: bool) -> None:
        before = values.get(name)
        if repeats and isinstance(before, list) and isinstance(value, list):
            value = [*before, *value]
        values[name] = value
