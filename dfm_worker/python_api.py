"""What a Python task sees: its context, its input, and the result it returns (section 30 of the
language). Flows import these names from `dv_flow.mgr`; python_task serves that name from here."""

import asyncio
import enum
import json
import os
from collections.abc import Callable, Mapping, Sequence
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


class SubtaskSummary(SimpleNamespace):
    """How one task of a compound's body ended, for its `on_error` function."""

    def __init__(self, name: str, status: int, skipped: bool) -> None:
        super().__init__(name=name, status=status, skipped=skipped)


class TaskDataInput(SimpleNamespace):
    """`name`, `srcdir`, `rundir`, `params`, `inputs`, `changed`, `memento` of the task that runs."""


class CompoundRunInput(TaskDataInput):
    """The same for an `on_error` function, and `subtasks`."""


class TaskRunCtxt:
    """What a task function may ask and do while it runs."""

    def __init__(
        self,
        *,
        rundir: str,
        root_rundir: str,
        root_pkgdir: str,
        cores: int,
        types: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.rundir = rundir
        self.root_rundir = root_rundir
        self.root_pkgdir = root_pkgdir
        self.cores = cores
        self.env: dict[str, str] = dict(os.environ)
        self.markers: list[TaskMarker] = []
        self.commands: list[tuple[list[str], int]] = []
        self._types = types

    async def exec(
        self,
        cmd: Sequence[str],
        logfile: str | None = None,
        logfilter: Callable[[str], Any] | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Runs a list of words; its output goes to `logfile` in the run directory.

        Returns the exit status, negative for a signal; not zero adds an error marker. Lines for
        which `logfilter` is true become info markers. A program that is not there gives 127.
        """
        words = [str(word) for word in cmd]
        position = len(self.commands)
        self.commands.append((words, 0))
        path = os.path.join(self.rundir, logfile or f"cmd_{position + 1}.log")
        with open(path, "wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=cwd or self.rundir,
                    env=self.env if env is None else dict(env),
                )
                status = await process.wait()
            except FileNotFoundError as error:
                log.write(f"{error}\n".encode())
                status = 127
        self.commands[position] = (words, status)
        if logfilter is not None:
            with open(path, errors="replace") as lines:
                for line in lines:
                    if logfilter(line):
                        self.info(line.rstrip("\n"))
        if status:
            self.error(f"Command failed: {' '.join(words)} (status {status}), see {path}")
        return status

    async def exec_parallel(
        self,
        cmds: Sequence[ExecCmd],
        logfilters: Mapping[int, Callable[[str], Any]] | None = None,
    ) -> list[int]:
        """Runs commands at the same time and returns their statuses."""
        filters = logfilters or {}
        return list(
            await asyncio.gather(
                *(
                    self.exec(c.cmd, c.logfile, filters.get(number), c.cwd, c.env)
                    for number, c in enumerate(cmds)
                )
            )
        )

    def mkDataItem(self, type: str, **fields: Any) -> TaskDataItem:
        """An item of a registered type, with the type's defaults. Raises ValueError on others."""
        if type not in self._types:
            raise ValueError(f"no data type `{type}`; known are {', '.join(sorted(self._types))}")
        defaults = json.loads(json.dumps(self._types[type]))
        return TaskDataItem(type, **{**defaults, **fields})

    def create(self, path: str, content: str) -> None:
        """Writes a file, relative to the run directory, and makes the directories above it."""
        place = os.path.join(self.rundir, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as file:
            file.write(content)

    def marker(self, msg: str, severity: SeverityE | str, loc: Any = None) -> None:
        self.add_marker(TaskMarker(msg, severity, loc))

    def add_marker(self, marker: TaskMarker) -> None:
        self.markers.append(marker)

    def error(self, msg: str, loc: Any = None) -> None:
        self.marker(msg, SeverityE.Error, loc)

    def warning(self, msg: str, loc: Any = None) -> None:
        self.marker(msg, SeverityE.Warning, loc)

    def info(self, msg: str, loc: Any = None) -> None:
        self.marker(msg, SeverityE.Info, loc)


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
