"""Finds the logs of tasks in a run directory, without the flow: for those who look at results.

A task's log is NAME.log, beside its record, in a directory of its own; or in that of the compound
around it. In the layout `leaf` (section 32) directories have short names and files none of the task;
its name is in its record then. Other files of that kind are the user's.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from dfm.engine import records
from dfm.graph.names import file_name
from dfm.wire.files import log_name, record_name

_LOG, _RECORD = ".log", ".exec_data.json"
_SHORT = frozenset({log_name(""), record_name("")})


class TaskLog(NamedTuple):
    """Where a task's log and record are, or will be."""

    task: str  # full name, as far as the place tells: of a file, characters may be replaced
    folder: str
    stem: str | None = None  # None: the name

    @property
    def path(self) -> str:
        return f"{self.folder}/{log_name(self._stem)}"

    @property
    def record(self) -> str:
        return f"{self.folder}/{record_name(self._stem)}"

    @property
    def _stem(self) -> str:
        return file_name(self.task) if self.stem is None else self.stem

    def has_ended(self) -> bool:
        """Whether the record is written: it is emptied when the task starts."""
        try:
            return os.stat(self.record).st_size > 0
        except OSError:
            return False


def find(rundir: str, name: str) -> list[TaskLog]:
    """The logs of the tasks whose full name is `name` or ends with it; those of the very name alone
    if there are any."""
    name = file_name(name)
    direct = TaskLog(name, f"{rundir}/{name}")  # most are here: the others are not looked at
    if os.path.isfile(direct.path):
        return [direct]
    found = [log for log in all_logs(rundir) if f".{file_name(log.task)}".endswith(f".{name}")]
    return [log for log in found if file_name(log.task) == name] or found


def all_logs(rundir: str) -> Iterator[TaskLog]:
    """All that there are. A task's own folders, which may be large, are not looked into."""
    folders = [rundir]
    while folders:
        folder = folders.pop()
        owner = "" if folder == rundir else os.path.basename(folder)
        files, inner = _entries(folder)
        is_short = bool(owner) and not _SHORT.isdisjoint(files)
        if is_short:
            yield from _short(rundir, folder, files)
        elif owner:
            yield from _full(owner, folder, files)
        package = f"{owner.partition('.')[0]}."
        folders += [
            f"{folder}/{name}"
            for name in sorted(inner, reverse=True)
            if ("." in name and (not owner or name.startswith(package)))
            or ((is_short or not owner) and _is_short(f"{folder}/{name}"))
        ]


def _full(owner: str, folder: str, files: set[str]) -> Iterator[TaskLog]:
    for file in sorted(files):
        task = file.removesuffix(_LOG)
        is_inside = task == owner or task.startswith(f"{owner}.")
        if task != file and (is_inside or f"{task}{_RECORD}" in files):
            yield TaskLog(task, folder)


def _short(rundir: str, folder: str, files: set[str]) -> Iterator[TaskLog]:
    """The folder's own, and those of tasks that share it."""
    path = os.path.relpath(folder, rundir).replace("/", ".")
    for file in sorted(files):
        stem = "" if file == log_name("") else file.removesuffix(_LOG)
        record = f"{folder}/{record_name(stem)}"
        if stem != file and (not stem or record_name(stem) in files):
            known = records.read_file(record) or {}
            guess = f"{path}.{stem}" if stem else path  # while it runs there is no record
            yield TaskLog(str(known.get("name", guess)), folder, stem)


def _is_short(folder: str) -> bool:
    return any(os.path.exists(f"{folder}/{name}") for name in _SHORT)


def _entries(folder: str) -> tuple[set[str], list[str]]:
    """Names of the files and of the directories."""
    files: set[str] = set()
    inner: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.name)
                else:
                    files.add(entry.name)
    except OSError:
        pass  # gone since, or not for us
    return files, inner
