"""Nodes that a flow's own Python makes while the graph is built: `generate` and `elaborate`.

The Python sees handles only. What it has made becomes declarations, which the builder takes up like
those of a file.
"""

import os
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from dfm.flow.declarations import Context, Parameter, Task
from dfm.flow.document import Where
from dfm.graph.values import Fields, Value


class Unusable(Exception):
    """Something that cannot be part of a node; says what and why."""


class NodeHandle:
    """A node that was made, and is part of the graph once it was added."""

    def __init__(
        self, type: str, name: str, srcdir: str, needs: Sequence[Any], params: Mapping[str, Any]
    ) -> None:
        self.type = type
        self.name = name
        self.srcdir = srcdir
        self.needs = list(needs)
        self.params = dict(params)


class Entry:
    """Stands for the node where the task's inputs come in."""


class GenContext:
    """The `ctxt` of a generator."""

    def __init__(self, name: str, rundir: str, srcdir: str) -> None:
        self.basename = name
        self.rundir = rundir
        self.srcdir = srcdir
        self.input = Entry()
        self.builder = self
        self.added: list[NodeHandle] = []
        self._unnamed = 0

    def mkTaskNode(self, *told: Any, **params: Any) -> NodeHandle:
        """Makes a node of a task type: `mkTaskNode(type, name=None, srcdir=None, needs=None, ...)`;
        what else there is are the values of its parameters, one called `type` among them."""
        values = dict(zip(("task_type", "name", "srcdir", "needs"), told, strict=False))
        if not told:
            values["task_type"] = params.pop("type", None)
        for key in ("name", "srcdir", "needs"):
            if key in params:
                values[key] = params.pop(key)
        kind = values["task_type"]
        if not isinstance(kind, str):
            raise TypeError(f"mkTaskNode() takes the name of a task type first, not {kind!r}")
        name = values.get("name") or self.mkName(None)
        needs = values.get("needs") or ()
        return NodeHandle(
            kind, str(name), str(values.get("srcdir") or self.srcdir),
            needs if isinstance(needs, list | tuple) else [needs], params,
        )  # fmt: skip

    def mkName(self, name: str | None) -> str:
        if name is None:
            name = f"anon_{self._unnamed}"
            self._unnamed += 1
        return f"{self.basename}.{name}"

    def addTask(self, node: NodeHandle) -> NodeHandle:
        if not isinstance(node, NodeHandle):
            raise TypeError(f"addTask() takes what mkTaskNode() has made, not {node!r}")
        self.added.append(node)
        return node

    def getInputs(self) -> list[Entry]:
        return [self.input]


def seen_task(task: Task, params: Fields, name: str) -> SimpleNamespace:
    """A declaration as Python sees it, with the values of its parameters."""
    return SimpleNamespace(
        name=name, desc=task.desc, doc=task.doc, uses=task.uses, srcdir=task.context.srcdir,
        needs=list(task.needs), params=SimpleNamespace(**params), rundir="", inputs=[],
    )  # fmt: skip


def declaration(handle: NodeHandle, name: str, where: Where, context: Context) -> Task:
    """A task like one of a file; faults of it are at `where`. Raises Unusable."""
    inside = Context(context.package, os.path.join(context.srcdir, handle.srcdir))
    try:
        params = {
            key: Parameter(key, where, inside, value=plain(value, key))
            for key, value in handle.params.items()
        }
    except RecursionError:
        raise Unusable("a parameter is nested too deeply, or contains itself") from None
    return Task(
        name, name.rpartition(".")[2], where.at(), inside, named_by="run", uses=handle.type,
        params=params,
    )  # fmt: skip


def plain(value: Any, name: str) -> Value:
    """A value as flows have them. Raises Unusable."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple() | set() | frozenset():
            return [plain(element, name) for element in value]
        case dict():
            return {str(key): plain(element, name) for key, element in value.items()}
        case os.PathLike():
            return str(value)
    raise Unusable(f"`{name}` is {type(value).__name__}, which no parameter can be")
