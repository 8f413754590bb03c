"""Has executed what a run cannot skip: chooses where, and drives the run until it is over."""

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import uvloop

from dfm.cli.display.display import Display
from dfm.client.dispatcher import DaemonDispatcher
from dfm.client.find import Found, connect, find, is_locked, look
from dfm.client.start import Request, start
from dfm.config.config import Config
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

_FRAME_S = 0.125  # of the live display
_END_S = 20.0  # for a daemon whose run is over


class Means(NamedTuple):
    """What there is to execute tasks with."""

    context: RunContext
    config: Config
    selection: Selection
    runner_options: Sequence[str]  # --runner-opt
    jobs: int | None  # -j
    display: Display


class Reached(NamedTuple):
    """The daemon that is to have the tasks."""

    connection: socket.socket
    look_again: Callable[[], socket.socket | None] | None  # when it is gone; None: it stays so


def execute(run: Run, means: Means) -> signal.Signals | None:
    """Runs a loop until the run is over; returns the signal that interrupted it, if one did.

    Raises DaemonError if the daemon that has the tasks is lost.
    """
    _make_bin(means.context.places.rundir)
    with reach(means) as reached:
        return uvloop.run(_execute(run, means, reached))


async def _execute(run: Run, means: Means, reached: Reached | None) -> signal.Signals | None:
    """On the daemon that was reached; without one, in this process."""
    loop = asyncio.get_running_loop()
    driver = Driver(loop, run)
    display = means.display
    async with contextlib.AsyncExitStack() as stack:
        animation = loop.create_task(_animate(display))
        stack.callback(animation.cancel)
        if reached is None:
            jobs, jobserver = _jobserver(means)
            here = LocalDispatcher(loop, driver, jobserver, means.context.environment, jobs)
            stack.callback(here.close)
            run.attach(here)
        else:
            there = await DaemonDispatcher.connect(
                reached.connection,
                driver,
                means.context.environment,
                display.notice,
                reached.look_again,
            )
            stack.push_async_callback(there.close)
            run.attach(there)
        await driver.drive()
    return driver.signal


@contextlib.contextmanager
def reach(means: Means) -> Iterator[Reached | None]:
    """The daemon that is to have the tasks; None if they run in this process.

    Section 1 of the runners' contract. Raises DaemonError.
    """
    name = means.selection.name
    if name == LOCAL and means.selection.is_explicit:
        yield None
        return
    state = StateFolder(means.context.places.flow)
    found = find(state)
    connection = _living(found, state)
    if connection is not None and found is not None:
        if means.selection.is_explicit and found.runner != name:
            raise DaemonError(
                f"the daemon of this project has workers of the runner {found.runner}, not {name}",
                hint="stop it, or take its runner",
            )
        means.display.notice(f"tasks go to the daemon, pid {found.pid}, runner {found.runner}")
        yield Reached(connection, functools.partial(look, state))
    elif name == LOCAL:
        yield None
    else:
        with _ephemeral(state, means) as connection:
            yield Reached(connection, None)


def _living(found: Found | None, state: StateFolder) -> socket.socket | None:
    """A connection to the daemon, if it lives. What one that was killed left is removed."""
    if found is None:
        return None
    if not found.is_here:
        raise DaemonError(
            f"the daemon of this project runs on {found.host} (pid {found.pid})",
            hint=f"run there; or `--runner {LOCAL}` runs the tasks in this process",
        )
    connection = connect(found.socket)
    if connection is None and is_locked(state):
        raise DaemonError(
            f"the daemon of this project (pid {found.pid}) does not answer",
            hint=f"its log: {state.log}; `--runner {LOCAL}` runs the tasks in this process",
        )
    if connection is None:
        os.unlink(state.daemon_json)
    return connection


@contextlib.contextmanager
def _ephemeral(project: StateFolder, means: Means) -> Iterator[socket.socket]:
    """A daemon for this run only; it ends with it."""
    project.make()
    folder = tempfile.mkdtemp(prefix="run-", dir=project.path)
    state = StateFolder(project.project, folder)
    request = Request(means.selection.name, runner_options=means.runner_options, is_ephemeral=True)
    try:
        process = start(state, request)
        found = find(state)
        connection = connect(found.socket) if found else None
        if connection is None:
            raise DaemonError("the daemon of this run is gone", hint=f"its log: {state.log}")
        yield connection
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            means.display.notice(f"the daemon of this run, pid {process.pid}, takes long to end")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
