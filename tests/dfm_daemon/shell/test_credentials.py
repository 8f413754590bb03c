"""The project's certificates: whose they are, and what they are good for."""

import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from dfm.errors import DaemonError
from dfm_daemon.shell import credentials
from dfm_daemon.shell.credentials import Credentials
from dfm_worker.connection import client_context


@pytest.fixture
def made(tmp_path: Path) -> Credentials:
    return credentials.make(str(tmp_path / "credentials"))


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """A handshake between two contexts; the version of TLS. Raises ssl.SSLError of either side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(3):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return ends[1].version()


def anybody(pem: str | None = None) -> ssl.SSLContext:
    """A client that accepts every server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if pem is not None:
        context.load_cert_chain(pem)
    return context


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_their_owner_may_read_them(made: Credentials) -> None:
    assert [mode(path) for path in made] == [0o600, 0o600]
    assert mode(os.path.dirname(made.daemon)) == 0o700


def test_what_others_can_read_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a secret goes here")
    elsewhere.chmod(0o666)
    (tmp_path / "worker.pem").symlink_to(elsewhere)
    (tmp_path / "daemon.pem").touch(0o666)
    made = credentials.make(str(tmp_path))
    assert elsewhere.read_text() == "a secret goes here"
    assert not os.path.islink(made.worker)
    assert [mode(path) for path in made] == [0o600, 0o600]


def test_where_nothing_can_be_written_the_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DaemonError, match=f"cannot write {tmp_path}/file/.*: Not a directory"):
        credentials.make(str(tmp_path / "file" / "credentials"))


def test_the_daemon_and_its_workers_know_each_other(made: Credentials) -> None:
    server = credentials.server_context(made)
    assert shake_hands(server, client_context(made.worker)) == "TLSv1.3"


def test_a_worker_of_another_project_is_refused(made: Credentials, tmp_path: Path) -> None:
    foreign = credentials.make(str(tmp_path / "foreign"))
    server = credentials.server_context(made)
    for pem in foreign:
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            shake_hands(server, anybody(pem))


def test_a_peer_without_a_certificate_is_refused(made: Credentials) -> None:
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(credentials.server_context(made), anybody())


def test_the_daemons_certificate_is_not_one_of_a_worker(made: Credentials) -> None:
    with pytest.raises(ssl.SSLError, match="unsuitable certificate purpose"):
        shake_hands(credentials.server_context(made), anybody(made.daemon))


def test_a_worker_cannot_play_the_daemon(made: Credentials) -> None:
    server = credentials.server_context(made._replace(daemon=made.worker))
    with pytest.raises(ssl.SSLError, match="unsuitable certificate purpose"):
        shake_hands(server, client_context(made.worker))


def test_a_worker_refuses_the_daemon_of_another_project(made: Credentials, tmp_path: Path) -> None:
    foreign = credentials.make(str(tmp_path / "foreign"))
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake_hands(credentials.server_context(foreign), client_context(made.worker))


def test_nothing_older_than_tls_1_3_is_spoken(made: Credentials) -> None:
    old = anybody(made.worker)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(credentials.server_context(made), old)


def test_those_of_a_daemon_that_was_killed_are_taken_over(tmp_path: Path) -> None:
    made = credentials.make(str(tmp_path))
    kept = [Path(path).read_bytes() for path in made]
    assert credentials.make(str(tmp_path)) == made
    assert [Path(path).read_bytes() for path in made] == kept


@pytest.mark.parametrize(
    "damage", ["one is gone", "cut short", "of two makings", "others may read"]
)
def test_those_that_are_not_whole_or_not_ours_alone_are_made_anew(
    tmp_path: Path, damage: str
) -> None:
    first = credentials.server_context(made := credentials.make(str(tmp_path)))
    match damage:
        case "one is gone":
            os.unlink(made.worker)
        case "cut short":
            os.truncate(made.worker, 1000)
        case "of two makings":
            other = credentials.make(str(tmp_path / "other"))
            os.replace(other.worker, made.worker)
        case _:
            os.chmod(made.worker, 0o640)
    again = credentials.make(str(tmp_path))
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake_hands(first, anybody(again.worker))


@pytest.mark.parametrize(
    ("place", "usage"),
    [(0, ExtendedKeyUsageOID.SERVER_AUTH), (1, ExtendedKeyUsageOID.CLIENT_AUTH)],
    ids=["daemon", "worker"],
)
def test_a_certificate_is_for_one_use_and_the_key_of_its_authority_is_nowhere(
    place: int, usage: x509.ObjectIdentifier, made: Credentials
) -> None:
    data = Path(made[place]).read_bytes()
    mine, authority = x509.load_pem_x509_certificates(data)
    uses = mine.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(uses.value) == [usage]
    assert uses.critical
    assert data.count(b"PRIVATE KEY-----") == 2, "one key, its begin and its end"
    assert load_pem_private_key(data, None).public_key() == mine.public_key()
    mine.verify_directly_issued_by(authority)
    assert mine.public_key() != authority.public_key()
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert limits.path_length == 0
