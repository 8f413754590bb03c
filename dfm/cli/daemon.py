"""`dfm daemon start`, `stop` and `status`."""

import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

from dfm.cli.display.words import duration, plural
from dfm.cli.ending import end
from dfm.client import leftovers
from dfm.client.control import Control
from dfm.client.find import find, is_locked
from dfm.client.start import Request, command
from dfm.client.start import start as start_process
from dfm.config.config import WITHOUT_TLS
from dfm.config.selection import select_runner
from dfm.config.state_folder import StateFolder
from dfm.config.users import allowed_uids
from dfm.errors import DaemonError, FlowError
from dfm.flow.find import find_root
from dfm.runners.registry import choose, configuration

FAILED, STALE, NOT_RUNNING = 1, 1, 3
_RACE_S = 20.0  # for a daemon that somebody else starts at the same time
_STOP_S = 60.0
_AGAIN_S = 0.05


def project_folder(root: str) -> str:
    """The folder of the root flow file; one that cannot be parsed still says where the project is."""
    try:
        return find_root(root or os.environ.get("DV_FLOW_ROOT", "") or ".").directory
    except FlowError as error:
        place = error.problems[0].place
        if place is None:
            raise
        return os.path.dirname(place.file)


def start(root: str, runner: str | None, pool_size: int | None, *, foreground: bool) -> int:
    """Returns the exit status."""
    state = StateFolder(project_folder(root))
    config = configuration(state.project, os.environ)
    choose(select_runner(config, os.environ, runner))
    allowed_uids(config)
    request = Request(runner, pool_size)
    running = Control.of(state)
    if running is not None:
        return _runs_already(state, running, request)
    if foreground:
        words = [*command(state, request), "--foreground"]
        os.execv(words[0], words)
    try:
        process = start_process(state, request)
    except DaemonError as error:
        winner = _other_daemon(state)
        if winner is not None:
            return _runs_already(state, winner, request)
        print(f"dfm: {error}", file=sys.stderr)  # noqa: T201
        return FAILED
    print(f"daemon started: pid {process.pid}, state in {state.path}")  # noqa: T201
    if not config.daemon.tls:
        print(f"dfm: warning: {WITHOUT_TLS}", file=sys.stderr)  # noqa: T201
    return 0


def _other_daemon(state: StateFolder) -> Control | None:
    """The daemon that was faster, once it answers; None if no other is being started."""
    deadline = time.monotonic() + _RACE_S
    while is_locked(state) and time.monotonic() < deadline:
        try:
            control = Control.of(state)
        except DaemonError:
            control = None
        if control is not None:
            return control
        time.sleep(_AGAIN_S)  # it has the lock, and is about to listen
    return None


def _runs_already(state: StateFolder, control: Control, request: Request) -> int:
    status = control.status()
    control.close()
    where = "" if control.is_here else f" on {status['host']}"
    print(f"a daemon of {state.project} runs already: pid {status['pid']}{where}")  # noqa: T201
    ignored = []
    if request.runner is not None and request.runner != status["runner"]:
        ignored.append(f"--runner {request.runner} (it has {status['runner']})")
    sizes = {pool["max_workers"] for pool in status["pools"]}
    if request.pool_size is not None and sizes != {request.pool_size}:
        has = ", ".join(map(str, sorted(sizes)))
        ignored.append(f"--pool-size {request.pool_size} (it has {has})")
    if ignored:
        print(f"not applied: {'; '.join(ignored)}")  # noqa: T201
    return 0


