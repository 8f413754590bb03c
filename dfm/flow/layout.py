"""Where the nodes of a graph lie in the run directory, and how their files are called (section 32)."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from dfm.errors import UsageError
from dfm.flow.declarations import Program, Task
from dfm.graph.names import file_name

VARIABLE = "DV_FLOW_RUNDIR_LAYOUT"
_RESERVED = frozenset({"", "bin", "cache", "log", "out"})  # what is in the run directory besides
_RESERVED_STEMS = frozenset({"", "run", "subgraph"})


class Layout(Protocol):
    """Folders are relative to the run directory; `inside` is one of them, or empty."""

    def top(self, name: str, task: Task | None = None, rivals: Iterable[str] = ()) -> str:
        """Of a node that lies in no other's folder. `task` declares it if it is a cell; `rivals` are
        the names of those that are made as it is."""

    def inner(self, name: str, inside: str) -> str:
        """Of a task in the body of another."""

    def generated(self, name: str, inside: str) -> str:
        """Of one that Python has made; with an empty `inside` it lies at the top."""

    def entry(self, name: str, inside: str) -> str:
        """Empty: such nodes have none."""

    def stem(self, name: str, folder: str, *, is_shared: bool) -> str | None:
        """Of the files of a task that runs there, as dfm.wire.files has it; None: its name.
        `is_shared`: with the compound around it."""


def layout_of(environ: Mapping[str, str], program: Program) -> Callable[[], Layout]:
    """Makes layouts as the environment asks for, one for each graph. Raises UsageError."""
    wanted = environ.get(VARIABLE, "")
    if wanted == "leaf":
        return functools.partial(Leaf, program)
    if wanted in ("", "legacy"):
        return Legacy
    raise UsageError(f"{VARIABLE}={wanted}: there are the layouts `legacy` and `leaf`")


class Legacy:
    """Everything is called by its full name."""

    def top(self, name: str, task: Task | None = None, rivals: Iterable[str] = ()) -> str:
        return file_name(name)

    def inner(self, name: str, inside: str) -> str:
        return f"{inside}/{file_name(name)}" if inside else file_name(name)

    generated = entry = inner

    def stem(self, name: str, folder: str, *, is_shared: bool) -> str | None:
        stem = file_name(name)
        return None if stem == name else stem


class Leaf:
    """Folders by the last part of the name; by the full name where that is not the only one.

    What a folder is called must not depend on which tasks are run. So at the top it is looked at what the
    flow declares; only what is computed (cells, variants, nodes that Python makes) comes as it comes.
    """

    def __init__(self, program: Program) -> None:
        self._prefix = f"{program.root.name}."
        self._declared: Counter[str] = Counter()
        self._cells: Counter[str] = Counter()
        for outer in program.root.tasks.values():
            self._declared[_last(outer.name)] += 1
            for task in outer.walk():
                if task is not outer and task.matrix is not None:  # it lies at the top, too
                    self._declared[_last(task.name)] += 1
            if outer.matrix is not None:
                self._cells.update(task.short for task in outer.body or ())
        self._owners: dict[str, str] = {}  # of folders and stems: the names of those that have them

    def top(self, name: str, task: Task | None = None, rivals: Iterable[str] = ()) -> str:
        full, last = file_name(name), _last(name)
        if not name.startswith(self._prefix) or last in _RESERVED:
            return self._own(full, full, name)
        if rivals:
            is_only = sum(_last(rival) == last for rival in rivals) == 1
            is_only = is_only and not self._declared[last]
        elif task is not None:
            is_only = self._cells[task.short] == 1 and not self._declared[last]
        else:
            is_only = self._declared[last] == 1
        return self._own(last if is_only else full, full, name)

    def inner(self, name: str, inside: str) -> str:
        return self._own(f"{inside}/{_last(name)}", f"{inside}/{file_name(name)}", name)

    def generated(self, name: str, inside: str) -> str:
        return self.inner(name, inside) if inside else self.top(name, rivals=[name])

    def entry(self, name: str, inside: str) -> str:
        return ""

    def stem(self, name: str, folder: str, *, is_shared: bool) -> str | None:
        if not is_shared:
            return ""
        last, full = _last(name), file_name(name)
        if last in _RESERVED_STEMS:
            return full
        return self._own(f"{folder}//{last}", f"{folder}//{full}", name).rpartition("//")[2]

    def _own(self, short: str, full: str, name: str) -> str:
        return short if self._owners.setdefault(short, name) == name else full


def _last(name: str) -> str:
    return file_name(name.rpartition(".")[2])
