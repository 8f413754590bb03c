"""Finds the logs of tasks in a run directory, without the flow: for those who look at results.

A task's log is NAME.log, beside its record, in a directory of its own; or in that of the compound
around it. Other files of that kind are the user's.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

_LOG, _RECORD = ".log", ".exec_data.json"


class TaskLog(NamedTuple):
    """Where a task's log and record are, or will be."""

    task: str  # full name
    folder: str

    @property
    def path(self) -> str:
        return f"{self.folder}/{self.task}{_LOG}"

    @property
    def record(self) -> str:
        return f"{self.folder}/{self.task}{_RECORD}"

    def has_ended(self) -> bool:
        """Whether the record is written: it is emptied when the task starts."""
        try:
            return os.stat(self.record).st_size > 0
        except OSError:
            return False


def find(rundir: str, name: str) -> list[TaskLog]:
    """The logs of the tasks whose full name is `name` or ends with it; those of the very name alone
    if there are any."""
    direct = TaskLog(name, f"{rundir}/{name}")  # most are here: the others are not looked at
    if os.path.isfile(direct.path):
        return [direct]
    found = [log for log in all_logs(rundir) if f".{log.task}".endswith(f".{name}")]
    return [log for log in found if log.task == name] or found


def all_logs(rundir: str) -> Iterator[TaskLog]:
    """All that there are. A task's own folders, which may be large, are not looked into."""
    folders = [rundir]
    while folders:
        folder = folders.pop()
        owner = "" if folder == rundir else os.path.basename(folder)
        files, inner = _entries(folder)
        for file in sorted(files):
            task = file.removesuffix(_LOG)
            is_inside = task == owner or task.startswith(f"{owner}.")
            if owner and task != file and (is_inside or f"{task}{_RECORD}" in files):
                yield TaskLog(task, folder)
        package = f"{owner.partition('.')[0]}."
        folders += [
            f"{folder}/{name}"
            for name in sorted(inner, reverse=True)
            if "." in name and (not owner or name.startswith(package))
        ]


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
