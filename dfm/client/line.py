"""The way to a living daemon: its socket on this host, or its TCP port on another one."""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dfm.config.state_folder import StateFolder
from dfm.config.this_host import host_name
from dfm.errors import DaemonError, ProtocolError
from dfm.link import Link, converse
from dfm.wire import prelude
from dfm.wire.prelude import NONCE_BYTES, Secret

if TYPE_CHECKING:
    import ssl


_CONNECT_S = 10.0  # for each address


class Line(Protocol):
    """Used once, in one of two ways. Both raise DaemonError."""

    @property
    def is_here(self) -> bool: ...
    def open(self) -> socket.socket:
        """For whoever asks and waits."""

    async def attach(self, link: Link) -> None:
        """For whoever has a loop."""


class Here(NamedTuple):
    """The daemon's socket, connected."""

    connection: socket.socket

    @property
    def is_here(self) -> bool:
        return True

    def open(self) -> socket.socket:
        return self.connection

    async def attach(self, link: Link) -> None:
        self.connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: link, sock=self.connection)


class Elsewhere(NamedTuple):
    """A daemon on another host, which shares the project's folder with this one."""

    who: str
    addresses: Sequence[tuple[str, int]]  # tried in this order
    credentials: str

    @classmethod
    def of(cls, document: Mapping[str, Any], state: StateFolder) -> "Elsewhere":
        """By what `daemon.json` says. Raises DaemonError if it can be used from its host only."""
        host = document["host"]
        who = f"the daemon of {state.project} runs on {host} (pid {document['pid']})"
        try:
            said = [(str(name), int(port)) for name, port in document.get("addresses", ())]
        except (TypeError, ValueError):
            said = []
        addresses = [address for address in said if not _is_loopback(address[0])]
        if not addresses:
            raise DaemonError(
                f"{who} and listens only there, since its workers are on that host, too; this is"
                f" {host_name()}",
                hint=f"use it from {host}, or set `runner.daemon.bind: 0.0.0.0` and start it anew",
            )
        return cls(who, addresses, f"{state.credentials}/client.pem")

    @property
    def is_here(self) -> bool:
        return False

    def open(self) -> socket.socket:
        from dfm import credentials  # `ssl`, which no one needs on the daemon's host

        try:
            return credentials.connect(self.addresses, self.credentials)
        except DaemonError as error:
            raise self._silent(str(error)) from None

    async def attach(self, link: Link) -> None:
        from dfm import credentials

        own = credentials.read(self.credentials)
        refusals = []
        for host, port in self.addresses:
            try:
                async with asyncio.timeout(_CONNECT_S):
                    await _attach(link, host, port, own)
                return
            except TimeoutError:
                refusals.append(f"{host}:{port}: timed out")
            except (OSError, UnicodeError, ProtocolError) as error:
                refusals.append(f"{host}:{port}: {error}")
        raise self._silent("no daemon answers at " + "; ".join(refusals))

    def _silent(self, why: str) -> DaemonError:
        return DaemonError(
            f"{self.who} and cannot be reached from {host_name()}: {why}",
            hint="`dfm daemon status` on that host says whether it lives. If it is gone for good,"
            " remove .dfm/daemon.json; `--runner local` runs tasks without it",
        )


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("localhost", "::1")


async def _attach(link: Link, host: str, port: int, own: "ssl.SSLContext | Secret") -> None:
    from dfm import credentials

    loop = asyncio.get_running_loop()
    sock = await asyncio.to_thread(socket.create_connection, (host, port), _CONNECT_S)
    try:
        sock.setblocking(False)
        credentials.prepare(sock)
        if isinstance(own, Secret):
            await converse(sock, prelude.of_peer(own, os.urandom(NONCE_BYTES)))
            await loop.create_connection(lambda: link, sock=sock)
        else:
            await loop.create_connection(lambda: link, sock=sock, ssl=own, server_hostname="")
    except BaseException:
        sock.close()
        raise
