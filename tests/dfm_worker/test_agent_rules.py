"""Whatever a daemon says in whatever order: every task that it assigns is answered exactly once."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dfm.wire import worker as wire
from dfm.wire.worker import Held
from dfm_worker.agent import Action, Agent, End, Heard, Leave, Send, Start

SLOTS = 2
helds = st.builds(
    Held, st.sampled_from(["r", "s"]), st.integers(1, 4), st.integers(1, 2)
)  # few: they meet again


class Rules(RuleBasedStateMachine):
    """A daemon that knows what it assigned, and the processes of a host."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.agent = Agent(wire.Hello(1, 0, "1", "w", "h", 1, "", 1, SLOTS, None, [], []), 0.0)
        self.assigned: set[Held] = set()
        self.dropped: set[Held] = set()
        self.started: Counter[Held] = Counter()
        self.answered: Counter[Held] = Counter()
        self.alive: list[Held] = []
        self.killed: set[Held] = set()
        self.unacknowledged: list[Held] = []
        self.is_draining = False
        self.is_welcome = True
        self.leaves: list[Leave] = []
        self.perform(self.agent.connected(0.0))
        self.hear(wire.Welcome(1, 0, "1", 30.0))
        for run in ("r", "s"):
            self.hear(wire.Blob(run, 0, b""))

    def hear(self, message: Heard) -> None:
        if self.is_welcome:
            self.perform(self.agent.hear(message, self.now))

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Start(held):
                    assert not self.leaves
                    self.started[held] += 1
                    self.alive.append(held)
                    self.agent.started(held, 0.0, self.now)
                case End(held):
                    assert held in self.alive
                    self.killed.add(held)
                case Leave():
                    self.leaves.append(action)
                case Send(wire.Finished(run, task, attempt)):
                    assert self.is_welcome
                    held = Held(run, task, attempt)
                    if held not in self.unacknowledged:  # else it says it again, to another daemon
                        self.answer(held)
                        self.unacknowledged.append(held)
                case Send(wire.Returned(run, task, attempt)):
                    held = Held(run, task, attempt)
                    assert not self.started[held]
                    self.answer(held)
                case Send(wire.Started(run, task, attempt)):
                    assert Held(run, task, attempt) in self.alive
                case Send(wire.Leaving()):
                    assert not self.alive
                    assert not self.unacknowledged

    def answer(self, held: Held) -> None:
        assert held in self.assigned
        assert held not in self.dropped
        assert not self.leaves
        self.answered[held] += 1

    @precondition(lambda self: self.is_welcome)
    @rule(held=helds)
    def assign(self, held: Held) -> None:
        if held not in self.assigned:  # an attempt has its number once
            self.assigned.add(held)
            self.hear(wire.Run(*held, b"", [0]))

    @precondition(lambda self: self.is_welcome and (self.alive or self.unacknowledged))
    @rule(data=st.data())
    def assign_again(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from([*self.alive, *self.unacknowledged]))
        self.hear(wire.Run(*held, b"", [0]))

    @rule(held=helds, grace_s=st.sampled_from([0.0, 5.0]))
    def cancel(self, held: Held, grace_s: float) -> None:
        self.hear(wire.Cancel(*held, grace_s))

    @rule(held=helds)
    def recall(self, held: Held) -> None:
        self.hear(wire.Recall(*held))

    @precondition(lambda self: self.is_welcome)
    @rule(held=helds)
    def drop(self, held: Held) -> None:
        if held in self.assigned and not self.leaves:
            self.dropped.add(held)
            if held in self.unacknowledged:
                self.unacknowledged.remove(held)
            self.hear(wire.Drop(*held))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), status=st.sampled_from([0, 1, -9]))
    def task_ends(self, data: st.DataObject, status: int) -> None:
        held = data.draw(st.sampled_from(self.alive))
        self.alive.remove(held)
        self.killed.discard(held)
        self.perform(self.agent.ended(held, status, 1.0, b""))

    @precondition(lambda self: self.is_welcome and self.unacknowledged)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.unacknowledged))
        self.unacknowledged.remove(held)
        self.hear(wire.Acknowledged(*held))

    @rule(passing=st.sampled_from([0.1, 9.0]))
    def time_passes(self, passing: float) -> None:
        self.now += passing
        self.hear(wire.Beat())
        self.perform(self.agent.tick(self.now))

    @precondition(lambda self: self.is_welcome and not self.is_draining)
    @rule()
    def drain(self) -> None:
        self.is_draining = True
        self.hear(wire.Drain("drained"))

    @precondition(lambda self: self.is_welcome and not self.leaves)
    @rule(is_silent=st.booleans())
    def lose_the_daemon(self, is_silent: bool) -> None:
        if is_silent:
            self.now += 31.0
            self.perform(self.agent.tick(self.now))
        else:
            self.perform(self.agent.disconnected(self.now))
        self.is_welcome = self.is_draining = False

    @precondition(lambda self: not self.is_welcome)
    @rule()
    def find_a_daemon(self) -> None:
        (hello,) = self.agent.connected(self.now)
        assert isinstance(hello, Send)
        assert isinstance(hello.message, wire.Hello)
        held = {*hello.message.running, *hello.message.finished}
        if not self.leaves:  # else what ran is lost with the worker
            assert held >= {*self.alive, *self.unacknowledged} - self.dropped, "said"
        assert held <= self.assigned - self.dropped, "and wanted"
        self.is_welcome = True
        self.hear(wire.Welcome(1, 0, "1", 30.0))
        for run in ("r", "s"):
            self.hear(wire.Blob(run, 0, b""))

    @precondition(lambda self: not self.leaves)
    @rule(how=st.sampled_from(["stop", "killed"]))
    def leave(self, how: str) -> None:
        alive = set(self.alive)
        if how == "stop" and self.is_welcome:
            self.hear(wire.Stop("stopped"))
        else:
            self.perform(self.agent.end("its job is killed"))
        assert len(self.leaves) == 1
        assert self.killed == alive

    @invariant()
    def nothing_is_done_twice(self) -> None:
        assert all(count == 1 for count in (*self.started.values(), *self.answered.values()))
        assert len(self.leaves) <= 1
        assert len(self.alive) <= SLOTS

    def teardown(self) -> None:
        """All that runs ends; what it starts next, too. Then everything is answered."""
        if not self.is_welcome and not self.leaves:
            self.find_a_daemon()
        while self.alive:
            held = self.alive.pop(0)
            self.perform(self.agent.ended(held, 0, 1.0, b""))
        if not self.leaves:
            assert set(self.answered) >= self.assigned - self.dropped
        for held in tuple(self.unacknowledged):
            self.unacknowledged.remove(held)
            self.hear(wire.Acknowledged(*held))
        assert bool(self.leaves) >= self.is_draining
        self.nothing_is_done_twice()


Rules.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestAnAssignedTaskIsAnsweredExactlyOnce = Rules.TestCase
