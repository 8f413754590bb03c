"""`dfm ping`."""

import statistics
import sys

from dfm.cli.daemon import NOT_RUNNING, project_folder
from dfm.client.control import Control
from dfm.config.state_folder import StateFolder

_TRIPS = 9


def ping(root: str) -> int:
    """Prints the median of some round trips; returns the exit status."""
    state = StateFolder(project_folder(root))
    control = Control.of(state)
    if control is None:
        print(f"dfm: no daemon of {state.project} runs", file=sys.stderr)  # noqa: T201
        return NOT_RUNNING
    trips = [control.ping() * 1000 for _ in range(_TRIPS)]
    control.close()
    print(  # noqa: T201
        f"daemon pid {control.welcome.pid} of {state.project}: {statistics.median(trips):.2f} ms"
        f" (median of {_TRIPS})"
    )
    return 0
