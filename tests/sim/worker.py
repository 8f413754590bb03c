"""A simulated worker: the real agent, with tasks that only take time."""

from collections.abc import Callable
from typing import assert_never

from dfm.version import VERSION
from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import Held
from dfm_worker.agent import Action, Agent, End, Heard, Leave, Reconnect, Send, Start
from tests.sim import network
from tests.sim.world import World

_DIES_S = 0.01  # a task that is killed


class SimWorker:
    """From the start of its job to its end, of which `over` is told."""

    def __init__(
        self, world: World, name: str, link: network.End, over: Callable[[str, str], None]
    ) -> None:
        self.name = name
        self.is_over = False
        self._world = world
        self._link: network.End | None = None
        self._over = over
        self._running: dict[Held, None] = {}
        self._leaving: Leave | None = None
        self._due = float("inf")  # when the agent is called next
        slots = world.scenario.slots
        hello = wire.Hello(
            MAJOR,
            MINOR,
            VERSION,
            name,
            world.scenario.host(name),
            1,
            f"job-{name}",
            slots,
            slots,
            None,
            [],
            [],
        )
        self._agent = Agent(hello, world.clock.now)
        self._connect(link)

    def _connect(self, link: network.End) -> None:
        self._link = link
        link.hear = self._hear
        link.lost = self._lost
        self._perform(self._agent.connected(self._world.clock.now))

    def _look(self) -> None:
        if self.is_over or self._leaving is not None:
            return
        link = self._world.connect(self._world.worker_door)
        if link is not None:
            self._connect(link)
        else:
            self._perform(self._agent.not_connected(self._world.clock.now))

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.hear = self._link.lost = _ignore
            self._link.close()
            self._link = None

    def die(self) -> None:
        """With all of its tasks, and without a word of its own; the connection ends."""
        self._hang_up()
        self._world.ledger.worker_died(self.name)
        self._finish("killed")

    def fall_silent(self) -> None:
        """Its network is gone, and comes back when it looks for the daemon; it goes on."""
        if self._link is not None:
            self._link.silence()

    def be_cut_off(self) -> None:
        if self._link is not None:
            self._link.tear()

    def check_idle(self) -> None:
        """It holds nothing."""
        (send,) = self._agent.connected(self._world.clock.now)
        assert isinstance(send, Send)
        hello = send.message
        assert isinstance(hello, wire.Hello)
        assert not hello.running, hello.running
        assert not hello.finished, hello.finished
        assert not self._running

    def _hear(self, message: Heard) -> None:
        if not self.is_over:
            self._perform(self._agent.hear(message, self._world.clock.now))

    def _lost(self, reason: str) -> None:
        if not self.is_over:
            self._link = None
            self._perform(self._agent.disconnected(self._world.clock.now))

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(message):
                    if self._link is not None:
                        self._link.send(message)
                case Start():
                    self._start(action)
                case End(held, grace_s):
                    delay_s = min(grace_s, 0.1) if grace_s else _DIES_S
                    self._world.clock.after(delay_s, self._ended, held, -15, delay_s)
                case Reconnect(after_s):
                    self._hang_up()
                    self._world.clock.after(after_s, self._look)
                case Leave():
                    self._leaving = self._leaving or action
                case _:
                    assert_never(action)
        if self._leaving is not None and not self._running:
            self._hang_up()
            if self._leaving.status:
                self._world.ledger.worker_died(self.name)
            self._finish(self._leaving.reason)
            return
        due = self._agent.next_deadline()
        if due < self._due:
            self._arm(due)

    def _start(self, start: Start) -> None:
        held = start.attempt
        assert start.blobs == [environment(held.run)]
        assert self._leaving is None, f"{self.name} starts {held} although it leaves"
        assert len(self._running) < self._world.scenario.slots, f"too many tasks on {self.name}"
        self._world.ledger.starts(held, self.name)
        self._running[held] = None
        clock = self._world.clock
        self._agent.started(held, clock.now, clock.now)
        wall_s, status = start.spec.split()
        clock.after(float(wall_s), self._ended, held, int(status), float(wall_s))

    def _ended(self, held: Held, status: int, wall_s: float) -> None:
        if self.is_over or held not in self._running:
            return  # it was killed meanwhile
        del self._running[held]
        self._world.ledger.ends(held, self.name)
        result = result_of(held, status)
        self._perform(self._agent.ended(held, status, wall_s * 1000, result))

    def _arm(self, due: float) -> None:
        self._due = due
        self._world.clock.at(max(due, self._world.clock.now), self._tick, due)

    def _tick(self, due: float) -> None:
        if self.is_over or due != self._due:
            return
        self._due = float("inf")
        self._perform(self._agent.tick(self._world.clock.now))

    def _finish(self, reason: str) -> None:
        if not self.is_over:
            self.is_over = True
            for held in self._running:
                self._world.ledger.ends(held, self.name)
            self._running.clear()
            self._over(self.name, reason)


def environment(run: str) -> bytes:
    """What the tasks of a run have in common."""
    return f"environment of {run}".encode()


def result_of(held: Held, status: int) -> bytes:
    return f"{held.run} {held.task} {held.attempt} {status}".encode()


def _ignore(_: object) -> None:
    pass
