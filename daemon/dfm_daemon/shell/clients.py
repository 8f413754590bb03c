"""The clients' side of the daemon: `dfm run`, and the commands that ask and steer."""

import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from dfm.errors import ProtocolError
from dfm.link import Link
from dfm.version import VERSION
from dfm.wire import client as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.state import Demand, RunId, Shape
from dfm_daemon.shell.lives import Lives
from dfm_daemon.shell.questions import Questions
from dfm_daemon.shell.workers import Blobs

log = logging.getLogger(__name__)


class Clients:
    """The links to all clients that have said hello."""

    def __init__(
        self,
        tell: Callable[[Event], None],
        blobs: Blobs,
        welcome: wire.Welcome,
        status: Callable[[], bytes],
        questions: Questions,
        run_left: Callable[[], None],
        snapshot: Callable[[wire.AskSnapshot], wire.Snapshot],
    ) -> None:
        self._tell = tell
        self._blobs = blobs
        self._welcome = welcome
        self._status = status
        self._questions = questions
        self._run_left = run_left
        self._snapshot = snapshot
        self._runs: dict[RunId, Link] = {}
        self._pids: dict[RunId, int] = {}
        self._lives = Lives()
        self._shapes: dict[RunId, dict[int, Shape]] = {}
        self._links: set[Link] = set()
        self._over: set[RunId] = set()  # they have said so, and their connections end

    def meet(self, link: Link, hello: Any) -> None:
        """A process of an allowed user has said hello."""
        if link.closed.done():
            return  # it is gone again, and nobody would ever say so
        if not isinstance(hello, wire.Hello):
            link.cut("its first message was no hello")
            return
        if hello.major != MAJOR:
            reason = (
                f"this dfm {hello.version} speaks protocol {hello.major}.{hello.minor}, the daemon"
                f" (dfm {VERSION}) {MAJOR}.{MINOR}"
            )
            self._refuse(link, reason, "`dfm daemon stop`, then start it with this dfm")
            return
        run = RunId(hello.run)
        if run in self._runs and hello.is_back and self._pids[run] == hello.pid:
            self._let_go(run)
        elif run in self._runs:
            self._refuse(link, f"run {run} is connected already", "")
            return
        link.trust()
        self._links.add(link)
        link.hear = partial(self._hear, link, run)
        link.lost = lambda reason: self._lost(link, run, reason)
        if run:
            self._runs[run] = link
            self._shapes[run] = {}
            self._pids[run] = hello.pid
            if hello.host == socket.gethostname():
                self._lives.begin(run, hello.pid)
            self._tell(
                events.RunJoined(run, hello.pid, hello.user, hello.host, is_back=hello.is_back)
            )
            verb = "is back" if hello.is_back else "joined"
            log.info("run=%s %s: pid=%d user=%s", run, verb, hello.pid, hello.user)
        link.send(self._welcome)

    def send(self, run: RunId, message: Any) -> None:
        link = self._runs.get(run)
        if link is not None:
            link.send(message)

    def stop_all(self, message: Any) -> list[Link]:
        """Says this to everybody as the last thing; returns the links, which are closing."""
        for link in self._links:
            link.send(message)
            link.close()
        return list(self._links)

    @staticmethod
    def _refuse(link: Link, reason: str, hint: str) -> None:
        log.warning("client %s refused: %s", link.peer, reason)
        link.send(wire.Refused(reason, hint))
        link.close()

    def _hear(self, link: Link, run: RunId, message: Any) -> None:
        match message:
            case wire.Submit(task, name, spec, blobs, number, attempt) if run:
                shape = self._shapes[run].get(number)
                if shape is None:
                    raise ProtocolError(f"task {task} refers to a shape that was not sent")
                if not blobs or not all(self._blobs.has(run, blob) for blob in blobs):
                    raise ProtocolError(f"task {task} refers to blobs that were not sent")
                demand = Demand(
                    message.priority, message.walltime_s, tuple(message.limits.items()),
                    message.expected_s, message.names_walltime,
                )  # fmt: skip
                self._tell(
                    events.TaskSubmitted(
                        run, task, name, spec, tuple(blobs), shape, attempt, demand
                    )
                )
            case wire.Shape(number, name, cores) if run:
                if cores < 1:
                    raise ProtocolError(f"a shape of {cores} cores")
                self._shapes[run][number] = Shape(
                    name, cores, message.memory_mib, message.queue, message.resource_class,
                    tuple(message.resource_select),
                    "" if message.runner == self._welcome.runner else message.runner,
                    tuple(sorted(message.options.items())),
                )  # fmt: skip
            case wire.Acknowledged(task, attempt) if run:
                self._tell(events.ResultTaken(run, task, attempt))
            case wire.Blob(blob, data) if run:
                self._blobs.add(run, blob, data)
            case wire.Withdraw() if run:
                self._tell(events.RunWithdrew(run))
            case wire.Cancel(grace_s) if run:
                self._tell(events.RunCancelled(run, grace_s))
            case wire.Settled() if run:
                self._tell(events.RunSettled(run))
            case wire.Bye() if run:
                self._over.add(run)
            case wire.AskStatus():
                link.send(wire.Status(self._status()))
            case wire.AskWhy(task):
                self._questions.ask(task, lambda answer: link.send(wire.Why(answer)))
            case wire.Answer(number, answer) if run:
                self._questions.answered(run, number, answer)
            case wire.AskSnapshot():
                link.send(self._snapshot(message))
            case wire.Ping(number):
                link.send(wire.Pong(number))
            case wire.Stop(drain):
                log.info("asked to stop%s", " after the running tasks" if drain else "")
                self._tell(events.StopAsked(drain))
            case _:
                raise ProtocolError(f"a client does not send {type(message).__name__} here")

    def _lost(self, link: Link, run: RunId, reason: str) -> None:
        self._links.discard(link)
        if not run:
            return
        del self._runs[run], self._shapes[run], self._pids[run]
        self._questions.run_left(run)
        if run in self._over:
            self._over.discard(run)
            self._lives.forget(run)
            self._left(run, "it is over")
        else:
            log.info("run=%s connection lost: %s", run, reason)
            self._tell(events.RunAway(run))
            self._lives.when_dead(run, lambda: self._left(run, "its process has ended"))
        self._run_left()

    def _left(self, run: RunId, reason: str) -> None:
        log.info("run=%s left: %s", run, reason)
        self._tell(events.RunLeft(run))

    def forget_run(self, run: RunId) -> None:
        self._lives.forget(run)

    def _let_go(self, run: RunId) -> None:
        """Of the connection that a run has given up."""
        old = self._runs[run]
        self._links.discard(old)
        old.hear = old.lost = _ignore
        old.cut("it has connected again")


def _ignore(_: Any) -> None:
    pass
