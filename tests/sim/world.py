"""What all parts of a simulation share."""

import random
from collections.abc import Callable

from tests.sim.clock import Clock
from tests.sim.journal import Journal
from tests.sim.ledger import Ledger, Trace
from tests.sim.network import End, connect
from tests.sim.scenario import Scenario


class World:
    """The clock, the dice and the books of one simulation."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = Clock()
        self.random = random.Random(scenario.seed)
        self.ledger = Ledger()
        self.trace = Trace(is_summed=scenario.checks == 1)
        self.open_runs = scenario.runs  # that are not over
        self.is_calm = False  # nothing more goes wrong
        self.journal = Journal()
        # Where peers come in; None while there is no daemon.
        self.worker_door: Callable[[End], None] | None = None
        self.client_door: Callable[[End], None] | None = None

    def some(self, mean: float) -> float:
        """A random time of this mean."""
        return self.random.expovariate(1.0 / mean)

    def happens(self, chance: float) -> bool:
        return not self.is_calm and self.random.random() < chance

    def connect(self, door: Callable[[End], None] | None) -> End | None:
        """The caller's end of a connection through a door; None if nobody is behind it."""
        if door is None:
            return None
        ours, theirs = connect(self.clock, self._delay)
        door(ours)
        return theirs

    def note(self, what: object) -> None:
        self.trace.note(self.clock.now, what)

    def _delay(self) -> float:
        return self.scenario.delay_s * 2 * (1e-6 + self.random.random())
