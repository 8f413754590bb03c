"""What a run asks of whatever has its tasks executed: the local runner, or a daemon."""

from typing import Protocol

from dfm.wire.task import Requirements, TaskSpec


class Dispatcher(Protocol):
    """Has tasks executed, here or elsewhere, and tells the run what became of them."""

    def wants_more(self) -> bool:
        """Whether another task would do anything else than wait in a queue of this process."""

    def submit(
        self,
        number: int,
        spec: TaskSpec,
        inputs: bytes,
        requirements: Requirements,
        expected_s: float,
    ) -> None:
        """Has a task executed. Tasks with the same inputs come with the same object.

        `expected_s` is how long the task took the last time; 0: not known.
        """

    def withdraw(self) -> None:
        """Takes back what has not started; the run hears of it by `withdrawn`."""

    def cancel(self, grace_s: float) -> None:
        """Ends what runs, SIGKILL after the grace; the run hears of each by `finished`."""
