"""A simulated batch system with the daemon's view of it, which is what `shell/jobs.py` keeps: jobs
are asked about while they are in doubt, and end unseen otherwise."""

from collections.abc import Callable

from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.state import WorkerName
from tests.sim.worker import SimWorker
from tests.sim.world import World

_LOOK_S = 0.1  # between looks at jobs in doubt


class BatchSystem:
    """It outlives daemons; what a daemon knows of jobs is written down in the journal."""

    def __init__(self, world: World) -> None:
        self.jobs: dict[str, SimWorker | None] = {}  # that live; None: it waits in the queue
        self.launched_count = 0
        self._world = world
        self._tell: Callable[[Event], None] = _ignore  # the daemon that there is
        self._known: set[str] = set()  # to the daemon
        self._in_doubt: set[str] = set()
        self._workers: list[SimWorker] = []  # some are over
        world.clock.after(0.0, self._make_trouble)

    def serve(self, tell: Callable[[Event], None]) -> None:
        """A daemon begins, with what the one before it has written down."""
        self._tell = tell
        self._known = {name for name, worker in self._world.journal.workers.items() if worker.job}
        self._in_doubt.clear()

    def daemon_is_gone(self) -> None:
        self._tell = _ignore

    def adopt(self, worker: str) -> None:
        self._known.add(worker)

    def launch(self, workers: tuple[WorkerName, ...]) -> None:
        self._world.clock.after(self._delay(), self._take, workers, self._tell)

    def watch(self, worker: str) -> None:
        if worker in self._known:
            self._in_doubt.add(worker)
            self._look_later(worker)

    def trust(self, worker: str) -> None:
        self._in_doubt.discard(worker)

    def end(self, worker: str) -> None:
        self._world.ledger.worker_is_ended(worker)
        self._in_doubt.discard(worker)
        if worker in self._known:
            self._known.discard(worker)
            self._world.clock.after(self._delay(), self._kill, worker, self._tell)

    def _delay(self) -> float:
        return self._world.some(self._world.scenario.launch_s)

    def _take(self, workers: tuple[WorkerName, ...], tell: Callable[[Event], None]) -> None:
        """The jobs of a launch are in the queue; its caller hears of it later, if it still is."""
        world = self._world
        if world.happens(world.scenario.refused):
            if tell == self._tell:
                for worker in workers:
                    world.journal.over(worker)
                tell(events.LaunchFailed(workers, "no such queue"))
            return
        self.launched_count += len(workers)
        for worker in workers:
            self.jobs[worker] = None
            pend_s = world.some(world.scenario.pend_s)
            is_stillborn = world.happens(world.scenario.stillborn)
            begin = self._over if is_stillborn else self._begin
            world.clock.after(pend_s, begin, worker, "exit status 1")
        world.clock.after(self._delay(), self._answer, workers, tell)

    def _answer(self, workers: tuple[WorkerName, ...], tell: Callable[[Event], None]) -> None:
        if tell != self._tell:
            return
        self._known.update(workers)
        for name in workers:
            self._world.journal.launched_as(name, f"job-{name}")
        tell(events.LaunchSucceeded(workers, tuple(f"job-{name}" for name in workers)))

    def _begin(self, worker: str, _: str) -> None:
        if worker not in self.jobs:
            return
        link = self._world.connect(self._world.worker_door)
        if link is None:
            self._world.clock.after(0.2, self._begin, worker, "")
            return
        self.jobs[worker] = made = SimWorker(self._world, worker, link, self._over)
        self._workers.append(made)

    def _over(self, worker: str, reason: str) -> None:
        if worker in self.jobs:
            del self.jobs[worker]
            self._world.note(f"the job of {worker} is over: {reason}")
            if worker in self._in_doubt:
                self._look_later(worker)

    def _kill(self, worker: str, tell: Callable[[Event], None]) -> None:
        if tell != self._tell:
            return  # it was killed before it could say so
        self._world.journal.over(worker)
        running = self.jobs.get(worker)
        if running is not None:
            running.die()
        else:
            self._over(worker, "cancelled")

    def _look_later(self, worker: str) -> None:
        if worker not in self.jobs:
            self._world.clock.after(_LOOK_S, self._look, worker)

    def _look(self, worker: str) -> None:
        if worker in self._in_doubt:
            self._in_doubt.discard(worker)
            self._known.discard(worker)
            self._world.journal.over(worker)
            self._tell(events.JobGone(WorkerName(worker), "exit status 1", "its log"))

    def _make_trouble(self) -> None:
        world = self._world
        if world.is_calm or world.scenario.trouble_s == float("inf"):
            return
        world.clock.after(world.some(world.scenario.trouble_s), self._make_trouble)
        worker = self._pick()
        if worker is None:
            return
        what = world.random.choice(("is killed", "vanishes", "is cut off", "falls silent"))
        world.note(f"{worker.name} {what}")
        match what:
            case "is killed":
                worker.die()
            case "vanishes":
                worker.fall_silent()
                worker.die()
            case "is cut off":
                worker.be_cut_off()
            case _:
                worker.fall_silent()

    def _pick(self) -> SimWorker | None:
        """Any worker that is not over."""
        workers = self._workers
        while workers:
            place = self._world.random.randrange(len(workers))
            workers[place], workers[-1] = workers[-1], workers[place]
            if not workers[-1].is_over:
                return workers[-1]
            workers.pop()
        return None


def _ignore(_: Event) -> None:
    pass
