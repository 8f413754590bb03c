"""`dfm logs TASK`."""

import os
import sys

from dfm.cli.daemon import project_folder
from dfm.cli.display.words import short_path
from dfm.cli.follow import follow, print_log
from dfm.cli.run import INTERRUPTED
from dfm.engine.task_logs import TaskLog, all_logs, find
from dfm.errors import DfmError, UsageError
from dfm.flow.load import Flow, Options, load
from dfm.flow.names import find_goal
from dfm.flow.problems import did_you_mean
from dfm.graph.names import file_name
from dfm.graph.node import Compound, Script

_MOST_CANDIDATES = 12


def logs(name: str, root: str, *, follows: bool, lines: int | None) -> int:
    """Prints a task's log; returns the exit status. Raises UsageError if there is none."""
    rundir = _rundir(root)
    found = find(rundir, name)
    if len(found) > 1:
        found = _preferred(found, name, root)
    log = found[0] if found else _expected(rundir, name, root, follows=follows)
    out = sys.stdout.fileno()
    try:
        if follows:
            follow(log, rundir, out, lines, _say)
        else:
            print_log(log, out, lines)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot read {log.path}: {error.strerror}") from None
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _say(text: str) -> None:
    print(f"dfm: {text}", file=sys.stderr)  # noqa: T201


def _rundir(root: str) -> str:
    """That of the current folder, else of the project."""
    here = os.path.join(os.getcwd(), "rundir")
    return here if os.path.isdir(here) else os.path.join(project_folder(root), "rundir")


def _preferred(found: list[TaskLog], name: str, root: str) -> list[TaskLog]:
    """The one that `dfm run NAME` would take. Raises UsageError if there is no such one."""
    flow = _flow(root)
    if flow is not None:
        try:
            goal = find_goal(flow.program, name).name
        except UsageError:
            goal = name
        chosen = [log for log in found if file_name(log.task) == file_name(goal)]
        if len(chosen) == 1:
            return chosen
    names = {log.task for log in found}
    texts = [log.task if len(names) == len(found) else short_path(log.path) for log in found]
    raise UsageError(
        f"`{name}` may be one of {len(found)} tasks: {_some(texts)}", hint="give the full name"
    )


def _expected(rundir: str, name: str, root: str, *, follows: bool) -> TaskLog:
    """Where the log of a task will be that has not run yet. Raises UsageError."""
    known, candidates = _from_flow(rundir, name, root)
    if len(candidates) == 1:
        if follows:
            return candidates[0]
        raise UsageError(
            f"{candidates[0].task} has no log: it has not run in {short_path(rundir)}",
            hint="-f waits for it",
        )
    if candidates:
        names = _some([log.task for log in candidates])
        raise UsageError(f"`{name}` may be one of {len(candidates)} tasks: {names}")
    known |= {log.task for log in all_logs(rundir)}
    inner = sorted(one for one in known if f".{name}." in f".{one}")
    if inner:
        raise UsageError(f"`{name}` has no log of its own; inside it are {_some(inner)}")
    part_count = name.count(".") + 1  # of a name, from its end
    near = did_you_mean(name, {".".join(one.split(".")[-part_count:]) for one in known})
    raise UsageError(
        f"no task `{name}` has a log in {short_path(rundir)}",
        hint=near or "`dfm run` lists the tasks",
    )


def _from_flow(rundir: str, name: str, root: str) -> tuple[set[str], list[TaskLog]]:
    """The tasks that the flow has, as far as it can be built, and those that `name` may mean.

    Raises UsageError for one that never has a log.
    """
    flow = _flow(root)
    if flow is None:
        return set(), []
    tasks = flow.program.root.tasks.values()
    try:
        nodes = flow.graph([task.name for task in tasks], rundir).nodes
    except DfmError:  # another run may have been given the values that it lacks
        return {task.name for task in tasks}, []
    found = [node for node in nodes if f".{node.name}".endswith(f".{name}")]
    found = [node for node in found if node.name == name] or found
    if found and not any(isinstance(node.work, Script | Compound) for node in found):
        raise UsageError(f"{found[0].name} has no log: it runs no command")
    known = {node.name for node in nodes if isinstance(node.work, Script)}
    return known, [
        TaskLog(node.name, f"{rundir}/{node.rundir}", node.stem)
        for node in found
        if isinstance(node.work, Script)
    ]


def _flow(root: str) -> Flow | None:
    try:
        return load(Options(root), os.environ)
    except DfmError:
        return None  # what has run has logs all the same


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_CANDIDATES
    return ", ".join(names[:_MOST_CANDIDATES]) + (f" and {more} more" if more > 0 else "")
