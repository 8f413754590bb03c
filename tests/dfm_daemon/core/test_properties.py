"""Whatever happens, in whatever order and however senseless: the invariants hold after every batch,
and every task that a run goes on wanting ends exactly once."""

from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from dfm.wire.worker import Held
from dfm_daemon.core import actions as do
from dfm_daemon.core import events
from dfm_daemon.core.actions import Action
from dfm_daemon.core.events import Event
from dfm_daemon.core.invariants import check
from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.settings import Settings
from dfm_daemon.core.state import COMING, Demand, PoolLimits, RunId, WorkerName, WorkerState
from tests.dfm_daemon.core.conftest import finished, joined, submitted

TASKS = some.integers(0, 30)
PICK = some.integers(0, 1000)  # one of those that there are
TINY_S, SHORT_S, LONG_S = 0.001, 0.02, 3.0
NOBODY = WorkerName("w999")
LEASE_S = 10.0
TOKENS = {"x": 2, "y": 1}
DEMANDS = some.builds(
    Demand,
    priority=some.integers(-1, 1),
    walltime_s=some.sampled_from((0, 60)),
    limits=some.sampled_from(((), (), (("x", 1),), (("x", 2),), (("y", 1), ("x", 1)))),
    expected_s=some.sampled_from((0.0, 1.0, 5.0)),
)

Key = tuple[RunId, int]


