"""One simulation, from the daemon's start until nothing is left to do, and what must hold then."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from dfm_daemon.core.events import StopAsked
from dfm_daemon.core.state import Pool, PoolState, WorkerState
from tests.sim.batch_system import BatchSystem
from tests.sim.client import SimClient
from tests.sim.daemon import SimDaemon
from tests.sim.scenario import Scenario
from tests.sim.world import World

MOST = 8  # kills of a daemon, and cuts of clients: some time work has to get done


class Failure(AssertionError):
    """A simulation in which something did not hold."""

    def __init__(self, scenario: Scenario, error: Exception, tail: list[str]) -> None:
        what = str(error).split("\n")[0] or "no words"
        super().__init__(
            "\n".join(
                [*tail, f"{scenario}", f"seed {scenario.seed}: {type(error).__name__}: {what}"]
            )
        )


class Report(NamedTuple):
    """What happened."""

    events: int
    batches: int
    simulated_s: float
    starts: int  # of tasks
    answered: int  # tasks of runs that stayed
    launched: int  # jobs
    totals: dict[str, int]
    counts: dict[str, int]
    trace: int  # a sum over all that happened


class Simulation:
    """Use `simulate`."""

    def __init__(self, scenario: Scenario) -> None:
        self._world = World(scenario)
        self._batch_system = BatchSystem(self._world)
        self._counts: Counter[str] = Counter()
        self._kills = self._cuts = 0
        self._batches = 0  # of daemons that were killed
        self._daemon = self._new_daemon()
        self._clients: list[SimClient] = []
        self._tail = self._world.trace.tail

    def run(self) -> Report:
        """Raises Failure."""
        try:
            return self._run()
        except Exception as error:
            raise Failure(self._world.scenario, error, list(self._tail())) from error

    def _run(self) -> Report:
        world = self._world
        scenario = world.scenario
        when = 0.0
        for number in range(scenario.runs):
            world.clock.at(when, self._join, number)
            when += world.some(scenario.join_s)
        self._plan_kill()
        self._plan_cut()
        self._go_on(lambda: world.open_runs == 0)
        world.is_calm = True
        # Workers that fell silent are noticed, and what a killed daemon left is given up.
        self._wait(2 * max(scenario.lease_s, scenario.grace_s))
        self._go_on(self._is_calm)
        self._wait(100 * scenario.delay_s)  # what is on its way arrives
        self._check_end()
        daemon = self._daemon
        daemon.tell(StopAsked(drain=True))
        self._go_on(lambda: daemon.has_ended)
        return Report(
            world.clock.event_count,
            self._batches + daemon.batch_count,
            world.clock.now,
            world.ledger.start_count,
            sum(client.answered for client in self._clients),
            self._batch_system.launched_count,
            dict(daemon.core.totals),
            dict(self._counts),
            world.trace.sum,
        )

    def _wait(self, for_s: float) -> None:
        over: list[bool] = []
        self._world.clock.after(for_s, over.append, True)
        self._go_on(lambda: bool(over))

    def _join(self, number: int) -> None:
        scenario = self._world.scenario
        share, rest = divmod(scenario.tasks, scenario.runs)
        count = share + (number < rest)
        self._clients.append(SimClient(self._world, f"r{number}", count))

    def _new_daemon(self) -> SimDaemon:
        return SimDaemon(self._world, self._batch_system, self._counts)

    def _plan_kill(self) -> None:
        scenario = self._world.scenario
        if scenario.daemon_dies_s < float("inf") and self._kills < MOST:
            self._kills += 1
            self._world.clock.after(self._world.some(scenario.daemon_dies_s), self._kill)

    def _kill(self) -> None:
        if self._world.is_calm:
            return
        scenario = self._world.scenario
        self._daemon.kill()
        self._batches += self._daemon.batch_count
        back_s = min(self._world.some(scenario.daemon_back_s), scenario.grace_s / 3)
        self._world.clock.after(back_s, self._come_back)

    def _come_back(self) -> None:
        self._daemon = self._new_daemon()
        self._plan_kill()

    def _plan_cut(self) -> None:
        scenario = self._world.scenario
        if scenario.cutting_s < float("inf") and self._cuts < MOST:
            self._cuts += 1
            self._world.clock.after(self._world.some(scenario.cutting_s), self._cut)

    def _cut(self) -> None:
        open_clients = [client for client in self._clients if not client.is_over]
        if open_clients and not self._world.is_calm:
            self._world.random.choice(open_clients).cut()
        if not self._world.is_calm:
            self._plan_cut()

    def _go_on(self, until: Callable[[], bool]) -> None:
        scenario = self._world.scenario
        most = 30_000 + 1_000 * scenario.workers + 200 * scenario.tasks
        self._world.clock.run(until=until, most_events=most)

    def _is_calm(self) -> bool:
        """No worker is on its way in or out, but for those that are kept."""
        core = self._daemon.core
        known = len(core.workers)
        return (
            not self._daemon.is_killed
            and not core.runs
            and len(self._batch_system.jobs) == self._daemon.connected_count == known
            and all(map(_is_at_rest, core.pools.values()))
        )

    def _check_end(self) -> None:
        self._daemon.check_left_alone()
        self._world.ledger.check_nothing_runs()
        for client in self._clients:
            client.check_over()
        for worker in self._batch_system.jobs.values():
            assert worker is not None
            worker.check_idle()


def _is_at_rest(pool: Pool) -> bool:
    """It has the workers that are kept warm, unless nobody would launch them any more."""
    idle, least = pool.counts[WorkerState.IDLE], pool.limits.min_workers
    is_enough = idle == least or (idle < least and pool.state is PoolState.FAILED)
    return is_enough and len(pool.workers) == idle


def simulate(scenario: Scenario) -> Report:
    """Raises Failure."""
    return Simulation(scenario).run()
