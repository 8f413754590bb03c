"""`python -m dfm_daemon.gc`: lists and ends what daemons of one project have left that were killed.

`dfm daemon gc`, `dfm daemon stop` and `dfm run` start it.
"""

import argparse
import asyncio
import os
import sys

from dfm.config.config import Config
from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError, DfmError
from dfm.runners.registry import configuration
from dfm_daemon.shell.leftovers import Leftover, Leftovers, states

COULD_NOT = 1


def main() -> int:
    """Returns the exit status."""
    made = argparse.ArgumentParser(prog="dfm_daemon.gc", description=__doc__.partition("\n")[0])
    made.add_argument("--root", required=True, metavar="DIR", help="the project's folder")
    made.add_argument(
        "--state", default="", metavar="DIR", help="of the daemon that had this alone"
    )
    made.add_argument("--dry-run", action="store_true", help="only list")
    words = made.parse_args()
    try:
        config = configuration(words.root, os.environ, with_runners=True)
        one = [StateFolder(words.root, words.state)] if words.state else None
        ended = [
            _collect(state, config, is_dry=words.dry_run, names_files=one is None)
            for state in one or states(words.root)
        ]
    except DfmError as error:
        print(f"dfm: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    said = [lines for lines, _ in ended if lines]
    for lines in said:
        print("\n".join(lines))  # noqa: T201
    if not said and one is None:
        print(f"nothing is left of daemons of {words.root} that were killed")  # noqa: T201
    return COULD_NOT if any(troubles for _, troubles in ended) else 0


def _collect(
    state: StateFolder, config: Config, *, is_dry: bool, names_files: bool
) -> tuple[list[str], list[str]]:
    """What to say, and what could not be done."""
    if not os.path.isdir(state.path):
        return [], []
    try:
        left = Leftovers(state, config)
    except DaemonError:
        return [], []  # it runs
    with left:
        files = left.files
        jobs = asyncio.run(_end(left, is_dry=is_dry or not files))
        verb = "left" if is_dry else "ended"
        lines = [
            f"{verb}: job {job} of worker {worker} ({runner}): {now}"
            for job, worker, runner, now in jobs
        ]
        gone = [path for path in files if is_dry or not os.path.exists(path)]
        if names_files:
            lines += [f"{'left' if is_dry else 'removed'}: {path}" for path in gone]
        for trouble in left.troubles:
            print(f"dfm: cannot end what is left: {trouble}", file=sys.stderr)  # noqa: T201
        return lines, left.troubles


async def _end(left: Leftovers, *, is_dry: bool) -> list[Leftover]:
    if not is_dry:
        left.stop_submitting()
    jobs = await left.jobs()
    if not is_dry:
        await left.end()
    return jobs


if __name__ == "__main__":
    sys.exit(main())
