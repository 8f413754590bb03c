"""The project's own certificate authority: made when a daemon starts, gone with its last file. A
daemon that follows one that was killed takes over its files: its workers know them.

The authority signs one certificate for the daemon and one for its workers, and its key is never
written down. Each side shows its certificate and accepts the other's kind only.
"""

import datetime
import os
import ssl
from typing import NamedTuple

from dfm.errors import DaemonError

_YEARS = 10
_MODE = 0o600
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"


class Credentials(NamedTuple):
    """PEM files: private key, certificate, certificate of the authority."""

    daemon: str
    worker: str


def paths(folder: str) -> Credentials:
    return Credentials(os.path.join(folder, "daemon.pem"), os.path.join(folder, "worker.pem"))


def make(folder: str) -> Credentials:
    """Makes both files, 0600 from their first instant, unless both are there. Raises DaemonError."""
    if _are_whole(paths(folder)):
        return paths(folder)
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(days=365 * _YEARS)
    ca_key = ec.generate_private_key(ec.SECP256R1())

    def builder(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("dfm authority"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))  # hosts' clocks differ
            .not_valid_after(ends)
        )

    authority = (
        builder("dfm authority", ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )

    def signed(subject: str, usage: x509.ObjectIdentifier) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            builder(subject, key.public_key())
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .sign(ca_key, hashes.SHA256())
        )
        return (
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
            + authority.public_bytes(serialization.Encoding.PEM)
        )

    made = paths(folder)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _write(made.daemon, signed("dfm daemon", ExtendedKeyUsageOID.SERVER_AUTH))
        _write(made.worker, signed("dfm worker", ExtendedKeyUsageOID.CLIENT_AUTH))
    except OSError as error:
        raise DaemonError(f"cannot write {error.filename}: {error.strerror}") from error
    return made


def _are_whole(made: Credentials) -> bool:
    """Ours alone, and signed by one authority, whose certificate is the end of both."""
    ends = []
    for path in made:
        try:
            with open(path, encoding="ascii") as file:
                status = os.fstat(file.fileno())
                text = file.read()
        except (OSError, ValueError):
            return False
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            return False
        ends.append(text.rpartition(_BEGIN)[2])
    return ends[0] == ends[1] and ends[0].endswith(_END)


def _write(path: str, data: bytes) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.3, for workers that show a certificate of this project."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(credentials.daemon)
    context.load_verify_locations(credentials.daemon)
    context.num_tickets = 0  # no worker comes twice
    return context
