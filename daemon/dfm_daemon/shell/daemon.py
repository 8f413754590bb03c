"""The daemon: opens the doors, lets the scheduler decide, performs what it decides, and cleans up."""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, assert_never

from dfm.config.config import WITHOUT_TLS, Config
from dfm.config.resources import resolve
from dfm.config.state_folder import StateFolder
from dfm.config.this_host import boot_id, host_name
from dfm.config.users import allowed_uids
from dfm.errors import DaemonError, Place
from dfm.runners.base import THIS_WORKER, Runner, WorkerRequest
from dfm.runners.cpus import usable_cpus
from dfm.runners.registry import LOCAL
from dfm.version import VERSION
from dfm.wire import client as client_wire
from dfm.wire import worker as worker_wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.prelude import CLIENT, WORKER
from dfm_daemon.core import actions, events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.events import Event
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import PoolLimits, RunId, Shape
from dfm_daemon.shell import addresses, credentials, identity, status
from dfm_daemon.shell.clients import Clients
from dfm_daemon.shell.doors import Doors
from dfm_daemon.shell.fleet import Fleet
from dfm_daemon.shell.journal import Journal
from dfm_daemon.shell.monitor import Monitor
from dfm_daemon.shell.questions import Questions
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
                tokens=options.config.limits,
                default_shape=_default_shape(options),
                lease_s=LEASE_S,
                retries=options.config.retry_infra,
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
        self._doors: Doors
        self._credentials = credentials.paths(state.credentials)
        self._workers = Workers(self._tell, self._blobs, LEASE_S)
        welcome = client_wire.Welcome(MAJOR, MINOR, VERSION, os.getpid(), options.runner_name)
        self._questions = Questions(self._core, self._ask_run, self._loop.time)
        self._monitor = Monitor(self._core, self._loop.time)
        self._clients = Clients(
            self._tell, self._blobs, welcome, self._status, self._questions, self._run_left,
            self._monitor.snapshot,
        )  # fmt: skip
        self._fleet: Fleet | None = None
        self._has_left = (
            False  # jobs that it could not end: whoever comes next knows them by the journal
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Serves until it is stopped. `ready` is called once clients can connect. Raises DaemonError."""
        config = self._options.config.daemon
        own = frozenset({os.geteuid()})
        uids = own if self._options.is_ephemeral else allowed_uids(self._options.config)
        halls = {WORKER: self._workers.meet, CLIENT: self._clients.meet}
        is_local = self._options.runner_name == LOCAL
        self._doors = doors = Doors(self._state, config, uids, halls, is_local=is_local)
        socket_path = self._state.daemon_json
        has_served = False
        try:
            identity.hide(self._state, socket_path)  # of one that was killed
            self._credentials = credentials.make(self._state.credentials, tls=config.tls)
            if not config.tls:
                log.warning("%s", WITHOUT_TLS)
            os.makedirs(self._state.workers, mode=0o700, exist_ok=True)
            doors.open(credentials.guard(self._credentials))
            socket_path = doors.socket_path
            self._state.let_others_through(socket_path, allowed=doors.is_for_others)
            has_served = True
            await self._serve(doors, ready)
        finally:
            self._state.let_others_through(self._state.daemon_json, allowed=False)
            # One that cannot even begin leaves the workers to the next.
            is_last = has_served or not self._journal.was_there
            self._journal.close()
            if is_last:
                identity.remove(self._state, socket_path, keep_journal=self._has_left)
            else:
                identity.hide(self._state, socket_path)
            self._lock.release()

    async def _serve(self, doors: Doors, ready: Callable[[], None]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)
        async with asyncio.TaskGroup() as group:
            own = (self._options.runner_name, self._options.runner)
            self._fleet = Fleet(
                self._options.config, own, group, self._tell, self._journal, self._state.workers
            )
            survivors = await self._fleet.take_over(
                self._journal.survivors(self._options.runner_name)
            )
            if survivors:
                log.warning(
                    "the daemon before this one was killed: %d workers may live", len(survivors)
                )
            doors.serve(group)
            waiting = group.create_task(self._wait_for_client())
            if any(survivor.shape.runner not in ("", LOCAL) for survivor in survivors):
                doors.open_to_hosts()
            self._write_identity()
            log.info(
                "daemon pid=%d serves %s: runner %s, workers at %s",
                os.getpid(), self._state.project, self._options.runner_name, addresses.written(doors.addresses),
            )  # fmt: skip
            self._perform(self._core.begin(self._loop.time(), survivors))
            ready()
            try:
                await self._over
            finally:
                self._stop_deciding()
            log.info("daemon ends: %s", self._why)
            doors.close()
            waiting.cancel()
            links = [
                *self._clients.stop_all(client_wire.Stopping(self._why)),
                *self._workers.stop_all(worker_wire.Stop(self._why)),
            ]
            self._has_left = not await self._fleet.end_all()
            if links:  # what was said to them is on its way
                await asyncio.wait([link.closed for link in links], timeout=_LAST_WORDS_S)

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
        assert self._fleet is not None
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
            case actions.TellWorkers(run, serving, pending, problem, waits):
                clients.send(run, client_wire.Workers(serving, pending, problem, waits))
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
                self._fleet.adopt(worker, job)
            case actions.Refuse(worker, reason):
                workers.refuse(worker, reason)
            case actions.Drain(worker, reason):
                workers.send(worker, worker_wire.Drain(reason))
            case actions.Launch(runner, names, shape, slots):
                self._journal.launching(runner, names, shape, slots)
                self._launch(action)
            case actions.WatchJob(worker):
                self._fleet.watch(worker)
            case actions.TrustJob(worker):
                self._fleet.trust(worker)
            case actions.AskEnd(worker):
                self._fleet.ask_end(worker)
            case actions.EndJob(worker):
                self._fleet.end(worker)
                self._workers.cut(worker, "its job is ended")
            case actions.Note(text, is_trouble):
                log.log(logging.WARNING if is_trouble else logging.INFO, "%s", text)
                if is_trouble:
                    self._monitor.note(text)
            case actions.End():
                if not self._over.done():
                    self._over.set_result(None)
            case _:
                assert_never(action)

    def _launch(self, launch: actions.Launch) -> None:
        assert self._fleet is not None
        try:
            if launch.runner != LOCAL and self._doors.open_to_hosts():
                self._write_identity()
                log.info("workers at %s, too", addresses.written(self._doors.addresses))
        except DaemonError as error:
            self._journal.over(launch.workers)
            self._tell(events.LaunchFailed(launch.workers, str(error)))
            return
        requests = [self._request(name, launch) for name in launch.workers]
        self._fleet.launch(launch.shape, requests)

    def _request(self, worker: str, launch: actions.Launch) -> WorkerRequest:
        shape = launch.shape
        cores = shape.cores * launch.slots
        walltime_s = self._options.config.pool.walltime_s
        command = [
            *THIS_WORKER, "--connect", addresses.written(self._doors.addresses),
            "--credentials", self._credentials.worker, "--worker", worker,
            "--cores", str(cores), "--slots", str(launch.slots),
        ]  # fmt: skip
        if walltime_s:
            command += ["--walltime", str(walltime_s)]
        return WorkerRequest(
            worker,
            command,
            self._state.workers,
            cores,
            memory_mib=shape.memory_mib * launch.slots,
            walltime_s=walltime_s,
            queue=shape.queue,
            resource_select=shape.resource_select,
            slots=launch.slots,
            avoid=launch.avoid,
            daemon=self._journal.mark,
            about=f"dfm {self._state.project}",
        )

    def _limits(self, shape: Shape) -> PoolLimits:
        """Those of the configuration; unless somebody says so, a pool of this host's processes has
        no more workers than there are CPUs for them."""
        config = self._options.config
        most = self._options.pool_size or config.pool.max_workers
        is_said = bool(self._options.pool_size) or isinstance(
            config.origins["runner.pool.max_workers"], Place
        )
        slots = config.pool.slots_per_worker
        if (shape.runner or self._options.runner_name) == LOCAL and not is_said:
            most = max(1, min(most, usable_cpus() // (shape.cores * slots)))
        return PoolLimits(
            min_workers=min(config.pool.min_workers, most),
            max_workers=most,
            idle_timeout_s=float(config.pool.idle_timeout_s),
            batch=config.pool.launch_batch_size,
            slots=slots,
            launch_timeout_s=float(config.pool.launch_timeout_s),
            walltime_s=float(config.pool.walltime_s),
            grows=not isinstance(config.origins["runner.pool.launch_batch_size"], Place),
        )

    def _describe(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "host": host_name(),
            "boot": boot_id(),
            "socket": self._doors.socket_path,
            "worker_port": self._doors.port,
            "addresses": self._doors.addresses,
            "started": self._started.isoformat(timespec="seconds"),
            "runner": self._options.runner_name,
            "version": VERSION,
            "protocol": [MAJOR, MINOR],
            "project_root": self._state.project,
        }

    def _write_identity(self) -> None:
        identity.write(self._state, self._describe(), for_others=self._doors.is_for_others)

    # Being asked

    def _status(self) -> bytes:
        def utc(at: float) -> str:
            age = self._loop.time() - at
            return datetime.fromtimestamp(time.time() - age, UTC).isoformat(timespec="seconds")

        uptime_s = round((datetime.now(UTC) - self._started).total_seconds(), 1)
        about = {**self._describe(), "uptime_s": uptime_s}
        return json.dumps(status.document(self._core, about, self._loop.time(), utc)).encode()

    def _ask_run(self, run: RunId, number: int, task: str) -> None:
        self._clients.send(run, client_wire.Question(number, task))

    def _run_left(self) -> None:
        if self._options.is_ephemeral:
            self._why = "the run is over"
            self._tell(events.StopAsked(drain=False))

    async def _wait_for_client(self) -> None:
        if not self._options.is_ephemeral:
            return
        await asyncio.sleep(FIRST_CLIENT_S)
        if not self._core.runs:
            self._why = "the run that wanted it never came"
            self._tell(events.StopAsked(drain=False))

    def _signalled(self, number: signal.Signals) -> None:
        self._why = f"stopped by {number.name}"
        self._tell(events.StopAsked(drain=False))


def _default_shape(options: Options) -> Shape:
    """Of tasks that ask for nothing, on the daemon's own runner."""
    worker = resolve(None, options.config, options.runner_name).worker
    return Shape(*worker._replace(runner=""))
