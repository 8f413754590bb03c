"""Runs commands in turn, so that a machine whose speed drifts is unfair to nobody, and takes medians."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MEMORY = "/dev/shm"


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder, in memory where that can be had; DFM_BENCH_DIR names another place."""
    place = os.environ.get("DFM_BENCH_DIR") or (MEMORY if os.access(MEMORY, os.W_OK) else None)
    top = Path(tempfile.mkdtemp(prefix="dfm-bench-", dir=place))
    try:
        yield top
    finally:
        shutil.rmtree(top)


class Cost(NamedTuple):
    """Seconds of one process with all of its children: on the clock, and of CPU."""

    wall_s: float
    cpu_s: float


class Command(NamedTuple):
    """What one tool runs in a folder; `folder` makes a new one for each run."""

    words: Sequence[str]
    folder: Callable[[], Path]


def environment() -> dict[str, str]:
    """Without what would make Python compile everything anew at each start, and without our own."""
    unwanted = ("PYTHONDONTWRITEBYTECODE", "MAKEFLAGS", "MAKELEVEL")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {name: value for name, value in kept.items() if not name.startswith("DFM_")}


def run(words: Sequence[str], folder: Path) -> Cost:
    """Runs a command to its end, which must be a good one."""
    began = time.perf_counter()
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if status:
        sys.exit(f"{' '.join(words)} in {folder}: {process.returncode}\n{said.decode()}")
    return Cost(wall_s, usage.ru_utime + usage.ru_stime)


def in_turn(commands: Mapping[str, Command], runs: int) -> dict[str, Cost]:
    """The median cost of each, over that many rounds."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for round_ in range(runs):
        for name, command in commands.items():
            print(f"  round {round_ + 1} of {runs}: {name:<40}", end="\r", file=sys.stderr)
            costs[name].append(run(command.words, command.folder()))
    print(" " * 79, end="\r", file=sys.stderr)
    return {
        name: Cost(*(statistics.median(column) for column in zip(*found, strict=True)))
        for name, found in costs.items()
    }


class Folders:
    """New folders below one; all are removed at the end only: a file system is slow for minutes
    after much was deleted from it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._count = 0

    def new(self) -> Path:
        self._count += 1
        folder = self.top / f"run{self._count}"
        folder.mkdir(parents=True)
        return folder

    def copy(self, of: Path) -> Path:
        folder = self.new()
        for file in of.iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        return folder
