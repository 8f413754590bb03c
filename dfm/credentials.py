"""The project's credentials as a worker or a client uses them, to come in at its daemon's TCP port.

What the file holds says how: a key and certificates for TLS 1.3, or a secret where the project has
`runner.daemon.tls: false`.
"""

import os
import socket
import ssl
import time
from collections.abc import Generator, Sequence

from dfm.errors import CredentialsError, DaemonError, ProtocolError
from dfm.wire import prelude
from dfm.wire.prelude import NONCE_BYTES, Secret, Step

CONNECT_S = 10.0  # for each address
_IDLE_S, _PROBE_S, _PROBES = 10, 5, 4  # until a peer is asked whether it is there, and how often


def read(file: str) -> ssl.SSLContext | Secret:
    """Raises DaemonError if the file cannot be used."""
    try:
        with open(file, encoding="ascii") as opened:
            secrets = prelude.read(opened.read())
    except (OSError, UnicodeError, ProtocolError) as error:
        raise CredentialsError(f"credentials {file} cannot be used: {error}") from None
    return secrets[0] if secrets else client_context(file)


def client_context(file: str) -> ssl.SSLContext:
    """TLS 1.3 that shows the certificate of a PEM file and accepts only the project's daemon.

    The file has the key, the certificate and the certificate of the project's authority. Raises
    DaemonError if it cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the project's own authority signs nothing but its daemon
    try:
        context.load_cert_chain(file)
        context.load_verify_locations(file)
    except (OSError, ssl.SSLError) as error:
        raise CredentialsError(f"credentials {file} cannot be used: {error}") from None
    return context


def connect(addresses: Sequence[tuple[str, int]], file: str) -> socket.socket:
    """The first of these addresses that answers as this project's daemon. Raises DaemonError."""
    own = read(file)
    refusals = []
    for host, port in addresses:
        try:
            plain = socket.create_connection((host, port), timeout=CONNECT_S)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
            refusals.append(f"{host}:{port}: {error}")
            continue
        try:
            prepare(plain)
            if isinstance(own, ssl.SSLContext):
                return own.wrap_socket(plain)
            converse(plain, prelude.of_peer(own, os.urandom(NONCE_BYTES)))
            return plain
        except (OSError, ProtocolError) as error:
            plain.close()
            refusals.append(f"{host}:{port}: {error}")
    raise DaemonError("no daemon answers at " + "; ".join(refusals))


def prepare(sock: socket.socket) -> None:
    """What is said goes out at once, and a host that is gone is noticed within 30 seconds."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    gone_ms = (_IDLE_S + _PROBE_S * _PROBES) * 1000
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, gone_ms)


def converse(sock: socket.socket, talk: Generator[Step, bytes, object]) -> None:
    """Says and hears over a blocking socket what `talk` wants, within CONNECT_S."""
    until = time.monotonic() + CONNECT_S
    step = next(talk)
    while True:
        sock.sendall(step.say)
        heard = b""
        while len(heard) < step.wants:
            sock.settimeout(max(until - time.monotonic(), 0.001))
            more = sock.recv(step.wants - len(heard))
            if not more:
                raise ConnectionError("it closed the connection")
            heard += more
        try:
            step = talk.send(heard)
        except StopIteration:
            return
