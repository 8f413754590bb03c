"""The worker's connection to its daemon: TLS with the project's credentials on both sides.

What is said during one turn of the loop is one write.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dfm.errors import DaemonError, ProtocolError
from dfm.wire.codec import FRAME_LIMIT, Decoder
from dfm.wire.worker import WORKER_LINK
from dfm_worker.agent import Heard
from dfm_worker.loop import Loop

CONNECT_S = 10.0  # for each address
_READ = 256 * 1024


def client_context(credentials: str) -> ssl.SSLContext:
    """TLS 1.3 that shows the project's worker certificate and accepts only its daemon's.

    `credentials` is a PEM file: key, certificate, and the certificate of the project's authority.
    Raises DaemonError if it cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the project's own authority signs nothing but its daemon
    try:
        context.load_cert_chain(credentials)
        context.load_verify_locations(credentials)
    except (OSError, ssl.SSLError) as error:
        raise DaemonError(f"credentials {credentials} cannot be used: {error}") from None
    return context


def connect(addresses: Sequence[tuple[str, int]], credentials: str) -> ssl.SSLSocket:
    """The first of these addresses that answers as this project's daemon. Raises DaemonError."""
    context = client_context(credentials)
    refusals = []
    for host, port in addresses:
        try:
            plain = socket.create_connection((host, port), timeout=CONNECT_S)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = context.wrap_socket(plain)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
            refusals.append(f"{host}:{port}: {error}")
            continue
        secure.setblocking(False)
        return secure
    raise DaemonError("no daemon answers at " + "; ".join(refusals))


class Connection:
    """Frames over a TLS socket in a Loop. `hear` gets each message, `lost` is called once."""

    def __init__(
        self,
        loop: Loop,
        sock: ssl.SSLSocket,
        hear: Callable[[Heard], None],
        lost: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._hear = hear
        self._lost = lost
        self._decoder = Decoder(WORKER_LINK, FRAME_LIMIT)
        self._unsent = bytearray()
        self._buffer = memoryview(bytearray(_READ))  # a fresh one for each read costs more than TLS
        self._open = True
        self._fd = sock.fileno()
        loop.add_reader(self._fd, self._readable)

    def send(self, message: NamedTuple) -> None:
        """Queues a message for `flush`."""
        self._unsent += WORKER_LINK.encode(message)

    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def flush(self) -> None:
        """Writes what is queued; what the socket does not take now goes out when it does."""
        try:
            while self._unsent and self._open:
                sent = self._socket.send(self._unsent)
                del self._unsent[:sent]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._loop.add_writer(self._fd, self.flush)
            return
        except OSError as error:
            self._close(f"connection lost: {error}")
            return
        if self._open:
            self._loop.remove_writer(self._fd)

    def _readable(self) -> None:
        try:
            while self._open:
                length = self._socket.recv_into(self._buffer)
                if not length:
                    self._close("the daemon closed the connection")
                    return
                for message in self._decoder.feed(self._buffer[:length]):
                    self._hear(message)
                if length < _READ and not self._socket.pending():
                    return  # whatever else comes is a new event
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except ProtocolError as error:
            self._close(f"not understood: {error}")
        except OSError as error:
            self._close(f"connection lost: {error}")

    def _close(self, reason: str) -> None:
        if self._open:
            self.close()
            self._lost(reason)

    def close(self) -> None:
        self._open = False
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._socket.close()
