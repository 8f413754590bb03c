"""A simulated `dfm run`: wants tasks, and holds every answer against what it was promised."""

from array import array
from typing import Any, NamedTuple

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

    def __init__(self, world: World, run: str, count: int) -> None:
        self.run = run
        self.is_over = False
        self.has_left = False  # without its answers
        self.answered = 0
        self._world = world
        self._link: End | None = None
        self._is_welcome = False
        self._return_count = 0  # that it was connected again
        self._has_plan = False
        self._cancel: wire.Cancel | None = None
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
        self._look(is_back=False)

    def cut(self) -> None:
        """Its connection breaks, and it comes back."""
        if self._link is not None:
            self._world.note(f"{self.run} is cut off")
            self._link.tear()

    def _look(self, *, is_back: bool) -> None:
        if self.is_over or self._link is not None:
            return
        link = self._world.connect(self._world.client_door)
        if link is None:
            self._world.clock.after(0.1, lambda: self._look(is_back=is_back))
            return
        self._link = link
        link.hear = self._hear
        link.lost = self._lost
        self._return_count += is_back
        link.send(wire.Hello(MAJOR, MINOR, VERSION, self.run, 1, "ann", "desk", is_back))

    def _say(self, message: NamedTuple) -> None:
        if self._link is not None and self._is_welcome:
            self._link.send(message)

    def check_over(self) -> None:
        assert self.is_over
        self._check_all_answered()

    def _check_all_answered(self) -> None:
        if self.has_left:
            return
        wrong = [task for task in range(self._submitted) if not self._answers[task]]
        assert not wrong, f"{self.run} has no answer to {wrong[:10]}"

    def _hear(self, message: Any) -> None:
        """What it is told while it asks again can be said twice."""
        match message:
            case wire.Started(task) | wire.Lost(task) if self._is_said_twice(task):
                pass
            case wire.Finished(task, attempt) if self._is_said_twice(task):
                self._say(wire.Acknowledged(task, attempt))
            case wire.Welcome():
                self._is_welcome = True
                self._begin()
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
                    self._newest[task] = attempt + 1
                    self._losses[task] += 1
                    lives = self._asked[task] + self._return_count  # each daemon counts anew
                    most = self._world.scenario.retries * lives
                    assert self._losses[task] <= most, f"{self.run}/{task} is run too often"
            case wire.Withdrawn(tasks):
                assert self._has_withdrawn, f"nobody withdrew {tasks} of {self.run}"
                for task in tasks:
                    if not self._is_said_twice(task):
                        self._answer(task)
            case wire.Workers():
                pass
            case _:
                raise AssertionError(f"{self.run} is told {message}")
        self._leave_if_done()

    def _begin(self) -> None:
        if self._has_withdrawn:
            self._say(wire.Withdraw())
        self._say(wire.Blob(0, environment(self.run)))
        for number, cores in enumerate(self._world.scenario.shapes):
            self._say(wire.Shape(number, f"{cores}c", cores))
        if self._return_count:
            for task in range(self._submitted):
                if not self._answers[task]:
                    self._submit(task)
            if self._cancel is not None:
                self._say(self._cancel)
            self._say(wire.Settled())
        if not self._has_plan:
            self._has_plan = True
            self._submit_more()
            self._plan()

    def _submit_more(self) -> None:
        if self.is_over or self._has_withdrawn:
            return
        end = min(self._submitted + _AT_ONCE, self._count)
        for task in range(self._submitted, end):
            self._asked[task] += 1
            self._submit(task)
        self._submitted = end
        if end < self._count:
            self._world.clock.after(_PAUSE_S, self._submit_more)

    def _submit(self, task: int) -> None:
        scenario = self._world.scenario
        wall_s = scenario.walls_s[task % len(scenario.walls_s)]
        if task not in self._statuses:
            self._statuses[task] = int(self._world.happens(scenario.failing))
        spec = f"{wall_s * self._world.random.choice((0.5, 1.0, 1.5))} {self._status(task)}"
        shape = task % len(scenario.shapes)
        wanted = {"lic": 1 + task % 2} if scenario.tokens and task % 3 == 0 else {}
        submission = wire.Submit(
            task, "flow.task", spec.encode(), [0], shape, self._newest[task], priority=task % 5 // 4,
            limits=wanted, expected_s=wall_s if task % 2 else 0.0,
        )  # fmt: skip
        self._say(submission)

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
        self._say(wire.Withdraw())
        if self._world.random.random() < 0.5:
            grace_s = self._world.random.choice((0.0, 5.0))
            self._cancel = wire.Cancel(grace_s)
            self._say(self._cancel)
            scenario = self._world.scenario
            patience_s = grace_s + 2 * scenario.lease_s
            if scenario.daemon_dies_s == scenario.cutting_s == float("inf"):
                self._world.clock.after(patience_s, self._check_all_answered)
        self._leave_if_done()

    def _ask_again(self) -> None:
        if self.is_over or self._has_withdrawn:
            return
        self._world.note(f"{self.run} asks again")
        self._world.ledger.run_asks_again(self.run)
        for task in range(self._submitted):
            if not self._answers[task]:
                self._asked[task] += 1
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
        self._say(wire.Acknowledged(task, attempt))
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

    def _is_said_twice(self, task: int) -> bool:
        return self._return_count > 0 and self._has_final_answer(task)

    def _leave_if_done(self) -> None:
        is_asking = self._submitted < self._count and not self._has_withdrawn
        if self.is_over or is_asking or self._unsaid_count or self.answered < self._submitted:
            return
        self._end()

    def _end(self) -> None:
        self.is_over = True
        self._world.open_runs -= 1
        if self._link is not None:
            self._link.send(wire.Bye())  # or its process is seen to end
            self._link.close()

    def _lost(self, reason: str) -> None:
        self._link = None
        self._is_welcome = False
        if self.is_over:
            return
        scenario = self._world.scenario
        assert min(scenario.daemon_dies_s, scenario.cutting_s) < float("inf"), reason
        pause_s = min(self._world.some(0.3), scenario.grace_s / 3)
        self._world.clock.after(pause_s, lambda: self._look(is_back=True))
