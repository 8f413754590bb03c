"""A daemon as far as its workers can tell: a TLS socket with a project's certificates, which says and
hears messages, and whatever else a test wants."""

import select
import socket
import ssl
import threading
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgpack

from dfm.wire import worker as wire
from dfm.wire.codec import FRAME_LIMIT, MAJOR, MINOR, Decoder
from dfm.wire.task import RESULT, SPEC, TaskResult, TaskSpec
from dfm.wire.worker import WORKER_LINK, Held
from dfm_daemon.shell import credentials
from dfm_daemon.shell.credentials import Credentials
from tests.dfm_worker.host import DEADLINE_S

LEASE_S = 100.0
Kind = TypeVar("Kind", bound=NamedTuple)


class Peer:
    """The daemon's end of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(DEADLINE_S)
        self.socket = sock
        self._decoder = Decoder(WORKER_LINK, FRAME_LIMIT)
        self._heard: deque[Any] = deque()

    def say(self, *messages: NamedTuple) -> None:
        self.socket.sendall(WORKER_LINK.encode(*messages))

    def hear(self) -> Any:
        """The next message; None at the end of the connection."""
        while not self._heard:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._heard.extend(self._decoder.feed(data))
        return self._heard.popleft()

    def exchange(self, *messages: NamedTuple, count: int) -> list[Any]:
        """Says these while it hears so many. By one thread: OpenSSL has no lock for two on a socket."""
        unsent = memoryview(WORKER_LINK.encode(*messages))
        heard: list[Any] = []
        self.socket.setblocking(False)
        while unsent or len(heard) < count:
            select.select([self.socket], [self.socket] if unsent else [], [], DEADLINE_S)
            try:
                unsent = unsent[self.socket.send(unsent) :] if unsent else unsent
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            try:
                while data := self.socket.recv(65536):
                    heard.extend(self._decoder.feed(data))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
        self.socket.settimeout(DEADLINE_S)
        return heard

    def hear_of(self, kind: type[Kind]) -> Kind:
        """The next message of this kind; Started and Beat come when they come."""
        while not isinstance(message := self.hear(), kind):
            assert isinstance(message, wire.Started | wire.Beat), message
        return message

    def hear_all(self) -> list[Any]:
        """What is said until the end of the connection, but for Started and Beat."""
        heard = []
        while (message := self.hear()) is not None:
            if not isinstance(message, wire.Started | wire.Beat):
                heard.append(message)
        return heard

    def welcome(self, lease_s: float = LEASE_S, **environment: str) -> wire.Hello:
        """Lets a worker in, and gives it the environment of run `r`."""
        hello = self.hear_of(wire.Hello)
        blob = msgpack.packb(environment, unicode_errors="surrogateescape")
        self.say(wire.Welcome(MAJOR, MINOR, "1", lease_s), wire.Blob("r", 0, blob))
        return hello

    def assign(self, spec: TaskSpec, number: int = 1) -> Held:
        held = Held("r", number, 1)
        self.say(wire.Run(*held, SPEC.pack(spec), [0]))
        return held

    def result(self) -> TaskResult:
        """Of the next task that ends, which is acknowledged."""
        finished = self.hear_of(wire.Finished)
        self.say(wire.Acknowledged(*finished[:3]))
        result: TaskResult = RESULT.unpack(finished.result)
        assert result.status == finished.status
        return result

    def close(self) -> None:
        self.socket.close()


class Daemon:
    """Listens for workers."""

    def __init__(
        self, folder: Path, *, context: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self.credentials: Credentials = credentials.make(str(folder))
        self._context = context or credentials.server_context(self.credentials)
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(DEADLINE_S)
        self._peers: list[Peer] = []
        self.address: tuple[str, int] = self._listener.getsockname()

    def accept(self) -> Peer:
        """The next worker. Raises OSError if it does not get through the door."""
        plain = self.accept_plain()
        plain.settimeout(DEADLINE_S)
        peer = Peer(self._context.wrap_socket(plain, server_side=True))
        self._peers.append(peer)
        return peer

    def accept_plain(self) -> socket.socket:
        return self._listener.accept()[0]

    def close(self) -> None:
        for peer in self._peers:
            peer.close()
        self._listener.close()


class Aside:
    """Something that blocks, done in a thread; `result` gives what it gave."""

    def __init__(self, work: Any, *arguments: Any) -> None:
        self._work = work
        self._arguments = arguments
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._do, daemon=True)
        self._thread.start()

    def _do(self) -> None:
        try:
            self._result = self._work(*self._arguments)
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self._error = error

    def result(self) -> Any:
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "it does not end"
        if self._error is not None:
            raise self._error
        return self._result
