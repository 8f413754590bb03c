"""A simulated `dfm run`: wants tasks, and holds every answer against what it was promised."""

from array import array
from typing import Any

from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import Held
from tests.sim.network import End
from tests.sim.worker import environment, result_of
from tests.sim.world import World

_AT_ONCE, _PAUSE_S = 1000, 0.02  # submissions


class SimClient:
    """One run. Each of its tasks is answered once: finished, lost for good, or withdrawn."""

    def __init__(self, world: World, run: str, count: int, link: End) -> None:
        self.run = run
        self.is_over = False
        self.has_left = False  # without its answers
        self.answered = 0
        self._world = world
        self._link = link
        self._count = count
        self._submitted = 0
        self._asked = array("b", bytes(count))  # how often it was submitted
        self._answers = array("b", bytes(count))
        self._newest = array("h", bytes(2 * count))  # attempt that was heard of
        self._lost_attempts = array("h", bytes(2 * count))
        self._losses = array("b", bytes(count))
        self._has_withdrawn = False
        self._unsaid_count = 0  # acknowledgements
        self._statuses: dict[int, int] = {}  # of those that fail
        link.hear = self._hear
        link.lost = self._lost
        link.send(wire.Hello(MAJOR, MINOR, VERSION, run, 1, "ann", "desk"))

    def check_over(self) -> None:
        assert self.is_over
        self._check_all_answered()

    def _check_all_answered(self) -> None:
        if self.has_left:
            return
        wrong = [task for task in range(self._submitted) if not self._answers[task]]
        assert not wrong, f"{self.run} has no answer to {wrong[:10]}"

    def _hear(self, message: Any) -> None:
        match message:
            case wire.Welcome():
                self._link.send(wire.Blob(0, environment(self.run)))
                for number, cores in enumerate(self._world.scenario.shapes):
                    self._link.send(wire.Shape(number, f"{cores}c", cores))
                self._submit_more()
                self._plan()
            case wire.Started(task, attempt):
                assert not self._has_final_answer(task), f"{self.run}/{task} starts after its end"
                self._note_attempt(task, attempt)
            case wire.Finished(task, attempt, result):
                self._finished(task, attempt, result)
            case wire.Lost(task, attempt, _, is_final):
                self._note_attempt(task, attempt)
                if is_final:
                    self._answer(task)
                else:
                    self._lost_attempts[task] = attempt
                    self._losses[task] += 1
                    most = self._world.scenario.retries * self._asked[task]
                    assert self._losses[task] <= most, f"{self.run}/{task} is run too often"
            case wire.Withdrawn(tasks):
                assert self._has_withdrawn, f"nobody withdrew {tasks} of {self.run}"
                for task in tasks:
                    self._answer(task)
            case wire.Workers():
                pass
            case _:
                raise AssertionError(f"{self.run} is told {message}")
        self._leave_if_done()

    def _submit_more(self) -> None:
        if self.is_over or self._has_withdrawn:
            return
        end = min(self._submitted + _AT_ONCE, self._count)
        for task in range(self._submitted, end):
            self._submit(task)
        self._submitted = end
        if end < self._count:
            self._world.clock.after(_PAUSE_S, self._submit_more)

    def _submit(self, task: int) -> None:
        scenario = self._world.scenario
        wall_s = scenario.walls_s[task % len(scenario.walls_s)]
        if not self._asked[task] and self._world.happens(scenario.failing):
            self._statuses[task] = 1
        spec = f"{wall_s * self._world.random.choice((0.5, 1.0, 1.5))} {self._status(task)}"
        shape = task % len(scenario.shapes)
        self._asked[task] += 1
        submission = wire.Submit(task, "flow.task", spec.encode(), [0], shape, self._newest[task])
        self._link.send(submission)

    def _status(self, task: int) -> int:
        return self._statuses.get(task, 0)

    def _plan(self) -> None:
        """What this run will do that not every run does."""
        world = self._world
        length_s = world.scenario.walls_s[0] * self._count / world.scenario.workers
        for chance, what in (
            (world.scenario.leaving, self._leave),
            (world.scenario.withdrawing, self._withdraw),
            (world.scenario.asking_again, self._ask_again),
        ):
            if world.happens(chance):
                world.clock.after(world.some(length_s + 1.0), what)

    def _leave(self) -> None:
        if not self.is_over:
            self.has_left = True
            self._world.note(f"{self.run} goes away")
            self._end()

    def _withdraw(self) -> None:
        if self.is_over:
            return
        self._has_withdrawn = True
        self._world.note(f"{self.run} withdraws")
        self._link.send(wire.Withdraw())
        if self._world.random.random() < 0.5:
            grace_s = self._world.random.choice((0.0, 5.0))
            self._link.send(wire.Cancel(grace_s))
            patience_s = grace_s + 2 * self._world.scenario.lease_s
            self._world.clock.after(patience_s, self._check_all_answered)
        self._leave_if_done()

    def _ask_again(self) -> None:
        if self.is_over or self._has_withdrawn:
            return
        self._world.note(f"{self.run} asks again")
        for task in range(self._submitted):
            if not self._answers[task]:
                self._submit(task)

    def _finished(self, task: int, attempt: int, result: bytes) -> None:
        statuses = (self._status(task), -15)
        held = Held(self.run, task, attempt)
        assert result in [result_of(held, status) for status in statuses], result
        assert result == result_of(held, statuses[0]) or self._has_withdrawn, "who cancelled it?"
        self._note_attempt(task, attempt)
        self._answer(task)
        self._unsaid_count += 1
        self._world.clock.after(self._world.some(0.05), self._acknowledge, task, attempt)

    def _acknowledge(self, task: int, attempt: int) -> None:
        self._unsaid_count -= 1
        self._link.send(wire.Acknowledged(task, attempt))
        self._leave_if_done()

    def _note_attempt(self, task: int, attempt: int) -> None:
        is_old = attempt < self._newest[task] or attempt <= self._lost_attempts[task]
        assert not is_old, f"{self.run}/{task}: an old attempt {attempt}"
        self._newest[task] = attempt

    def _answer(self, task: int) -> None:
        """The only one; but a submission may cross the loss of what it asks for again."""
        assert not self._has_final_answer(task), f"{self.run}/{task} is answered twice"
        if not self._answers[task]:
            self.answered += 1
        self._answers[task] += 1

    def _has_final_answer(self, task: int) -> bool:
        return self._answers[task] >= self._asked[task]

    def _leave_if_done(self) -> None:
        is_asking = self._submitted < self._count and not self._has_withdrawn
        if self.is_over or is_asking or self._unsaid_count or self.answered < self._submitted:
            return
        self._end()

    def _end(self) -> None:
        self.is_over = True
        self._world.open_runs -= 1
        self._link.close()

    def _lost(self, reason: str) -> None:
        assert self.is_over, f"{self.run} is cut off: {reason}"
