"""What this LSF is told to be: its queues, its habits, and what is wrong with it now.

Kept in `$LSF_ENVDIR/site.json`, which a test may change at any time; every command reads it anew.
"""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

AGAIN_S = 0.2  # between a command's attempts while LSF is down; real ones wait longer


class Queue(NamedTuple):
    """Limits in minutes and KB; 0 is none."""

    priority: int
    run_limit: int = 0
    memory_limit: int = 0
    is_open: bool = True
    users: tuple[str, ...] = ()  # none: everybody


QUEUES = {
    "regr_high": Queue(60),
    "normal": Queue(30, run_limit=24 * 60),
    "short": Queue(40, run_limit=15, memory_limit=8 * 1024 * 1024),
    "night": Queue(10, is_open=False),
    "admin": Queue(90, users=("lsfadmin",)),
}


@dataclass
class Site:
    """Everything that differs between sites, and what goes wrong."""

    slow_s: float = 0.0  # each command takes so much longer
    is_down: bool = False
    pends: bool = False  # jobs are accepted and never start
    refuses: str = ""  # text of an esub that says no
    loses_answer: str = ""  # after the job was accepted: "hang", or "silent" (exit 0, no line)
    before: list[str] = field(default_factory=list)  # a wrapper's lines on stdout around the answer
    after: list[str] = field(default_factory=list)
    projects: list[str] = field(
        default_factory=list
    )  # one of them is mandatory; none: any, or none
    query_limit: bool = False  # bjobs is refused
    lag_s: float = 0.0  # bjobs does not know jobs that are younger
    consistent_exit_code: bool = False  # LSB_BJOBS_CONSISTENT_EXIT_CODE=Y
    stdout_direct: bool = False  # LSB_STDOUT_DIRECT=Y: else output files appear when jobs end
    enforces_memory: bool = True  # LSB_MEMLIMIT_ENFORCE=Y
    limit_unit: str = "K"  # LSF_UNIT_FOR_LIMITS, of numbers without a unit
    minute_s: float = 60.0  # how long a minute of -W takes
    terminate_interval_s: float = 10.0  # JOB_TERMINATE_INTERVAL
    run_limit_grace_s: float = 600.0  # between SIGUSR2 at the run limit and bkill's sequence
    array_max: int = 1000  # MAX_JOB_ARRAY_SIZE
    hosts: list[str] = field(default_factory=lambda: [f"node{n}" for n in range(1, 5)])
    slots: int = 16  # of each host

    def write(self, folder: Path) -> None:
        """Whole, or not at all: commands run at the same time."""
        for name in ("jobs", "ends", "kills", "spool"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        temporary = folder / f"site.json.{os.getpid()}"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(folder / "site.json")


class Refused(Exception):
    """A command ends with this text and status 255."""


def folder() -> Path:
    """LSF's own folder. Raises Refused as LSF does outside of an environment of `profile.lsf`."""
    place = os.environ.get("LSF_ENVDIR", "")
    if not (Path(place) / "site.json").exists():
        raise Refused("lsb_init: Configuration error: lsf.conf is not found in LSF_ENVDIR")
    return Path(place)


def load() -> Site:
    values: dict[str, Any] = json.loads((folder() / "site.json").read_text())
    return Site(**values)


def reach() -> Site:
    """The site, once LSF answers. Raises Refused after LSB_NTRIES attempts; by default waits on."""
    site = load()
    tries = int(os.environ.get("LSB_NTRIES", "0"))
    time.sleep(site.slow_s)
    while site.is_down:
        print("LSF is down. Please wait ...", file=sys.stderr, flush=True)
        tries -= 1
        if tries == 0:
            raise Refused("Failed in an LSF library call: Communication time out")
        time.sleep(AGAIN_S)
        site = load()
    return site
