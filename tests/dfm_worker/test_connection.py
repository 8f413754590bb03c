"""A worker's connection to the daemon of its project, by real sockets with the project's certificates."""

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dfm import credentials as own_credentials
from dfm.errors import DaemonError
from dfm.wire import worker as wire
from dfm_daemon.shell import credentials
from dfm_worker.connection import Connection, connect
from dfm_worker.loop import Loop
from tests.dfm_worker.daemon import Aside, Daemon, Peer
from tests.dfm_worker.host import DEADLINE_S


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "credentials")
    yield made
    made.close()


class Worker:
    """What a worker's end of a connection has heard, and why it was lost."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.loop = Loop()
        self.heard: list[Any] = []
        self.lost: list[str] = []
        self.connection = Connection(self.loop, sock, self.heard.append, self.lost.append)

    def serve_until(self, condition: Callable[[], object]) -> None:
        def late() -> None:
            raise TimeoutError(f"heard {len(self.heard)} messages, lost {self.lost}")

        guard = self.loop.call_later(DEADLINE_S, late)
        self.loop.each_turn = lambda: self.loop.stop() if condition() else None
        if not condition():
            self.loop.run()
        guard.cancel()
        self.loop.each_turn = lambda: None


def join(daemon: Daemon, file: str | None = None) -> tuple[Worker, Peer]:
    """Both ends of a connection, of which the daemon's says what it wants meanwhile."""
    accepting = Aside(daemon.accept)
    worker = Worker(connect([daemon.address], file or daemon.credentials.worker))
    return worker, accepting.result()


@pytest.fixture
def ends(daemon: Daemon) -> Iterator[tuple[Worker, Peer]]:
    worker, peer = join(daemon)
    yield worker, peer
    worker.connection.close()


def why_not(daemon: Daemon, file: str | None = None) -> str:
    with pytest.raises(DaemonError) as caught:
        connect([daemon.address], file or daemon.credentials.worker)
    return str(caught.value)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


# At the door


def test_both_sides_show_a_certificate_and_speak_tls_1_3(ends: tuple[Worker, Peer]) -> None:
    worker, peer = ends
    assert isinstance(worker.socket, ssl.SSLSocket)
    assert isinstance(peer.socket, ssl.SSLSocket)
    assert worker.socket.version() == "TLSv1.3"
    for sock, name in ((worker.socket, "dfm daemon"), (peer.socket, "dfm worker")):
        shown = sock.getpeercert()
        assert shown is not None
        assert shown["subject"] == ((("commonName", name),),)


def test_the_first_address_that_answers_is_taken(daemon: Daemon) -> None:
    accepting = Aside(daemon.accept)
    addresses = [("127.0.0.1", closed_port()), ("no.such.host.invalid", 1), daemon.address]
    connect(addresses, daemon.credentials.worker).close()
    accepting.result()


def test_if_none_answers_each_is_named_with_its_reason(daemon: Daemon) -> None:
    port = closed_port()
    with pytest.raises(DaemonError) as caught:
        connect([("127.0.0.1", port), ("a..b", 7), ("x" * 70, 8)], daemon.credentials.worker)
    said = str(caught.value)
    assert said.startswith(f"no daemon answers at 127.0.0.1:{port}: [Errno 111] Connection refused")
    assert "; a..b:7: " in said
    assert f"; {'x' * 70}:8: " in said


def test_the_daemon_of_another_project_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    other = credentials.make(str(tmp_path / "other"))
    accepting = Aside(daemon.accept)
    assert "certificate verify failed" in why_not(daemon, other.worker)
    with pytest.raises(OSError, match="SSL"):
        accepting.result()