def stop(root: str, *, drain: bool, timeout_s: float | None) -> int:
    """Returns the exit status. Raises DaemonError if it does not end in time."""
    state = StateFolder(project_folder(root))
    control = Control.of(state)
    if control is None:
        had_jobs = os.path.exists(state.journal)
        if had_jobs and leftovers.end(state, sys.stdout):
            return FAILED
        was_killed = leftovers.remove(state) or had_jobs
        ends = "; the workers of one that was killed end" if was_killed else ""
        print(f"no daemon of {state.project} runs{ends}")  # noqa: T201
        return 0
    gone = _end_of(control, state)
    end(control, drain=drain, timeout_s=timeout_s if drain else timeout_s or _STOP_S)
    if not gone(timeout_s or _STOP_S):  # it cleans up
        raise DaemonError(
            f"the daemon (pid {control.welcome.pid}) has not ended", hint=f"its log: {state.log}"
        )
    print("daemon stopped")  # noqa: T201
    if os.path.exists(state.journal):
        print("it could not end all its jobs; `dfm daemon gc` lists and ends them")  # noqa: T201
        return FAILED
    return 0


def _end_of(control: Control, state: StateFolder) -> Callable[[float], bool]:
    """Waits for so many seconds until the daemon has ended; false if it has not."""
    pid = control.peer_pid()
    if pid:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return lambda timeout_s: True
        return lambda timeout_s: bool(select.select([pidfd], [], [], timeout_s)[0])

    def is_removed(timeout_s: float) -> bool:
        """By its last file: its process is on another host, or in another container."""
        deadline = time.monotonic() + timeout_s
        while os.path.exists(state.lock) and time.monotonic() < deadline:
            time.sleep(_AGAIN_S)
        return not os.path.exists(state.lock)

    return is_removed


def status(root: str, *, as_json: bool) -> int:
    """Returns the exit status."""
    state = StateFolder(project_folder(root))
    control = Control.of(state)
    if control is not None:
        document = control.status()
        control.close()
        print(json.dumps(document, indent=1) if as_json else _text(document))  # noqa: T201
        return 0
    is_stale = find(state) is not None
    if as_json:
        stale: dict[str, Any] = {"stale": True} if is_stale else {}
        print(json.dumps({"running": False, **stale}))  # noqa: T201
    elif is_stale:
        print(f"no daemon of {state.project} runs; one that was killed left {state.daemon_json}")  # noqa: T201
    else:
        print(f"no daemon of {state.project} runs")  # noqa: T201
    return STALE if is_stale else NOT_RUNNING


def _text(document: dict[str, Any]) -> str:
    """The status for people."""
    tasks = document["tasks"]
    lines = [
        f"daemon of {document['project_root']}: pid {document['pid']} on {document['host']},"
        f" up {duration(document['uptime_s'])}, dfm {document['version']}",
        f"tasks: {tasks['queued']} queued, {tasks['running']} running, {tasks['completed']} completed,"
        f" {tasks['failed']} failed, {tasks['cancelled']} cancelled, {tasks['retried']} retried",
    ]
    for pool in document["pools"]:
        workers = pool["workers"]
        lines.append(
            f"pool {pool['name']} ({pool['runner']}): {workers['busy']} busy, {workers['idle']} idle,"
            f" {workers['pending']} pending, {workers['draining']} draining, at most"
            f" {pool['max_workers']}; {plural(pool['queued'], 'task')} queued"
        )
        if pool["last_error"]:
            lines.append(f"  {pool['state']}: {pool['last_error']}")
    for worker in document["workers"]:
        what = f"runs {worker['current_task']}" if worker["current_task"] else ""
        lines.append(
            f"worker {worker['worker_id']}: {worker['state']}, job {worker['job_id'] or '-'}, host"
            f" {worker['hostname'] or '-'}, {plural(worker['tasks_done'], 'task')} done {what}".rstrip()
        )
    for host, until in document["excluded_hosts"].items():
        lines.append(f"host {host}: gets no tasks until {until}, it lost worker after worker")
    for client in document["clients"]:
        lines.append(
            f"run {client['run_id']}: {client['user']}, pid {client['pid']} on {client['host']},"
            f" {client['queued']} queued, {client['running']} running, {client['completed']} completed"
        )
    return "\n".join(lines)
