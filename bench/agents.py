"""Many workers in one process, that run nothing: the real agent and the real connection of each, and
tasks that are over when they start. CrowdRunner starts it.

Reads the command lines of the workers from standard input, as a JSON array.
"""

import json
import os
import sys
import time
from typing import assert_never

from dfm.errors import DaemonError
from dfm.version import VERSION
from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.task import RESULT, Command, TaskResult
from dfm_worker.__main__ import parser
from dfm_worker.agent import Action, Agent, End, Leave, Reconnect, Send, Start
from dfm_worker.connection import Connection, connect
from dfm_worker.loop import Loop


class Noop:
    """One worker. Says at the end of a turn of the loop what it has to say."""

    def __init__(self, crowd: "Crowd", arguments: list[str]) -> None:
        words = parser().parse_args(arguments)
        self._crowd = crowd
        hello = wire.Hello(
            MAJOR, MINOR, VERSION, words.worker, os.uname().nodename, os.getpid(), words.worker,
            words.cores, words.slots, words.deadline, [], [],
        )  # fmt: skip
        clock = crowd.loop.time
        self.agent = Agent(hello, clock())
        self.connection = Connection(
            crowd.loop,
            connect(words.connect, words.credentials),
            lambda message: self.perform(self.agent.hear(message, clock())),
            lambda reason: crowd.leave(self),
        )
        self.perform(self.agent.connected(clock()))
        self.connection.flush()

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(message):
                    self.connection.send(message)
                    self._crowd.speaking[self] = None
                case Start(attempt):
                    self.perform(self.agent.ended(attempt, 0, 0.0, self._crowd.result))
                case End():
                    pass  # nothing runs
                case Leave() | Reconnect():
                    self._crowd.leave(self)
                case _:
                    assert_never(action)


class Crowd:
    """All workers of this process."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.speaking: dict[Noop, None] = {}
        self.result = RESULT.pack(
            TaskResult(0, time.time(), 0.0, [Command(["/usr/bin/true"], 0)], [])
        )
        self._present: dict[Noop, None] = {}
        self._coming: list[list[str]] = []
        self.loop.each_turn = self._turn

    def serve(self, commands: list[list[str]]) -> None:
        self._coming = commands
        self._come()
        self._tick()
        self.loop.run()

    def _come(self) -> None:
        """One more: those that are here already go on beating meanwhile."""
        command = self._coming.pop()
        try:
            self._present[Noop(self, command[command.index("--connect") :])] = None
        except DaemonError as error:
            print(f"again: {error}", file=sys.stderr)
            self._coming.append(command)
        if self._coming:
            self.loop.call_later(0.0, self._come)

    def leave(self, worker: Noop) -> None:
        if worker in self._present:
            del self._present[worker]
            worker.connection.flush()
            worker.connection.close()
        if not self._present:
            self.loop.stop()

    def _turn(self) -> None:
        speaking, self.speaking = self.speaking, {}
        for worker in speaking:
            if worker in self._present:
                worker.connection.flush()

    def _tick(self) -> None:
        now = self.loop.time()
        for worker in list(self._present):
            if worker.agent.next_deadline() <= now:
                worker.perform(worker.agent.tick(now))
        self.loop.call_later(1.0, self._tick)


if __name__ == "__main__":
    Crowd().serve(json.load(sys.stdin))