@pytest.mark.parametrize("kind", ["worker", "TLS 1.2"])
def test_who_cannot_be_the_daemon_is_refused(tmp_path: Path, kind: str) -> None:
    own = credentials.make(str(tmp_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if kind == "worker":  # one with a worker's credentials, who listens for others
        context.load_cert_chain(own.worker)
    else:
        context.load_cert_chain(own.daemon)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    daemon = Daemon(tmp_path / "else", context=context)
    accepting = Aside(daemon.accept)
    said = why_not(daemon, own.worker)
    assert ("unsuitable certificate purpose" if kind == "worker" else "alert protocol") in said
    with pytest.raises(OSError, match="SSL"):
        accepting.result()
    daemon.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.0 400 Bad Request\r\n\r\n", b""])
def test_who_speaks_no_tls_is_no_daemon(daemon: Daemon, answer: bytes) -> None:
    def serve() -> None:
        with daemon.accept_plain() as sock:
            sock.recv(65536)
            sock.sendall(answer)

    serving = Aside(serve)
    assert why_not(daemon).startswith(f"no daemon answers at 127.0.0.1:{daemon.address[1]}: ")
    serving.result()


def test_who_does_not_answer_is_not_waited_for_for_ever(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_credentials, "CONNECT_S", 0.05)
    assert "timed out" in why_not(daemon)


@pytest.mark.parametrize("shown", ["none", "another project's", "the daemon's"])
def test_a_worker_that_the_daemon_does_not_accept_hears_so(
    daemon: Daemon, tmp_path: Path, shown: str
) -> None:
    """In TLS 1.3 only after the handshake, as its side sees it."""
    authority = Path(daemon.credentials.worker).read_text().rpartition("-----BEGIN")[2]
    other = Path(credentials.make(str(tmp_path / "other")).worker).read_text()
    file = tmp_path / "mixed.pem"
    if shown == "the daemon's":
        file = Path(daemon.credentials.daemon)
    else:
        file.write_text(f"{other.rpartition('-----BEGIN')[0]}-----BEGIN{authority}")
    accepting = Aside(daemon.accept)
    context = own_credentials.client_context(str(file))
    if shown == "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(daemon.credentials.worker)
    sock = context.wrap_socket(socket.create_connection(daemon.address))
    sock.setblocking(False)
    worker = Worker(sock)
    worker.serve_until(lambda: worker.lost)
    (reason,) = worker.lost
    assert reason.startswith("connection lost: ")
    with pytest.raises(OSError, match="SSL"):
        accepting.result()


@pytest.mark.parametrize("text", [None, "", "no PEM\n", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_credentials_that_cannot_be_read_are_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "worker.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DaemonError, match=f"credentials {file} cannot be used: "):
        connect([("127.0.0.1", 1)], str(file))


# Messages


def test_messages_go_both_ways_in_their_order(ends: tuple[Worker, Peer]) -> None:
    worker, peer = ends
    said = [wire.Drain(str(number)) for number in range(100)]
    peer.say(*said)
    worker.serve_until(lambda: len(worker.heard) == 100)
    assert worker.heard == said
    for message in said:
        worker.connection.send(message)
    assert worker.connection.has_unsent()
    worker.connection.flush()
    assert not worker.connection.has_unsent()
    assert [peer.hear() for _ in said] == said


def test_a_message_may_come_byte_by_byte(ends: tuple[Worker, Peer]) -> None:
    worker, peer = ends
    data = wire.WORKER_LINK.encode(wire.Drain("one"), wire.Drain("two"))
    for position in range(len(data)):
        peer.socket.sendall(data[position : position + 1])
    worker.serve_until(lambda: len(worker.heard) == 2)
    assert worker.heard == [wire.Drain("one"), wire.Drain("two")]
    assert not worker.lost


def test_large_messages_go_both_ways_at_once(ends: tuple[Worker, Peer]) -> None:
    worker, peer = ends
    large = wire.Blob("r", 1, bytes(range(256)) * 40_960)  # 10 MiB
    exchanging = Aside(lambda: peer.exchange(large, large, count=2))
    worker.connection.send(large)
    worker.connection.flush()
    worker.connection.send(large)
    worker.connection.flush()
    worker.serve_until(lambda: len(worker.heard) == 2 and not worker.connection.has_unsent())
    assert worker.heard == [large, large] == exchanging.result()
    assert not worker.lost


# Ends


def lose(worker: Worker) -> str:
    """Serves until the connection is lost, and for a while after it."""
    worker.serve_until(lambda: worker.lost)
    worker.loop.call_later(0.01, worker.loop.stop)
    worker.loop.run()
    (reason,) = worker.lost
    return reason


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"\0\0\0\1\xc1", "not understood: not MessagePack"),
        (b"\0\0\0\2\x91\x63", "not understood: unknown message 99 on the worker link"),
        (b"\xff\xff\xff\xffxx", "not understood: a frame of 4294967295 bytes"),
        (b"\0\0\0\2\x91\x0c", "not understood: malformed Drain with 0 fields"),
    ],
)
def test_garbage_ends_the_connection_after_what_came_before_it(
    ends: tuple[Worker, Peer], garbage: bytes, reason: str
) -> None:
    worker, peer = ends
    after = wire.WORKER_LINK.encode(wire.Drain("after it"))
    peer.socket.sendall(wire.WORKER_LINK.encode(wire.Drain("before it")) + garbage + after)
    assert lose(worker).startswith(reason)
    assert worker.heard == [wire.Drain("before it")]


@pytest.mark.parametrize("sent", [b"", b"\0\0\1"])
def test_the_end_of_the_connection_is_heard_once(ends: tuple[Worker, Peer], sent: bytes) -> None:
    worker, peer = ends
    peer.say(wire.Drain("last"))
    peer.socket.sendall(sent)
    peer.close()
    assert lose(worker) == "the daemon closed the connection"
    assert worker.heard == [wire.Drain("last")]


def test_a_connection_that_is_cut_is_lost(ends: tuple[Worker, Peer]) -> None:
    worker, peer = ends
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert lose(worker).startswith(("connection lost: ", "the daemon closed"))  # as OpenSSL has it


def test_who_does_not_hear_any_more_is_lost_by_what_is_said(ends: tuple[Worker, Peer]) -> None:
    worker, peer = ends
    worker.loop.remove_reader(worker.socket.fileno())
    peer.close()
    while not worker.lost:
        worker.connection.send(wire.Drain("x" * 1_000_000))
        worker.connection.flush()
    assert worker.lost[0].startswith("connection lost: ")
    worker.connection.send(wire.Beat())
    worker.connection.flush()
    assert len(worker.lost) == 1
