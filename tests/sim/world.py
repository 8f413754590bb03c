"""What all parts of a simulation share."""

import random

from tests.sim.clock import Clock
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

    def some(self, mean: float) -> float:
        """A random time of this mean."""
        return self.random.expovariate(1.0 / mean)

    def happens(self, chance: float) -> bool:
        return not self.is_calm and self.random.random() < chance

    def connect(self) -> tuple[End, End]:
        return connect(self.clock, self._delay)

    def note(self, what: object) -> None:
        self.trace.note(self.clock.now, what)

    def _delay(self) -> float:
        return self.scenario.delay_s * 2 * (1e-6 + self.random.random())
