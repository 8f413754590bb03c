"""Has executed what a run cannot skip: chooses where, and drives the run until it is over."""

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import uvloop

from dfm.cli.display.display import Display
from dfm.cli.resources import Resources, runner_of
from dfm.client import leftovers
from dfm.client.dispatcher import DaemonDispatcher, LookAgain
from dfm.client.find import find, reach, remove_stale
from dfm.client.line import Line
from dfm.client.start import Request, start
from dfm.config.config import WITHOUT_TLS, Config
from dfm.config.selection import Selection
from dfm.config.state_folder import StateFolder
from dfm.engine.driver import Driver
from dfm.engine.records import write_whole
from dfm.engine.run import Run
from dfm.engine.specs import RunContext, executable_bin
from dfm.errors import DaemonError, RunnerError
from dfm.runners.cpus import usable_cpus
from dfm.runners.local import LocalDispatcher
from dfm.runners.registry import LOCAL
from dfm_worker.jobserver import Jobserver, JobserverUnusable, create, of_parent

_TOKENS_AHEAD = 2  # times those of a limit: one that comes back to the daemon is wanted at once
_FRAME_S = 0.125  # of the live display
_END_S = 20.0  # for a daemon whose run is over


class Means(NamedTuple):
    """What there is to execute tasks with."""

    context: RunContext
    config: Config
    resources: Resources
    selection: Selection
    runner_options: Sequence[str]  # --runner-opt
    jobs: int | None  # -j
    display: Display


class Reached(NamedTuple):
    """A daemon that has been reached; `look_again` finds the one that follows it, if one can."""

    line: Line
    look_again: LookAgain | None


def execute(run: Run, means: Means) -> signal.Signals | None:
    """Runs a loop until the run is over; returns the signal that interrupted it, if one did.

    Raises DaemonError if the daemon that has the tasks is lost.
    """
    _make_bin(means.context.places.rundir)
    with _daemon(means) as reached:
        return uvloop.run(_execute(run, means, reached))


async def _execute(run: Run, means: Means, reached: Reached | None) -> signal.Signals | None:
    """On the daemon that was reached; without one, in this process."""
    loop = asyncio.get_running_loop()
    driver = Driver(loop, run)
    display = means.display
    limits = means.config.limits
    async with contextlib.AsyncExitStack() as stack:
        animation = loop.create_task(_animate(display, driver))
        stack.callback(animation.cancel)
        if reached is None:
            jobs, jobserver = _jobserver(means)
            here = LocalDispatcher(loop, driver, jobserver, means.context.environment, jobs)
            stack.callback(here.close)
            run.attach(here, means.resources.on(None), limits)
        else:
            there = await DaemonDispatcher.connect(
                reached.line,
                driver,
                means.context.environment,
                display.notice,
                reached.look_again,
            )
            stack.push_async_callback(there.close)
            runner = runner_of(means.selection, means.context.places.flow)
            ahead = {name: count * _TOKENS_AHEAD for name, count in limits.items()}
            options = means.runner_options if reached.look_again is not None else ()
            run.attach(there, means.resources.on(runner, options), ahead)
        await driver.drive()
    return driver.signal


@contextlib.contextmanager
def _daemon(means: Means) -> Iterator[Reached | None]:
    """The daemon that is to have the tasks; None if they run in this process.

    Section 1 of the runners' contract. Raises DaemonError.
    """
    name = means.selection.name
    if name == LOCAL and means.selection.is_explicit:
        yield None
        return
    state = StateFolder(means.context.places.flow)
    found = find(state)
    line = reach(state)
    if line is not None and found is not None:
        where = "" if line.is_here else f" on {found.host}"
        runner = name if means.selection.is_explicit else found.runner
        means.display.notice(f"tasks go to the daemon, pid {found.pid}{where}, runner {runner}")
        yield Reached(line, functools.partial(reach, state))
        return
    if found is not None:
        remove_stale(state)
    if name == LOCAL:
        yield None
    else:
        with _ephemeral(state, means) as line:
            yield Reached(line, None)


@contextlib.contextmanager
def _ephemeral(project: StateFolder, means: Means) -> Iterator[Line]:
    """A daemon for this run only; it ends with it."""
    project.make()
    if not means.config.daemon.tls:
        means.display.notice(f"warning: {WITHOUT_TLS}")
    folder = tempfile.mkdtemp(prefix="run-", dir=project.path)
    state = StateFolder(project.project, folder)
    request = Request(means.selection.name, runner_options=means.runner_options, is_ephemeral=True)
    try:
        process = start(state, request)
        line = reach(state)
        if line is None:
            raise DaemonError("the daemon of this run is gone", hint=f"its log: {state.log}")
        try:
            yield line
        finally:
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                means.display.notice(f"its daemon, pid {process.pid}, takes long to end")
    finally:
        if not os.path.exists(state.journal) or leftovers.end(state, sys.stderr) == 0:
            shutil.rmtree(folder, ignore_errors=True)


async def _animate(display: Display, driver: Driver) -> None:
    while not display.is_cut_off:
        display.refresh()
        await asyncio.sleep(_FRAME_S)
    driver.interrupt(signal.SIGPIPE)


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
