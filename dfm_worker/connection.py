"""The worker's connection to its daemon, by the project's credentials.

What is said during one turn of the loop is one write.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dfm import credentials
from dfm.errors import ProtocolError
from dfm.wire.codec import FRAME_LIMIT, Decoder
from dfm.wire.worker import WORKER_LINK
from dfm_worker.agent import Heard
from dfm_worker.loop import Loop

_READ = 256 * 1024
_BLOCKED = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)


def connect(addresses: Sequence[tuple[str, int]], file: str) -> socket.socket:
    """The first of these addresses that answers as this project's daemon. Raises DaemonError."""
    sock = credentials.connect(addresses, file)
    sock.setblocking(False)
    return sock


class Connection:
    """Frames over a socket in a Loop. `hear` gets each message, `lost` is called once."""

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        hear: Callable[[Heard], None],
        lost: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._has_more = sock.pending if isinstance(sock, ssl.SSLSocket) else int
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
        except _BLOCKED:
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
                if length < _READ and not self._has_more():
                    return  # whatever else comes is a new event
        except _BLOCKED:
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
