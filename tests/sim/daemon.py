"""The real scheduler between simulated connections, in place of the daemon's shell."""

from collections import Counter
from typing import Any, assert_never

from dfm.version import VERSION
from dfm.wire import client as client_wire
from dfm.wire import worker as worker_wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.events import Event
from dfm_daemon.core.invariants import check
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import Demand, RunId, Shape, WorkerName
from tests.sim.batch_system import BatchSystem
from tests.sim.network import End
from tests.sim.world import World


class SimDaemon:
    """What comes in during one turn of its loop is one batch for the scheduler."""

    def __init__(self, world: World, batch_system: BatchSystem, counts: Counter[str]) -> None:
        """`counts`: of events and decisions, by kind."""
        scenario = world.scenario
        self.core = Scheduler(
            Settings(
                "sim", scenario.limits, lease_s=scenario.lease_s, retries=scenario.retries,
                grace_s=scenario.grace_s, tokens={"lic": scenario.tokens or 1},
                launched=world.journal.launched,
            )
        )  # fmt: skip
        self.batch_system = batch_system
        self.counts = counts
        self.is_killed = False
        self._met: list[End] = []  # all connections that there ever were
        self.has_ended = False
        self._world = world
        self._inbox: list[Event] = []
        self._is_scheduled = False
        self._due = float("inf")
        self.batch_count = 0
        self._at_the_door: dict[WorkerName, list[End]] = {}
        self._workers: dict[WorkerName, End] = {}
        self._leaving: set[WorkerName] = set()
        self._known_blobs: dict[WorkerName, set[str]] = {}
        self._runs: dict[RunId, End] = {}
        self._over: set[RunId] = set()  # they have said so
        self._blobs: dict[str, bytes] = {}
        self._shapes: dict[int, Shape] = {}  # the same numbers in every run
        batch_system.serve(self.tell)
        world.worker_door, world.client_door = self.meet_worker, self.meet_client
        self._perform(self.core.begin(world.clock.now, tuple(world.journal.workers.values())))
        self._set_timer()

    def tell(self, event: Event) -> None:
        if not self.is_killed:
            self._inbox.append(event)
            self._decide_soon()

    def kill(self) -> None:
        """As `kill -9` does: the kernel closes its connections after what was sent."""
        self._world.note("the daemon is killed")
        self.is_killed = True
        self._world.worker_door = self._world.client_door = None
        self.batch_system.daemon_is_gone()
        for link in self._met:
            link.hear = link.lost = _ignore
            link.close()

    @property
    def connected_count(self) -> int:
        """Workers that have a connection."""
        return len(self._workers)

    def check_left_alone(self) -> None:
        """Nobody wants anything: nothing is left of what was wanted."""
        check(self.core)
        assert not self.core.runs
        assert not self._runs
        assert not self._blobs
        assert not any(pool.queue or pool.running_count for pool in self.core.pools.values())
        assert not any(worker.tasks for worker in self.core.workers.values())
        assert not any(self._known_blobs.values())
        assert set(self._workers) == set(self.core.workers), "connected, and unknown"
        assert set(self.batch_system.jobs) == set(self.core.workers), "a job is orphaned"
        if min(self._world.scenario.daemon_dies_s, self._world.scenario.cutting_s) < float("inf"):
            return  # what follows counts each answer once
        totals = self.core.totals
        told = self.counts["TellFinished"] + self.counts["lost for good"]
        assert totals["completed"] + totals["failed"] == told, (totals, told)
        ended = totals["completed"] + totals["failed"] + totals["cancelled"]
        submitted = self.counts["TaskSubmitted"]
        is_exact = not self._world.scenario.asking_again
        assert ended == submitted if is_exact else ended <= submitted, (ended, submitted)

    def _decide_soon(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._world.clock.after(self._world.scenario.turn_s, self._decide)

    def _decide(self) -> None:
        if self.is_killed:
            return
        self._is_scheduled = False
        batch, self._inbox = self._inbox, []
        for event in batch:
            self._world.note(event)
            self.counts[type(event).__name__] += 1
        self._perform(self.core.handle(batch, self._world.clock.now))
        self.batch_count += 1
        limits = self.core.limits
        assert self.core.recovery.is_restarted or limits.used["lic"] <= limits.totals["lic"]
        if self.batch_count % self._world.scenario.checks == 0:
            check(self.core)
        self._set_timer()

    def _set_timer(self) -> None:
        due = self.core.next_deadline()
        if due is not None and due < self._due:
            self._due = due
            self._world.clock.at(max(due, self._world.clock.now), self._wake, due)

    def _wake(self, due: float) -> None:
        if due == self._due:
            self._due = float("inf")
            self._decide_soon()

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            self._world.note(action)
            self.counts[type(action).__name__] += 1
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case do.Assign():
                self._assign(action)
            case do.Acknowledge(worker, held):
                self._say(worker, worker_wire.Acknowledged(*held))
            case do.TellStarted(run, task, attempt, worker, host, at):
                self._tell_run(run, client_wire.Started(task, attempt, worker, host, at))
            case do.TellFinished(run, task, attempt, result):
                self._tell_run(run, client_wire.Finished(task, attempt, result))
            case do.TellLost(run, task, attempt, reason, is_final):
                self.counts["lost for good"] += is_final
                self._tell_run(run, client_wire.Lost(task, attempt, reason, is_final))
            case do.TellWithdrawn(run, tasks):
                self._tell_run(run, client_wire.Withdrawn(list(tasks)))
            case do.TellWorkers(run, serving, pending, problem):
                self._tell_run(run, client_wire.Workers(serving, pending, problem))
            case do.Cancel(worker, held, grace_s):
                self._say(worker, worker_wire.Cancel(*held, grace_s))
            case do.Recall(worker, held):
                self._say(worker, worker_wire.Recall(*held))
            case do.Drop(worker, held):
                self._say(worker, worker_wire.Drop(*held))
            case do.ForgetRun(run):
                self._forget(run)
            case do.Admit(worker):
                self._world.journal.joined(worker)
                self._admit(worker)
            case do.AdoptJob(worker, job):
                self._world.journal.launched_as(worker, job)
                self.batch_system.adopt(worker)
            case do.Refuse(worker, reason):
                link = self._take_in(worker)
                link.send(worker_wire.Refused(reason))
                link.close()
            case do.Drain(worker, reason):
                self._say(worker, worker_wire.Drain(reason))
            case do.Launch(_, workers, shape, slots):
                self._world.journal.launching(workers, shape, slots)
                self.batch_system.launch(workers)
            case do.WatchJob(worker):
                self.batch_system.watch(worker)
            case do.TrustJob(worker):
                self.batch_system.trust(worker)
            case do.AskEnd():
                pass  # jobs have no limits here
            case do.EndJob(worker):
                self.batch_system.end(worker)
                if worker in self._workers:
                    self._workers[worker].close()
            case do.Note():
                pass
            case do.End():
                assert not self.has_ended
                self.has_ended = True
            case _:
                assert_never(action)

    # Workers

    def meet_worker(self, link: End) -> None:
        self._met.append(link)
        link.hear = lambda hello: self._greet(link, hello)

    def _greet(self, link: End, hello: Any) -> None:
        assert isinstance(hello, worker_wire.Hello)
        name = WorkerName(hello.worker)
        self._at_the_door.setdefault(name, []).append(link)
        self.tell(
            events.WorkerJoined(
                name, hello.host, hello.pid, hello.job, hello.slots, hello.deadline,
                tuple(hello.running), tuple(hello.finished),
            )
        )  # fmt: skip

    def _admit(self, name: WorkerName) -> None:
        old = self._workers.pop(name, None)
        if old is not None:
            old.hear = old.lost = _ignore
            old.close()
        self._leaving.discard(name)
        link = self._workers[name] = self._take_in(name)
        self._known_blobs[name] = set()
        link.hear = lambda message: self._hear_worker(name, message)
        link.lost = lambda reason: self._lose_worker(name, reason)
        if not link.is_open:
            self._lose_worker(name, "closed")
            return
        lease_s = self._world.scenario.lease_s
        link.send(worker_wire.Welcome(MAJOR, MINOR, VERSION, lease_s))

    def _take_in(self, name: WorkerName) -> End:
        links = self._at_the_door[name]
        link = links.pop(0)
        if not links:
            del self._at_the_door[name]
        return link

    def _assign(self, action: do.Assign) -> None:
        name, held = action.worker, action.held
        run = self.core.runs[RunId(held.run)]
        assert not run.has_withdrawn, f"{held} is started although its run is interrupted"
        if name not in self._workers:
            return  # its loss is in the inbox
        known = self._known_blobs[name]
        if held.run not in known:
            known.add(held.run)
            self._say(name, worker_wire.Blob(held.run, 0, self._blobs[held.run]))
        self._say(name, worker_wire.Run(*held, action.spec, [0]))

    def _say(self, worker: WorkerName, message: Any) -> None:
        if worker in self._workers:
            self._workers[worker].send(message)

    def _hear_worker(self, name: WorkerName, message: Any) -> None:
        match message:
            case worker_wire.Finished(run, task, attempt, status, wall_ms, result):
                held = Held(run, task, attempt)
                self.tell(events.TaskFinished(name, held, status, wall_ms / 1000, result))
            case worker_wire.Returned(run, task, attempt):
                self.tell(events.TaskReturned(name, Held(run, task, attempt)))
            case worker_wire.Started(run, task, attempt, at):
                self.tell(events.TaskStarted(name, Held(run, task, attempt), at))
            case worker_wire.Beat():
                self.tell(events.WorkerHeard(name))
                self._say(name, worker_wire.Beat())
            case worker_wire.Leaving():
                self._leaving.add(name)
            case _:
                raise AssertionError(f"{name} says {message}")

    def _lose_worker(self, name: WorkerName, reason: str) -> None:
        del self._workers[name]
        del self._known_blobs[name]
        is_expected = name in self._leaving
        self._leaving.discard(name)
        if name in self._at_the_door:
            return  # it is back already
        self.tell(events.WorkerLeft(name, reason, is_expected))

    # Runs

    def meet_client(self, link: End) -> None:
        self._met.append(link)
        link.hear = lambda hello: self._greet_client(link, hello)

    def _greet_client(self, link: End, hello: Any) -> None:
        assert isinstance(hello, client_wire.Hello)
        run = RunId(hello.run)
        old = self._runs.pop(run, None)
        if old is not None:
            assert hello.is_back
            old.hear = old.lost = _ignore
            old.close()
        self._runs[run] = link
        link.hear = lambda message: self._hear_run(run, message)
        link.lost = lambda _: self._lose_run(run)
        self.tell(events.RunJoined(run, hello.pid, hello.user, hello.host, is_back=hello.is_back))
        link.send(client_wire.Welcome(MAJOR, MINOR, VERSION, 1, "sim"))

    def _tell_run(self, run: RunId, message: Any) -> None:
        if run in self._runs:
            self._runs[run].send(message)

    def _hear_run(self, run: RunId, message: Any) -> None:
        match message:
            case client_wire.Shape(number, name, cores):
                self._shapes[number] = Shape(name, cores)
            case client_wire.Submit(task, name, spec, blobs, number, attempt):
                demand = Demand(
                    message.priority, 0, tuple(message.limits.items()), message.expected_s
                )
                submitted = events.TaskSubmitted(
                    run, task, name, spec, tuple(blobs), self._shapes[number], attempt, demand
                )
                self.tell(submitted)
            case client_wire.Acknowledged(task, attempt):
                self.tell(events.ResultTaken(run, task, attempt))
            case client_wire.Blob(_, data):
                self._blobs[run] = data
            case client_wire.Withdraw():
                self.tell(events.RunWithdrew(run))
            case client_wire.Cancel(grace_s):
                self.tell(events.RunCancelled(run, grace_s))
            case client_wire.Settled():
                self.tell(events.RunSettled(run))
            case client_wire.Bye():
                self._over.add(run)
            case _:
                raise AssertionError(f"{run} says {message}")

    def _lose_run(self, run: RunId) -> None:
        del self._runs[run]
        is_over = run in self._over
        self._over.discard(run)
        self.tell(events.RunLeft(run) if is_over else events.RunAway(run))

    def _forget(self, run: RunId) -> None:
        self._blobs.pop(run, None)
        world = self._world
        if world.scenario.daemon_dies_s == float("inf"):  # else what is cancelled may be said late
            patience_s = 2 * world.scenario.lease_s + 1
            world.clock.after(patience_s, world.ledger.check_has_ended, run)
        for name, known in self._known_blobs.items():
            if run in known:
                known.discard(run)
                self._say(name, worker_wire.Forget(run))


def _ignore(_: object) -> None:
    pass