class AnyHistory(RuleBasedStateMachine):
    """The shell, the peers and a ledger of what was promised to whom."""

    @initialize(
        least=some.integers(0, 2),
        most=some.integers(2, 4),
        idle_s=some.sampled_from((0.0, 5.0)),
        batch=some.integers(1, 3),
        slots=some.integers(1, 2),
        retries=some.integers(0, 2),
        launch_timeout_s=some.sampled_from((0.0, 20.0)),
        walls_s=some.sampled_from(((TINY_S,), (TINY_S, SHORT_S, LONG_S))),
    )
    def begin(
        self,
        least: int,
        most: int,
        idle_s: float,
        batch: int,
        slots: int,
        retries: int,
        launch_timeout_s: float,
        walls_s: tuple[float, ...],
    ) -> None:
        limits = PoolLimits(least, most, idle_s, batch, slots, launch_timeout_s)
        settings = Settings(
            "sim", lambda _: limits, tokens=TOKENS, lease_s=LEASE_S, retries=retries
        )
        self.core = Scheduler(settings)
        self.retries = retries
        self.walls_s = walls_s
        self.slots = slots
        self.now = 0.0
        self.batch: list[Event] = []
        self.launches: list[do.Launch] = []  # that nobody answered
        self.connected: set[WorkerName] = set()
        self.arriving: set[WorkerName] = set()  # their hello is in the batch
        self.recalled: list[tuple[WorkerName, Held]] = []
        self.runs: list[RunId] = []  # that are here
        self.withdrawn: set[RunId] = set()
        self.run_count = 0
        self.open: dict[Key, int] = {}  # what was promised, and how often it was lost
        self.told: dict[Key, int] = {}  # finished, not acknowledged; the attempt
        self.newest: dict[Key, int] = {}  # attempt
        self.accepted = 0
        self.perform(self.core.begin(self.now), [])

    # Clients

    @precondition(lambda self: len(self.runs) < 3)
    @rule()
    def a_run_joins(self) -> None:
        self.run_count += 1
        run = RunId(f"r{self.run_count}")
        self.runs.append(run)
        self.batch.append(events.RunJoined(run, 1, "ann", "desk"))

    @precondition(lambda self: self.runs)
    @rule(
        pick=PICK,
        first=TASKS,
        count=some.integers(1, 30),
        cores=some.sampled_from((1, 1, 2)),
        demand=DEMANDS,
    )
    def a_run_submits(self, pick: int, first: int, count: int, cores: int, demand: Demand) -> None:
        run = self.runs[pick % len(self.runs)]
        for task in range(first, first + count):
            key = (run, task)
            attempt = self.newest.get(key, 0)
            said = submitted(task, run, cores=cores, attempt=attempt, demand=demand)
            if key not in self.open and key not in self.told:
                self.open[key] = 0
                self.accepted += 1
                self.batch.append(said)
            elif not any(said.run == run and said.task == task for said in self.submissions()):
                self.batch.insert(0, said)  # before anything in the batch that ends the task

    def submissions(self) -> list[events.TaskSubmitted]:
        return [event for event in self.batch if isinstance(event, events.TaskSubmitted)]

    @precondition(lambda self: self.told)
    @rule(pick=PICK)
    def a_client_acknowledges(self, pick: int) -> None:
        run, task = list(self.told)[pick % len(self.told)]
        attempt = self.told.pop((run, task))
        self.batch.append(events.ResultTaken(run, task, attempt))

    @precondition(lambda self: self.runs)
    @rule(pick=PICK, task=TASKS)
    def a_client_acknowledges_nonsense(self, pick: int, task: int) -> None:
        run = self.runs[pick % len(self.runs)]
        self.batch.append(events.ResultTaken(run, task, 9999))
        self.batch.append(events.ResultTaken(RunId("nobody"), task, 1))

    @precondition(lambda self: self.runs)
    @rule(pick=PICK, cancels=some.booleans())
    def a_run_withdraws(self, pick: int, cancels: bool) -> None:
        run = self.runs[pick % len(self.runs)]
        self.batch.append(events.RunWithdrew(run))
        if cancels:
            self.batch.append(events.RunCancelled(run, 5.0))

    @precondition(lambda self: len(self.runs) > 1)
    @rule(pick=PICK)
    def a_run_leaves(self, pick: int) -> None:
        run = self.runs[pick % len(self.runs)]
        self.batch.append(events.RunLeft(run))
        self.decide(0.0)
        self.runs.remove(run)
        self.open = {key: count for key, count in self.open.items() if key[0] != run}
        self.told = {key: attempt for key, attempt in self.told.items() if key[0] != run}

    # Jobs

    @precondition(lambda self: self.launches)
    @rule(
        pick=PICK, is_taken=some.booleans(), is_reached=some.booleans(), is_in_doubt=some.booleans()
    )
    def a_launch_is_answered(
        self, pick: int, is_taken: bool, is_reached: bool, is_in_doubt: bool
    ) -> None:
        names = self.launches.pop(pick % len(self.launches)).workers
        if is_taken:
            jobs = tuple(f"job-{name}" for name in names)
            self.batch.append(events.LaunchSucceeded(names, jobs))
        else:
            self.batch.append(events.LaunchFailed(names, "refused", not is_reached, is_in_doubt))

    @rule(pick=PICK, is_busy=some.booleans())
    def a_job_is_gone(self, pick: int, is_busy: bool) -> None:
        name = self.busy_worker(pick) if is_busy else self.some_worker(pick)
        self.batch.append(events.JobGone(name, "exit status 1", "its log"))

    @rule(pick=PICK, after_s=some.sampled_from((-1.0, 10.0, 1000.0)))
    def the_end_of_a_job_is_known(self, pick: int, after_s: float) -> None:
        self.batch.append(events.JobEnds(self.some_worker(pick), self.now + after_s))

    # Workers

    @rule(pick=PICK)
    def a_worker_drains(self, pick: int) -> None:
        self.batch.append(events.WorkerDrains(self.some_worker(pick), "its run limit"))

    @rule(
        pick=PICK,
        host=some.sampled_from(("good", "bad")),
        ends_in_s=some.sampled_from((None, None, 10.0, 1000.0)),
    )
    def a_worker_says_hello(self, pick: int, host: str, ends_in_s: float | None) -> None:
        name = self.some_worker(pick)
        self.arriving.add(name)
        deadline = None if ends_in_s is None else self.now + ends_in_s
        self.batch.append(joined(name, slots=self.slots, host=host, deadline=deadline))

    @precondition(lambda self: self.connected)
    @rule(pick=PICK, is_expected=some.booleans())
    def a_worker_leaves(self, pick: int, is_expected: bool) -> None:
        name = sorted(self.connected)[pick % len(self.connected)]
        self.connected.discard(name)
        self.batch.append(events.WorkerLeft(name, "reset", is_expected))

    @rule(pick=PICK)
    def a_worker_beats(self, pick: int) -> None:
        self.batch.append(events.WorkerHeard(self.some_worker(pick)))

    @rule(pick=PICK, task=PICK, status=some.integers(-1, 1), doubled=some.booleans())
    def a_task_ends(self, pick: int, task: int, status: int, doubled: bool) -> None:
        name = self.busy_worker(pick)
        held = self.some_attempt(name, task)
        wall_s = self.walls_s[pick % len(self.walls_s)]
        said = finished(name, held, status=status, wall_s=wall_s)
        self.batch += [said, said] if doubled else [said]

    @rule(pick=PICK, count=some.integers(1, 20))
    def a_worker_works_for_a_while(self, pick: int, count: int) -> None:
        name = self.busy_worker(pick)
        for _ in range(count):
            held = self.some_attempt(name, 0)
            self.batch.append(finished(name, held, wall_s=self.walls_s[0]))
            self.decide(0.001)

    @rule(pick=PICK, task=PICK)
    def a_task_starts(self, pick: int, task: int) -> None:
        name = self.busy_worker(pick)
        worker = self.core.workers.get(name)
        starts = [e for e in self.batch if isinstance(e, events.TaskStarted) and e.worker == name]
        if worker is None or worker.long_count + len(starts) < worker.slots:
            self.batch.append(events.TaskStarted(name, self.some_attempt(name, task), 1.0))

    @precondition(lambda self: self.recalled)
    @rule()
    def all_that_was_recalled_is_returned(self) -> None:
        self.batch += [events.TaskReturned(name, held) for name, held in self.recalled]
        self.recalled.clear()

    @rule(pick=PICK, task=PICK)
    def a_task_is_returned(self, pick: int, task: int) -> None:
        name = self.busy_worker(pick)
        self.batch.append(events.TaskReturned(name, self.some_attempt(name, task)))

    @rule(pick=PICK, task=TASKS, attempt=some.integers(-1, 4))
    def a_worker_speaks_of_what_it_does_not_have(self, pick: int, task: int, attempt: int) -> None:
        run = self.runs[pick % len(self.runs)] if self.runs else RunId("nobody")
        stale = Held(run, task, attempt)
        worker = self.core.workers.get(self.some_worker(pick))
        if worker is None or all(held.held != stale for held in worker.tasks.values()):
            name = worker.name if worker else NOBODY
            self.batch.append(finished(name, stale))
            self.batch.append(events.TaskStarted(name, stale, 1.0))
            self.batch.append(events.TaskReturned(name, stale))

    @rule()
    def all_workers_come(self) -> None:
        self.decide(0.0)
        for launch in self.launches:
            self.batch.append(events.LaunchSucceeded(launch.workers, launch.workers))
        self.launches.clear()
        for worker in self.core.workers.values():
            if worker.state in COMING:
                self.batch.append(joined(worker.name, slots=self.slots))
                self.arriving.add(worker.name)
        self.decide(0.0)

    # Time

    @rule(after_s=some.sampled_from((0.0, 0.001, 1.0, 3.0, LEASE_S)))
    def decide(self, after_s: float) -> None:
        self.now += after_s
        batch, self.batch = self.batch, []
        self.perform(self.core.handle(batch, self.now), batch)

    @rule()
    def wait_until_due(self) -> None:
        due = self.core.next_deadline()
        self.decide(0.0 if due is None else max(0.0, due - self.now))

    def teardown(self) -> None:
        """The world becomes friendly: then everything that is still wanted comes to its end."""
        if not hasattr(self, "core"):
            return
        self.decide(0.0)
        for _ in range(1000):  # seconds; a host may be excluded for 600
            if not self.open:
                break
            self.go_on()
        assert not self.open, self.open
        assert self.accounted() == self.accepted

    def go_on(self) -> None:
        self.all_workers_come()
        for worker in list(self.core.workers.values()):
            if worker.state is WorkerState.AWAY:
                self.batch.append(events.JobGone(worker.name, "gone", ""))
            else:
                self.batch += [finished(worker.name, t.held) for t in worker.tasks.values()]
        self.decide(1.0)

    # What is chosen

    def some_worker(self, pick: int) -> WorkerName:
        """One that the scheduler knows; now and then one that it does not."""
        names = [*self.core.workers, NOBODY]
        return names[pick % len(names)]

    def busy_worker(self, pick: int) -> WorkerName:
        """One that has tasks, if there is one."""
        names = [worker.name for worker in self.core.workers.values() if worker.tasks]
        return names[pick % len(names)] if names else self.some_worker(pick)

    def some_attempt(self, name: WorkerName, pick: int) -> Held:
        """One that this worker has; else one that nobody has."""
        worker = self.core.workers.get(name)
        if worker is None or not worker.tasks:
            return Held("nobody", 1, 1)
        return list(worker.tasks.values())[pick % len(worker.tasks)].held

    # What must hold

    def perform(self, actions: list[Action], batch: list[Event]) -> None:
        check(self.core)
        assert all(self.core.limits.used[name] <= total for name, total in TOKENS.items())
        self.withdrawn |= {event.run for event in batch if isinstance(event, events.RunWithdrew)}
        for action in actions:
            self.note(action)
        self.connected &= set(self.core.workers)
        self.arriving.clear()
        assert self.accounted() == self.accepted
        due = self.core.next_deadline()
        assert due is None or due > self.now, "the daemon would be called again at once, for ever"

    def note(self, action: Action) -> None:
        match action:
            case do.Launch():
                self.launches.append(action)
            case do.Recall(worker, held):
                self.recalled.append((worker, held))
            case do.Admit(worker):
                assert worker in self.arriving
                self.connected.add(worker)
            case do.Assign(worker, held):
                key = (RunId(held.run), held.task)
                assert worker in self.connected
                assert key in self.open, "nobody wants it"
                assert key[0] in self.runs
                assert held.attempt > self.newest.get(key, 0)
                self.newest[key] = held.attempt
            case do.TellFinished(run, task, attempt):
                assert self.newest[(run, task)] == attempt
                self.end(run, task)
                self.told[(run, task)] = attempt
            case do.TellLost(run, task, _, _, final):
                if final:
                    self.end(run, task)
                else:
                    self.open[(run, task)] += 1
                    assert self.open[(run, task)] <= self.retries
            case do.TellWithdrawn(run, tasks):
                assert run in self.withdrawn
                for task in tasks:
                    self.end(run, task)
            case _:
                pass

    def end(self, run: RunId, task: int) -> None:
        """A verdict: the only one of a task that was wanted."""
        assert run in self.runs
        del self.open[(run, task)]

    def accounted(self) -> int:
        """The tasks that are somewhere, or were counted when they ended."""
        ends = self.core.totals
        ended = ends["completed"] + ends["failed"] + ends["cancelled"]
        pools = self.core.pools.values()
        return ended + sum(len(pool.queue) + pool.running_count for pool in pools)


AnyHistory.TestCase.settings = settings(max_examples=300, stateful_step_count=80, deadline=None)
TestAnyHistory = AnyHistory.TestCase
