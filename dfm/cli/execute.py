"""Has executed what a run cannot skip: chooses where, and drives the run until it is over."""

import asyncio
import os
import re
import signal
import sys
from typing import NamedTuple

import uvloop

from dfm.cli.display.display import Display
from dfm.config.config import Config
from dfm.config.selection import Selection
from dfm.engine.driver import Driver
from dfm.engine.records import write_whole
from dfm.engine.run import Run
from dfm.engine.specs import RunContext, executable_bin
from dfm.errors import RunnerError
from dfm.runners.cpus import usable_cpus
from dfm.runners.local import LocalDispatcher
from dfm_worker.jobserver import Jobserver, JobserverUnusable, create, of_parent

_FRAME_S = 0.125  # of the live display


class Means(NamedTuple):
    """What there is to execute tasks with."""

    context: RunContext
    config: Config
    selection: Selection
    jobs: int | None  # -j
    display: Display


def execute(run: Run, means: Means) -> signal.Signals | None:
    """Runs a loop until the run is over; returns the signal that interrupted it, if one did."""
    _make_bin(means.context.places.rundir)
    return uvloop.run(_execute(run, means))


async def _execute(run: Run, means: Means) -> signal.Signals | None:
    loop = asyncio.get_running_loop()
    driver = Driver(loop, run)
    jobs, jobserver = _jobserver(means)
    dispatcher = LocalDispatcher(loop, driver, jobserver, means.context.environment, jobs)
    run.attach(dispatcher)
    animation = loop.create_task(_animate(means.display))
    try:
        await driver.drive()
    finally:
        animation.cancel()
        dispatcher.close()
    return driver.signal


async def _animate(display: Display) -> None:
    while True:
        display.refresh()
        await asyncio.sleep(_FRAME_S)


def _jobserver(means: Means) -> tuple[int, Jobserver]:
    """How many tasks at once, and the tokens for them: make's, or our own."""
    environment = means.context.environment
    makeflags = environment.get("MAKEFLAGS", "")
    try:
        parent = of_parent(makeflags)
    except JobserverUnusable as trouble:
        means.display.notice(f"{trouble}; running as if there were no make around")
        parent = None
    if parent is not None:
        told = re.search(r"(?:^|\s)-j(\d+)", makeflags)
        return means.jobs or (int(told[1]) if told else usable_cpus()), parent
    jobs = means.jobs or usable_cpus()
    return jobs, create(jobs, environment)


def _make_bin(rundir: str) -> None:
    """The commands that tasks find first on their PATH."""
    try:
        for path, text in executable_bin(rundir, sys.executable):
            write_whole(path, text.encode())
            os.chmod(path, 0o755)
    except OSError as error:
        raise RunnerError(f"cannot write {error.filename}: {error.strerror}") from None
