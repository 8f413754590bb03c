"""`dfm daemon gc`: ends what daemons of a project have left that were killed."""

import subprocess

from dfm.cli.daemon import project_folder
from dfm.client.control import Control
from dfm.client.leftovers import command
from dfm.config.state_folder import StateFolder


def collect(root: str, *, dry_run: bool) -> int:
    """Returns the exit status."""
    state = StateFolder(project_folder(root))
    control = Control.of(state)
    if control is not None:
        status = control.status()
        control.close()
        where = f"pid {status['pid']} on {status['host']}"
        print(f"a daemon of {state.project} runs: {where}. Its jobs are left alone.", flush=True)  # noqa: T201
    words = command(state, *(["--dry-run"] if dry_run else []))
    return subprocess.run(words, stdin=subprocess.DEVNULL).returncode
