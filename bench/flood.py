"""A client that has tasks by the hundred thousand, and does nothing with their results."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

from dfm.client.control import hello
from dfm.client.find import connect, find
from dfm.config.state_folder import StateFolder
from dfm.link import Link
from dfm.wire import client as wire
from dfm.wire.client import CLIENT_LINK
from dfm.wire.task import SPEC, TaskSpec

_EMPTY_MAP = b"\x80"  # as MessagePack: an environment


class Flood:
    """One run; at most `window` of its tasks are with the daemon at once."""

    def __init__(self, window: int) -> None:
        self.text = 0  # bytes of names and specs that were sent
        self._window = window
        self._link = Link(CLIENT_LINK, "daemon")
        self._submitted = self._finished = self._wanted = 0
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, flow: Path) -> None:
        found = find(StateFolder(str(flow)))
        assert found is not None
        connection = connect(found.socket)
        assert connection is not None
        connection.setblocking(False)
        self._link.trust()
        await asyncio.get_running_loop().create_unix_connection(lambda: self._link, sock=connection)
        self._link.hear, self._link.lost = self._hear, self._lost
        self._link.send(hello(secrets.token_hex(6)))
        await self._over
        self._link.send(wire.Blob(0, _EMPTY_MAP))
        self._link.send(wire.Shape(0, "1c", 1))

    async def run(self, count: int) -> None:
        """Until so many more are over."""
        self._over = asyncio.get_running_loop().create_future()
        self._wanted += count
        self.submit(min(count, self._window))
        await self._over

    def submit(self, count: int) -> None:
        for number in range(self._submitted, self._submitted + count):
            name = f"project.block.test_{number}"
            place = f"/project/rundir/{name}"
            spec = SPEC.pack(
                TaskSpec(name, place, "/project", "bash", "true", b"{}", None, {}, [], 0, 0, b"[]")
            )
            self.text += len(name) + len(spec)
            self._link.send(wire.Submit(number, name, spec, [0], 0))
        self._submitted += count

    async def close(self) -> None:
        self._link.lost = lambda reason: None
        self._link.send(wire.Bye())
        self._link.close()
        await self._link.closed

    def _hear(self, message: Any) -> None:
        if isinstance(message, wire.Finished):
            self._link.mention(wire.Acknowledged(message.task, message.attempt))
            self._finished += 1
            if self._submitted < self._wanted:
                self.submit(1)
            if self._finished == self._wanted:
                self._over.set_result(None)
        elif isinstance(message, wire.Welcome):
            self._over.set_result(None)
        elif isinstance(message, wire.Lost | wire.Refused | wire.Stopping):
            self._lost(message.reason)

    def _lost(self, reason: str) -> None:
        if not self._over.done():
            self._over.set_exception(RuntimeError(reason))
