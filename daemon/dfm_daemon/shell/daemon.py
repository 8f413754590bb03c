"""The daemon: opens the doors, lets the scheduler decide, performs what it decides, and cleans up."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, assert_never

from dfm.config.config import Config
from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError, Place
from dfm.runners.base import Runner, WorkerRequest
from dfm.runners.cpus import usable_cpus
from dfm.runners.registry import LOCAL
from dfm.version import VERSION
from dfm.wire import client as client_wire
from dfm.wire import worker as worker_wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import WORKER_LINK
from dfm_daemon.core import actions, events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.events import Event
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import PoolLimits, Shape
from dfm_daemon.shell import credentials, identity, status
from dfm_daemon.shell.clients import Clients
from dfm_daemon.shell.door import Door
from dfm_daemon.shell.jobs import Jobs
from dfm_daemon.shell.journal import Journal
from dfm_daemon.shell.workers import Blobs, Workers

log = logging.getLogger(__name__)

LEASE_S = 30.0
_LAST_WORDS_S = 2.0
_CATCH_UP_S = 0.02  # between a deadline and what follows from it
FIRST_CLIENT_S = 30.0  # an ephemeral daemon waits so long for its one client


class Options(NamedTuple):
    """How a daemon was started."""

    runner_name: str
    runner: Runner
    config: Config
    pool_size: int | None
    is_ephemeral: bool


class Daemon:
    """One daemon of one project, from `run` to its end."""

    def __init__(self, state: StateFolder, options: Options) -> None:
        """Raises DaemonError if the project has one already."""
        self._state = state
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._lock = identity.Lock(state)
        self._journal = Journal(state.journal)
        self._core = Scheduler(
            Settings(
                options.runner_name,
                self._limits,
                lease_s=LEASE_S,
                retries=options.config.retry_infra,
                survivors=self._journal.survivors(options.runner_name),
                launched=self._journal.launched,
            )
        )
        self._inbox: list[Event] = []
        self._is_scheduled = False
        self._due: float | None = None  # when the scheduler wants to be called again
        self._timer: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._why = "stopped"
        self._blobs = Blobs()
        self._started = datetime.now(UTC)
        self._identity: dict[str, Any] = {}
        self._addresses = ""
        self._credentials = credentials.paths(state.credentials)
        self._workers = Workers(self._tell, self._blobs, LEASE_S)
        welcome = client_wire.Welcome(MAJOR, MINOR, VERSION, os.getpid(), options.runner_name)
        self._clients = Clients(self._tell, self._blobs, welcome, self._status, self._run_left)
        self._jobs: Jobs | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Serves until it is stopped. `ready` is called once clients can connect. Raises DaemonError."""
        socket_path = self._state.daemon_json
        has_served = False
        try:
            identity.hide(self._state, socket_path)  # of one that was killed
            self._credentials = credentials.make(self._state.credentials)
            os.makedirs(self._state.workers, mode=0o700, exist_ok=True)
            unix, socket_path = self._listen_for_clients()
            tcp = self._listen_for_workers()
            self._identity = self._describe(socket_path, tcp.getsockname()[1])
            doors = [
                Door(unix, CLIENT_LINK, self._clients.meet, only_uid=os.geteuid()),
                Door(
                    tcp,
                    WORKER_LINK,
                    self._workers.meet,
                    tls=credentials.server_context(self._credentials),
                ),
            ]
            has_served = True
            await self._serve(doors, ready)
        finally:
            # One that cannot even begin leaves the workers to the next.
            is_last = has_served or not self._journal.was_there
            self._journal.close()
            (identity.remove if is_last else identity.hide)(self._state, socket_path)
            self._lock.release()

    async def _serve(self, doors: list[Door], ready: Callable[[], None]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)
        async with asyncio.TaskGroup() as group:
            self._jobs = Jobs(self._options.runner, group, self._tell, self._journal)
            self._adopt_jobs(self._jobs)
            serving = [group.create_task(door.serve()) for door in doors]
            if self._options.is_ephemeral:
                serving.append(group.create_task(self._wait_for_client()))
            identity.write(self._state, self._identity)
            log.info(
                "daemon pid=%d serves %s: runner %s, workers at %s",
                os.getpid(), self._state.project, self._options.runner_name, self._addresses,
            )  # fmt: skip
            self._perform(self._core.begin(self._loop.time()))
            ready()
            try:
                await self._over
            finally:
                self._stop_deciding()
            log.info("daemon ends: %s", self._why)
            for task in serving:
                task.cancel()
            links = [
                *self._clients.stop_all(client_wire.Stopping(self._why)),
                *self._workers.stop_all(worker_wire.Stop(self._why)),
            ]
            await self._jobs.end_all()
            if links:  # what was said to them is on its way
                await asyncio.wait([link.closed for link in links], timeout=_LAST_WORDS_S)

    def _adopt_jobs(self, jobs: Jobs) -> None:
        survivors = self._journal.survivors(self._options.runner_name)
        for worker in survivors:
            if worker.job:
                jobs.adopt(worker.name, worker.job, self._state.workers)
        if survivors:
            log.warning(
                "the daemon before this one was killed: %d workers may live", len(survivors)
            )

    def _stop_deciding(self) -> None:
        self._is_scheduled = True  # whatever comes in stays in the inbox
        if self._timer is not None:
            self._timer.cancel()

    # Deciding

    def _tell(self, event: Event) -> None:
        self._inbox.append(event)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._decide)

    def _decide(self) -> None:
        """Lets the scheduler take what has come in during this turn of the loop, all at once."""
        self._is_scheduled = False
        batch, self._inbox = self._inbox, []
        try:
            self._perform(self._core.handle(batch, self._loop.time()))
        except Exception as error:  # noqa: BLE001 - a callback of the loop would only be logged
            if not self._over.done():
                self._over.set_exception(error)
            return
        due = self._core.next_deadline()
        if due != self._due:
            self._due = due
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(due, self._wake) if due is not None else None

    def _wake(self) -> None:
        """Called by the timer, perhaps a part of a millisecond early: then it is set again. If this
        process was stopped, what workers said meanwhile is to be read first."""
        self._timer = self._loop.call_later(_CATCH_UP_S, self._wake_up)

    def _wake_up(self) -> None:
        self._due = None
        self._decide()

    def _perform(self, decided: list[Action]) -> None:
        for action in decided:
            self._do(action)
        self._journal.flush()  # before anything that was said leaves this process

    def _do(self, action: Action) -> None:
        workers, clients = self._workers, self._clients
        assert self._jobs is not None
        match action:
            case actions.Assign(worker, held, spec, blobs):
                workers.assign(worker, held, spec, blobs)
            case actions.Acknowledge(worker, held):
                workers.acknowledge(worker, held)
            case actions.TellStarted(run, task, attempt, worker, host, started_at):
                started = client_wire.Started(task, attempt, worker, host, started_at)
                clients.send(run, started)
            case actions.TellFinished(run, task, attempt, result):
                clients.send(run, client_wire.Finished(task, attempt, result))
            case actions.TellLost(run, task, attempt, reason, final):
                clients.send(run, client_wire.Lost(task, attempt, reason, final))
            case actions.TellWithdrawn(run, tasks):
                clients.send(run, client_wire.Withdrawn(list(tasks)))
            case actions.TellWorkers(run, serving, pending, problem):
                clients.send(run, client_wire.Workers(serving, pending, problem))
            case actions.Cancel(worker, held, grace_s):
                workers.send(worker, worker_wire.Cancel(*held, grace_s))
            case actions.Recall(worker, held):
                workers.send(worker, worker_wire.Recall(*held))
            case actions.Drop(worker, held):
                workers.send(worker, worker_wire.Drop(*held))
            case actions.ForgetRun(run):
                workers.forget_run(run)
                clients.forget_run(run)
                self._blobs.forget(run)
            case actions.Admit(worker):
                self._journal.joined(worker)
                workers.admit(worker)
            case actions.AdoptJob(worker, job):
                self._journal.launched_as([worker], [job])
                self._jobs.adopt(worker, job, self._state.workers)
            case actions.Refuse(worker, reason):
                workers.refuse(worker, reason)
            case actions.Drain(worker, reason):
                workers.send(worker, worker_wire.Drain(reason))
            case actions.Launch(runner, names, shape, slots):
                self._journal.launching(runner, names, shape, slots)
                self._jobs.launch([self._request(name, action) for name in action.workers])
            case actions.WatchJob(worker):
                self._jobs.watch(worker)
            case actions.TrustJob(worker):
                self._jobs.trust(worker)
            case actions.EndJob(worker):
                self._jobs.end(worker)
                self._workers.cut(worker, "its job is ended")
            case actions.Note(text, is_trouble):
                log.log(logging.WARNING if is_trouble else logging.INFO, "%s", text)
            case actions.End():
                if not self._over.done():
                    self._over.set_result(None)
            case _:
                assert_never(action)

    def _request(self, worker: str, launch: actions.Launch) -> WorkerRequest:
        cores = launch.shape.cores * launch.slots
        command = [
            sys.executable, "-m", "dfm_worker", "--connect", self._addresses,
            "--credentials", self._credentials.worker, "--worker", worker,
            "--cores", str(cores), "--slots", str(launch.slots),
        ]  # fmt: skip
        return WorkerRequest(worker, command, self._state.workers, cores)

    def _limits(self, shape: Shape) -> PoolLimits:
        """Those of the configuration; unless somebody says so, a pool of this host's processes has
        no more workers than there are CPUs for them."""
        config = self._options.config
        most = self._options.pool_size or config.pool.max_workers
        is_said = bool(self._options.pool_size) or isinstance(
            config.origins["runner.pool.max_workers"], Place
        )
        slots = config.pool.slots_per_worker
        if self._options.runner_name == LOCAL and not is_said:
            most = max(1, min(most, usable_cpus() // (shape.cores * slots)))
        return PoolLimits(
            min_workers=min(config.pool.min_workers, most),
            max_workers=most,
            idle_timeout_s=float(config.pool.idle_timeout_s),
            batch=config.pool.launch_batch_size,
            slots=slots,
        )

    # Doors

    def _listen_for_clients(self) -> tuple[socket.socket, str]:
        """In the project if its path is short enough and its filesystem takes sockets."""
        for in_project in (True, False):
            path = self._state.socket_path(os.environ, in_project=in_project)
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listener.bind(path)  # under the umask of this process: 0600
                listener.listen(128)
            except OSError as error:
                listener.close()
                if not in_project:
                    raise DaemonError(f"cannot listen on {path}: {error.strerror}") from error
            else:
                return listener, path
        raise AssertionError

    def _listen_for_workers(self) -> socket.socket:
        daemon = self._options.config.daemon
        is_local = self._options.runner_name == LOCAL
        host = daemon.bind or ("127.0.0.1" if is_local else "0.0.0.0")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        ports = range(daemon.worker_port.first, daemon.worker_port.last + 1)
        trouble: OSError | None = None
        for port in ports:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
                listener.listen(1024)
            except OSError as error:
                listener.close()
                trouble = error
                continue
            self._addresses = self._advertised(host, listener.getsockname()[1])
            return listener
        raise DaemonError(
            f"cannot listen for workers on {host}, port {daemon.worker_port}: {trouble}",
            hint="runner.daemon.bind and runner.daemon.worker_port say where",
        )

    def _advertised(self, host: str, port: int) -> str:
        """Where workers find this daemon, in the order in which they try."""
        hosts = list(self._options.config.daemon.advertise)
        if not hosts and host in ("0.0.0.0", "::"):
            here = socket.gethostname()
            found = socket.getaddrinfo(here, port, type=socket.SOCK_STREAM)
            hosts = [socket.getfqdn(), *(str(address[4][0]) for address in found)]
        return ",".join(f"{name}:{port}" for name in dict.fromkeys(hosts or [host]))

    def _places(self) -> list[tuple[str, int]]:
        """The same, for workers that look where this daemon is now."""
        found = (address.rpartition(":") for address in self._addresses.split(","))
        return [(host, int(port)) for host, _, port in found]

    def _describe(self, socket_path: str, port: int) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "socket": socket_path,
            "worker_port": port,
            "addresses": self._places(),
            "started": self._started.isoformat(timespec="seconds"),
            "runner": self._options.runner_name,
            "version": VERSION,
            "protocol": [MAJOR, MINOR],
            "project_root": self._state.project,
        }

    # Being asked

    def _status(self) -> bytes:
        def utc(at: float) -> str:
            age = self._loop.time() - at
            return datetime.fromtimestamp(time.time() - age, UTC).isoformat(timespec="seconds")

        uptime_s = round((datetime.now(UTC) - self._started).total_seconds(), 1)
        about = {**self._identity, "uptime_s": uptime_s}
        return json.dumps(status.document(self._core, about, utc)).encode()

    def _run_left(self) -> None:
        if self._options.is_ephemeral:
            self._why = "the run is over"
            self._tell(events.StopAsked(drain=False))

    async def _wait_for_client(self) -> None:
        await asyncio.sleep(FIRST_CLIENT_S)
        if not self._core.runs:
            self._why = "the run that wanted it never came"
            self._tell(events.StopAsked(drain=False))

    def _signalled(self, number: signal.Signals) -> None:
        self._why = f"stopped by {number.name}"
        self._tell(events.StopAsked(drain=False))
