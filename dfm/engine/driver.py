"""Drives a run in an asyncio loop: calls it whenever something has happened, and ends with it."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

from dfm.engine.run import INTERRUPT_GRACE_S, Run
from dfm.wire.task import TaskResult

_AT_ONCE = 64  # nodes visited before the loop may look at what runs
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_KILLING = 2  # the interrupt that gives no grace any more
_BLOCKED_S = 0.1  # until nodes that another run holds are looked at again


class Driver:
    """The listener of a dispatcher: passes everything on to the run and then lets it go on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        self.signal: signal.Signals | None = None  # that interrupted the run
        self._interrupts = 0
        self._loop = loop
        self._run = run
        self._over: asyncio.Future[None] = loop.create_future()
        self._is_scheduled = False
        self._failure: BaseException | None = None
        self._blocked: asyncio.TimerHandle | None = None

    async def drive(self) -> None:
        """Returns when every node is over. SIGINT and SIGTERM interrupt; a second one kills."""
        self._loop.set_exception_handler(self._fault)
        for number in _INTERRUPTS:
            self._loop.add_signal_handler(number, self.interrupt, number)
        try:
            self._go_on()
            await self._over
        finally:
            self._release_signals()
            if self._blocked is not None:
                self._blocked.cancel()

    def _release_signals(self) -> None:
        """After an interrupted run they are ignored: impatience must not cut the summary off."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
        for number in _INTERRUPTS:
            self._loop.remove_signal_handler(number)
            if self.signal is not None:
                signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def fail(self, error: BaseException) -> None:
        """Ends `drive` with an error, unless all is done: nobody is left who could execute tasks."""
        self._failure = self._failure or error
        self._go_on()

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

    def asked(self, task: str) -> dict[str, Any]:
        return self._run.why(task)

    def _fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback has raised: a fault of dfm, and no reason to hang."""
        self.fail(context.get("exception") or RuntimeError(context["message"]))

    def interrupt(self, number: signal.Signals) -> None:
        """Nothing more begins, and what runs has a few seconds; the second time, none."""
        self._interrupts += 1
        if self._interrupts > _KILLING:  # all that can be done has been
            return
        self.signal = self.signal or number
        self._run.interrupt(0.0 if self._interrupts == _KILLING else INTERRUPT_GRACE_S)
        self._go_on()

    def _go_on(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        if self._over.done():
            return
        try:
            if self._run.advance(_AT_ONCE):
                self._go_on()
        except Exception as error:  # noqa: BLE001 - a callback of the loop would only log it
            self._over.set_exception(error)
            return
        if self._run.is_over():
            self._over.set_result(None)
        elif self._failure is not None:
            self._over.set_exception(self._failure)
        elif self._run.is_blocked() and self._blocked is None:
            self._blocked = self._loop.call_later(_BLOCKED_S, self._look_again)

    def _look_again(self) -> None:
        self._blocked = None
        self._go_on()
