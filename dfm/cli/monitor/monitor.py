"""`dfm daemon --monitor`: looks at the daemon of a project until somebody detaches."""

import os
import sys
import time

from dfm.cli.monitor.feed import Feed
from dfm.cli.monitor.terminal import are_terminals, terminal
from dfm.cli.monitor.view import View
from dfm.client.control import Control
from dfm.config.state_folder import StateFolder

NOT_RUNNING = 3


def monitor(state: StateFolder) -> int:
    """Returns the exit status. The daemon runs on, however this ends. Raises DaemonError, UsageError."""
    try:
        return _monitor(state)
    except KeyboardInterrupt:  # before the terminal was taken
        return 0


def _monitor(state: StateFolder) -> int:
    kind = terminal(os.environ, is_terminal=are_terminals(), encoding=sys.stdout.encoding)
    control = Control.of(state)
    if control is None:
        print(  # noqa: T201
            f"dfm: no daemon of {state.project} runs\n     `dfm daemon start --monitor` starts one",
            file=sys.stderr,
        )
        return NOT_RUNNING
    if not kind.has_color:
        os.environ["NO_COLOR"] = "1"  # as the library is told
    for name in ("COLUMNS", "LINES"):  # a size that a shell has exported would hide the true one
        os.environ.pop(name, None)
    from dfm.cli.monitor.app import MonitorApp  # 0.4 s

    view = View(state.project, kind.ellipsis, time.monotonic())
    app = MonitorApp(view)
    app.feed = feed = Feed(control, lambda: Control.of(state), app.hear)
    try:
        app.run(mouse=False)
    finally:
        feed.stop()
    if view.is_gone:
        print(f"detached; the daemon of {state.project} is gone")  # noqa: T201
    else:
        print(f"detached; the daemon runs on (pid {view.pid or control.welcome.pid})")  # noqa: T201
    return app.return_code or 0
