"""The values that a Python task gets and returns (section 30 of the language). Flows import these names
from `dv_flow.mgr`; python_names serves that name from here."""

import enum
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any


class SeverityE(enum.Enum):
    """How much a marker matters. None changes the status of a task."""

    Info = "info"
    Warning = "warning"
    Error = "error"


class TaskMarkerLoc(SimpleNamespace):
    """Where in a file a marker points; -1 is unknown."""

    def __init__(self, path: str, line: int = -1, pos: int = -1) -> None:
        super().__init__(path=path, line=line, pos=pos)


class TaskMarker(SimpleNamespace):
    """One message of a task for its user."""

    def __init__(
        self, msg: str, severity: SeverityE | str = SeverityE.Info, loc: Any = None, **_: Any
    ) -> None:
        super().__init__(msg=msg, severity=SeverityE(getattr(severity, "value", severity)), loc=loc)


class TaskDataItem(SimpleNamespace):
    """One data item: its fields are attributes."""

    def __init__(self, type: str, src: str | None = None, seq: int = -1, **fields: Any) -> None:
        super().__init__(type=type, src=src, seq=seq, **fields)


class FileSet(TaskDataItem):
    """Files of one kind below a directory."""

    def __init__(
        self,
        filetype: str = "",
        basedir: str = "",
        files: Sequence[str] = (),
        incdirs: Sequence[str] = (),
        defines: Sequence[str] = (),
        attributes: Sequence[str] = (),
        **fields: Any,
    ) -> None:
        fields.pop("type", None)
        super().__init__(
            "std.FileSet",
            filetype=filetype,
            basedir=basedir,
            files=list(files),
            incdirs=list(incdirs),
            defines=list(defines),
            attributes=list(attributes),
            **fields,
        )


class TaskDataResult(SimpleNamespace):
    """What a task function returns; nothing at all means that all went well."""

    def __init__(
        self,
        status: int = 0,
        changed: bool = True,
        output: Sequence[Any] | None = None,
        memento: Any = None,
        markers: Sequence[Any] | None = None,
    ) -> None:
        super().__init__(
            status=status,
            changed=changed,
            output=list(output or ()),
            memento=memento,
            markers=list(markers or ()),
        )


class ExecCmd(SimpleNamespace):
    """One command of `exec_parallel`."""

    def __init__(
        self,
        cmd: Sequence[str],
        logfile: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(cmd=cmd, logfile=logfile, cwd=cwd, env=env)


class TaskFailure(TaskDataItem):
    """That a task failed, as an item: for `on_error` functions, which get it among their inputs."""

    def __init__(
        self, task_name: str = "", status: int = 1, markers: Sequence[Any] = (), **fields: Any
    ) -> None:
        fields.pop("type", None)
        super().__init__(
            "std.TaskFailure", task_name=task_name, status=status, markers=list(markers), **fields
        )


class TaskDataOutput(SimpleNamespace):
    """What a task emitted: `changed`, `output` (its items), `dep_m` (what needed what)."""

    def __init__(
        self,
        changed: bool = True,
        output: Sequence[Any] = (),
        dep_m: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(changed=changed, output=list(output), dep_m=dict(dep_m or {}))


class PassthroughE(enum.Enum):
    """Which incoming items a task hands on, as records write it."""

    No = "none"
    All = "all"
    Unused = "unused"


class ConsumesE(enum.Enum):
    """Which incoming items a task reads, as records write it."""

    No = "none"
    All = "all"


class SubtaskSummary(SimpleNamespace):
    """How one task of a compound's body ended, for its `on_error` function."""

    def __init__(self, name: str, status: int, skipped: bool) -> None:
        super().__init__(name=name, status=status, skipped=skipped)


class TaskDataInput(SimpleNamespace):
    """`name`, `srcdir`, `rundir`, `params`, `inputs`, `changed`, `memento` of the task that runs."""


class CompoundRunInput(TaskDataInput):
    """The same for an `on_error` function, and `subtasks`."""


class TaskGenCtxt:
    """The context of `generate` functions, which run when a graph is built: here to be named."""


# What older libraries call an item.
TaskData = TaskDataItem


def plain(value: Any) -> Any:
    """A value of this module, or of user code, as JSON has it."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(element) for key, element in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(element) for element in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if hasattr(value, "__dict__"):
        return {key: plain(element) for key, element in vars(value).items() if key[:1] != "_"}
    return str(value)
