"""`dfm why`: for each task that waits, what it waits for."""

from typing import Any

from dfm.cli.daemon import NOT_RUNNING, project_folder
from dfm.cli.display.words import plural
from dfm.client.control import Control
from dfm.config.state_folder import StateFolder

_UNKNOWN = 1


def why(task: str, root: str) -> int:
    """Returns the exit status."""
    state = StateFolder(project_folder(root))
    control = Control.of(state)
    if control is None:
        print(f"no daemon of {state.project} runs")  # noqa: T201
        return NOT_RUNNING
    document = control.why(task)
    control.close()
    if task and not document["tasks"]:
        print(f"no run that is connected to the daemon has a task `{task}`")  # noqa: T201
        return _UNKNOWN
    lines = [_one(entry) for entry in document["tasks"]] or _groups(document["groups"])
    print("\n".join(lines) or "nothing waits")  # noqa: T201
    return 0


def _one(entry: dict[str, Any]) -> str:
    reason = f": {entry['why']}" if entry["why"] else ""
    return f"{entry['task']} (run {entry['run']}) {entry['state']}{reason}"


def _groups(groups: list[dict[str, Any]]) -> list[str]:
    """The largest first."""
    lines = []
    for group in sorted(groups, key=lambda group: -int(group["count"])):
        names = ", ".join(group["tasks"])
        more = ", ..." if group["count"] > len(group["tasks"]) else ""
        lines.append(f"{plural(group['count'], 'task')} of run {group['run']}: {group['why']}")
        lines.append(f"     {names}{more}")
    return lines
