"""Who stands at each of the daemon's doors: by what a peer proves that it may come in, and as what."""

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from dfm import credentials
from dfm.errors import ProtocolError
from dfm.link import Link, converse
from dfm.wire import prelude
from dfm.wire.client import CLIENT_LINK
from dfm.wire.prelude import CLIENT, NONCE_BYTES, WORKER, Secret
from dfm.wire.worker import WORKER_LINK

LINKS = {WORKER: WORKER_LINK, CLIENT: CLIENT_LINK}
SUBJECTS = {WORKER: "dfm worker", CLIENT: "dfm client"}  # of their certificates
_HANDSHAKE_S = 10.0  # else uvloop keeps what is left of a handshake for 60 s after its end
_ROLES = {subject: role for role, subject in SUBJECTS.items()}


class Stranger(Exception):
    """A peer that may not come in, and why."""


class Arrived(NamedTuple):
    """A peer that has proved its role; it has not said hello yet."""

    link: Link
    role: str


class Guard(Protocol):
    """Lets a connection through, or raises Stranger, OSError or ssl.SSLError."""

    async def let_through(self, connection: socket.socket, peer: str) -> Arrived: ...


class UserGuard:
    """At the Unix socket: processes of these users are clients."""

    def __init__(self, uids: Collection[int]) -> None:
        self._uids = uids

    async def let_through(self, connection: socket.socket, peer: str) -> Arrived:
        uid = peer_uid(connection)
        if uid not in self._uids:
            raise Stranger(f"uid {uid} may not use this socket")
        link = Link(CLIENT_LINK, peer)
        await _attach(connection, link)
        return Arrived(link, CLIENT)


class CertificateGuard:
    """At the TCP port: a certificate of the project says whether its owner is a worker or a client."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    async def let_through(self, connection: socket.socket, peer: str) -> Arrived:
        credentials.prepare(connection)
        link = Link(WORKER_LINK, peer)
        roles: list[str] = []

        def made(transport: asyncio.Transport) -> None:
            role = _ROLES.get(_subject(transport))
            if role is None:
                link.cut("its certificate is for no peer of the daemon")
            else:
                roles.append(role)
                link.speak(LINKS[role])

        link.made = made
        await _attach(connection, link, self._context)
        if not roles:
            raise Stranger("its certificate is for no peer of the daemon")
        return Arrived(link, roles[0])


class SecretGuard:
    """At the TCP port without TLS: who has a secret of the project is what the secret is for."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        self._secrets = secrets

    async def let_through(self, connection: socket.socket, peer: str) -> Arrived:
        credentials.prepare(connection)
        connection.setblocking(False)
        talk = prelude.of_daemon(self._secrets, os.urandom(NONCE_BYTES))
        try:
            role = await converse(connection, talk)
        except ProtocolError as error:
            raise Stranger(str(error)) from None
        link = Link(LINKS[role], peer)
        await _attach(connection, link)
        return Arrived(link, role)


def peer_uid(connection: socket.socket) -> int:
    """Of the process at the other end: unix(7), SO_PEERCRED."""
    said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", said)[1])


async def _attach(connection: socket.socket, link: Link, tls: ssl.SSLContext | None = None) -> None:
    loop = asyncio.get_running_loop()
    patience = _HANDSHAKE_S if tls is not None else None
    await loop.connect_accepted_socket(
        lambda: link, connection, ssl=tls, ssl_handshake_timeout=patience
    )


def _subject(transport: asyncio.BaseTransport) -> str:
    """The common name in the certificate that the peer has shown; TLS has verified it."""
    shown = transport.get_extra_info("peercert") or {}
    names = [
        value for part in shown.get("subject", ()) for key, value in part if key == "commonName"
    ]
    return names[0] if len(names) == 1 else ""
