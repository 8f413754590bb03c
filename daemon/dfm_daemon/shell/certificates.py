"""The certificates of one project, as texts of PEM: private key, certificate, that of the authority."""

import datetime

from dfm.wire.prelude import CLIENT, WORKER
from dfm_daemon.shell.guards import SUBJECTS

_YEARS = 10
_LEAST_DAYS = 30  # that kept certificates must still be good for
_DAEMON = "dfm daemon"


def make() -> tuple[str, str, str]:
    """Of the daemon, of its workers and of its clients."""
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

    def signed(subject: str, usage: x509.ObjectIdentifier) -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            builder(subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .sign(ca_key, hashes.SHA256())
        )
        own = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        shown = [seen.public_bytes(serialization.Encoding.PEM) for seen in (certificate, authority)]
        return b"".join([own, *shown]).decode()

    return (
        signed(_DAEMON, ExtendedKeyUsageOID.SERVER_AUTH),
        signed(SUBJECTS[WORKER], ExtendedKeyUsageOID.CLIENT_AUTH),
        signed(SUBJECTS[CLIENT], ExtendedKeyUsageOID.CLIENT_AUTH),
    )


def are_good(*files: str) -> bool:
    """Whether each of the three is whole, all are of one authority, and good for a while yet."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    least = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_LEAST_DAYS)
    authorities = set()
    try:
        for text, subject in zip(files, (_DAEMON, *SUBJECTS.values()), strict=True):
            own, authority = x509.load_pem_x509_certificates(text.encode())
            own.verify_directly_issued_by(authority)
            key = load_pem_private_key(text.encode(), None)
            if (
                key.public_key() != own.public_key()
                or own.subject.rfc4514_string() != f"CN={subject}"
                or own.not_valid_after_utc < least
            ):
                return False
            authorities.add(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return len(authorities) == 1
