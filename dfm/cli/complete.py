"""`dfm complete`: what may stand next on a command line, for the completion of shells."""

import os

from dfm.errors import DfmError
from dfm.flow.catalog import Catalog
from dfm.flow.load import Flow, Options, load
from dfm.flow.names import find_goal


def complete(options: Options, prefix: str, *, task: str, flag: str) -> int:
    """Prints candidates, one per line. It never says what is wrong: a shell would show it."""
    try:
        flow = load(options, os.environ)
        words = _candidates(flow, task, flag)
    except DfmError:
        return 0
    for word in sorted({word for word in words if word.startswith(prefix)}):
        print(word)  # noqa: T201
    return 0


def _candidates(flow: Flow, task: str, flag: str) -> list[str]:
    if not task:
        return _task_names(flow.catalog)
    flags = [*flow.flags(find_goal(flow.program, task)), *flow.project_options()]
    if not flag:
        return [one.word for one in flags if not one.is_hidden]
    wanted = flag if flag.startswith("-") else f"--{flag}"
    return [
        str(value)
        for one in flags
        if wanted in (one.word, one.short)
        for value in one.merged.accepted or ()
    ]


def _task_names(catalog: Catalog) -> list[str]:
    own = [task for package in catalog.program.packages.values() if not package.is_installed
           for task in package.tasks.values()]  # fmt: skip
    return [name for task in own for name in (task.short, task.name)]
