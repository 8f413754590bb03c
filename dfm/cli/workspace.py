"""`dfm util workspace`: where the parts of a flow stand, and what is wrong with it, for editors."""

import json
import os
from collections.abc import Iterable

from dfm.cli.show import entries
from dfm.cli.show.entries import Entry
from dfm.errors import FlowError
from dfm.flow.load import Options, load


def workspace(options: Options) -> int:
    """Prints it; a flow with faults has them as markers, and status 1. Raises UsageError."""
    try:
        flow = load(options, os.environ)
    except FlowError as error:
        markers = [
            {
                "severity": "error", "msg": problem.what,
                "loc": None if problem.place is None else {
                    "path": problem.place.file, "line": problem.place.line,
                    "pos": problem.place.column,
                },
            }
            for problem in error.problems
        ]  # fmt: skip
        _print_workspace("", "", [], [], markers, [])
        return 1
    catalog = flow.catalog
    root = catalog.program.root
    own = [task for package in catalog.program.packages.values() if not package.is_installed
           for task in package.tasks.values()]  # fmt: skip
    tasks = [{"name": task.name, "srcinfo": str(task.place)} for task in own]
    files = sorted({task.where.document.file for task in own} | {flow.file})
    _print_workspace(root.name, flow.file, entries.imports(root), files, [], tasks)
    return 0


def _print_workspace(
    name: str, file: str, imports: Iterable[object], files: list[str], markers: list[Entry],
    tasks: list[Entry],
) -> None:  # fmt: skip
    found = {"name": name, "file": file, "imports": list(imports), "files": files,
             "markers": markers, "tasks": tasks}  # fmt: skip
    print(json.dumps(found, indent=2))  # noqa: T201
