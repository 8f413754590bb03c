"""`--probe`: one worker of the runner, from its submission to its result, with the times."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence

from dfm.cli.display.words import duration
from dfm.cli.doctor.finding import Findings, good, wrong
from dfm.client.control import Control
from dfm.client.find import connect, find
from dfm.client.probe import HOST_FILE, Probe
from dfm.client.start import Request, start
from dfm.config.state_folder import StateFolder
from dfm.errors import DfmError

_LATE_S = 30.0  # as long as declared outputs of a task are waited for
_END_S = 30.0
_AGAIN_S = 0.05
_LOG_LINES = 5


def findings(project: StateFolder, runner: str) -> Findings:
    """Starts a daemon of its own for it, which a daemon of the project does not notice."""
    folder = tempfile.mkdtemp(prefix="probe-", dir=project.path)
    try:
        yield from _follow(StateFolder(project.project, folder), runner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _follow(state: StateFolder, runner: str) -> Findings:
    began = time.monotonic()
    try:
        process = start(state, Request(runner, 1, is_ephemeral=True))
    except DfmError as error:
        yield wrong("probe", f"the daemon does not start: {error}")
        return
    yield good("probe", f"{_since(began)} a daemon serves, pid {process.pid}")
    try:
        found = find(state)
        connection = connect(found.socket) if found else None
        if connection is None:
            yield wrong("probe", "the daemon is gone", f"its log: {state.log}")
            return
        with connection:
            yield from _steps(Probe(connection, state.path), state, began)
    except DfmError as error:
        yield wrong("probe", str(error), _logs(state))
    finally:
        told = time.monotonic()
        has_ended = _end(process)
    if has_ended:
        yield good("probe", f"{_since(began)} worker and daemon are gone, {_since(told)} later")
    else:
        yield wrong(
            "probe", f"the daemon, pid {process.pid}, does not end", f"its log: {state.log}"
        )  # fmt: skip


def _steps(probe: Probe, state: StateFolder, began: float) -> Findings:
    for step in probe.steps():
        yield good("probe", f"{_since(began)} {step}{_jobs(state)}")
    answered = time.monotonic()
    path = os.path.join(probe.rundir, HOST_FILE)
    while not os.path.exists(path) and time.monotonic() - answered < _LATE_S:
        time.sleep(_AGAIN_S)  # a shared file system tells nobody when a file comes
    if os.path.exists(path):
        with open(path) as file:
            where = file.read().strip()
        yield good(
            "probe",
            f"{_since(began)} what it wrote on {where} is seen here, {_since(answered)} later",
        )
    else:
        yield wrong(
            "probe", f"what it wrote into {probe.rundir} is not seen here after {_LATE_S:.0f} s",
            "the folder is not the same on the worker's host: move the project to a shared one",
        )  # fmt: skip


def _jobs(state: StateFolder) -> str:
    """The jobs of the daemon, in words."""
    control = Control.of(state)
    if control is None:
        return ""
    workers = control.status()["workers"]
    control.close()
    jobs = [f"job {worker['job_id']}" for worker in workers if worker["job_id"]]
    hosts = [f"on {worker['hostname']}" for worker in workers if worker["hostname"]]
    said = " ".join(jobs + hosts)
    return f": {said}" if said else ""


def _logs(state: StateFolder) -> str:
    """The ends of the logs: they go with the probe."""
    logs = [os.path.join(state.workers, name) for name in _listed(state.workers)]
    for path in (*logs, state.log):
        try:
            with open(path, errors="replace") as file:
                lines: Sequence[str] = file.readlines()[-_LOG_LINES:]
        except OSError:
            continue
        if lines:
            return f"{os.path.basename(path)} ends: {' | '.join(map(str.strip, lines))}"
    return ""


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _end(process: "subprocess.Popen[bytes]") -> bool:
    """The daemon ends with its one client."""
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _since(began: float) -> str:
    return duration(time.monotonic() - began)
