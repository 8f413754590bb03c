"""The project's credentials: made when its first daemon starts, gone when one is stopped.

With TLS they are certificates of an authority of the project's own. It signs one for the daemon, one
for its workers and one for its clients on other hosts, and its key is never written down. Each side
shows its certificate and accepts the other's kind only. Without TLS they are two secrets, one of the
workers and one of the clients.

A daemon that was killed leaves them, and the next one keeps them: workers and clients recognise it.
"""

import os
import secrets
import ssl
import stat
from typing import NamedTuple

from dfm.errors import DaemonError, ProtocolError
from dfm.wire import prelude
from dfm.wire.prelude import CLIENT, SECRET_BYTES, WORKER, Secret
from dfm_daemon.shell import certificates
from dfm_daemon.shell.guards import CertificateGuard, Guard, SecretGuard

_MODE = 0o600


class Credentials(NamedTuple):
    """The files. With TLS each has a private key, its certificate, that of the authority."""

    daemon: str
    worker: str
    client: str


def paths(folder: str) -> Credentials:
    return Credentials(*(os.path.join(folder, f"{name}.pem") for name in Credentials._fields))


def make(folder: str, *, tls: bool = True) -> Credentials:
    """Makes the files, 0600 from their first instant; keeps those that are there, if they are whole,
    ours alone and of this kind. Raises DaemonError."""
    made = paths(folder)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        kept = [_private_text(path) for path in made]
        are_good = certificates.are_good if tls else _are_secrets
        if None in kept or not are_good(*map(str, kept)):
            texts = certificates.make() if tls else _secrets()
            for path, text in zip(made, texts, strict=True):
                _write(path, text.encode())
    except OSError as error:
        raise DaemonError(f"cannot write {error.filename}: {error.strerror}") from error
    return made


def guard(credentials: Credentials) -> Guard:
    """Who stands at the TCP port."""
    with open(credentials.daemon) as file:
        known = prelude.read(file.read())
    return SecretGuard(known) if known else CertificateGuard(server_context(credentials))


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.3, for peers that show a certificate of this project."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(credentials.daemon)
    context.load_verify_locations(credentials.daemon)
    context.num_tickets = 0  # no worker comes twice
    return context


def _secrets() -> tuple[str, str, str]:
    both = [Secret(role, secrets.token_bytes(SECRET_BYTES)) for role in (WORKER, CLIENT)]
    return prelude.write(both), prelude.write(both[:1]), prelude.write(both[1:])


def _are_secrets(daemon: str, worker: str, client: str) -> bool:
    try:
        both = prelude.read(daemon)
    except ProtocolError:
        return False
    return (
        [secret.role for secret in both] == [WORKER, CLIENT]
        and daemon == prelude.write(both)
        and [worker, client] == [prelude.write(both[:1]), prelude.write(both[1:])]
    )


def _private_text(path: str) -> str | None:
    """What a file holds that is a file of ours and that nobody else can read; else None."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(fd, errors="replace") as file:
        status = os.fstat(fd)
        is_ours = status.st_uid == os.geteuid() and not status.st_mode & 0o077
        return file.read() if is_ours and stat.S_ISREG(status.st_mode) else None


def _write(path: str, data: bytes) -> None:
    """All of it or nothing, whatever is in its place."""
    temporary = f"{path}.new"
    try:
        os.unlink(temporary)  # of a daemon that was killed here
    except FileNotFoundError:
        pass
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(temporary, path)
