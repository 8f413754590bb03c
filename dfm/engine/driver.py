"""Drives a run in an asyncio loop: calls it whenever something has happened, and ends with it."""

import asyncio
import signal
from collections.abc import Sequence

from dfm.engine.run import INTERRUPT_GRACE_S, Run
from dfm.wire.task import TaskResult

_AT_ONCE = 64  # nodes visited before the loop may look at what runs
_BLOCKED_S = 0.1  # until nodes that another run holds are looked at again


class Driver:
    """The listener of a dispatcher: passes everything on to the run and then lets it go on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        self.signal: signal.Signals | None = None  # that interrupted the run
        self._loop = loop
        self._run = run
        self._over: asyncio.Future[None] = loop.create_future()
        self._is_scheduled = False
        self._blocked: asyncio.TimerHandle | None = None

    async def drive(self) -> None:
        """Returns when every node is over. SIGINT and SIGTERM interrupt; a second one kills."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._interrupt, number)
        try:
            self._go_on()
            await self._over
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.remove_signal_handler(number)
            if self._blocked is not None:
                self._blocked.cancel()

    def fail(self, error: BaseException) -> None:
        """Ends `drive` with an error: nobody is left who could execute tasks."""
        if not self._over.done():
            self._over.set_exception(error)

    def started(self, number: int, where: str) -> None:
        self._run.started(number, where)

    def finished(self, number: int, result: TaskResult) -> None:
        self._run.finished(number, result)
        self._go_on()

    def lost(self, number: int, reason: str) -> None:
        self._run.lost(number, reason)
        self._go_on()

    def withdrawn(self, numbers: Sequence[int]) -> None:
        self._run.withdrawn(numbers)
        self._go_on()

    def _interrupt(self, number: signal.Signals) -> None:
        again = self.signal is not None
        self.signal = self.signal or number
        self._run.interrupt(0.0 if again else INTERRUPT_GRACE_S)
        self._go_on()

    def _go_on(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        try:
            if self._run.advance(_AT_ONCE):
                self._go_on()
        except Exception as error:  # noqa: BLE001 - a callback of the loop would only log it
            self.fail(error)
            return
        if self._run.is_over() and not self._over.done():
            self._over.set_result(None)
        elif self._run.is_blocked() and self._blocked is None:
            self._blocked = self._loop.call_later(_BLOCKED_S, self._look_again)

    def _look_again(self) -> None:
        self._blocked = None
        self._go_on()
