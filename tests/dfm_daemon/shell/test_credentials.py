"""The project's certificates: whose they are, and what they are good for."""

import os
import ssl
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from dfm.credentials import client_context
from dfm.errors import DaemonError
from dfm.wire import prelude
from dfm_daemon.shell import credentials
from dfm_daemon.shell.credentials import Credentials


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
    assert [mode(path) for path in made] == [0o600] * 3
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
    assert [mode(path) for path in made] == [0o600] * 3


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


def texts(made: Credentials) -> list[str]:
    return [Path(path).read_text() for path in made]


@pytest.mark.parametrize("tls", [True, False])
def test_whole_ones_are_kept(tmp_path: Path, tls: bool) -> None:
    first = texts(credentials.make(str(tmp_path), tls=tls))
    assert texts(credentials.make(str(tmp_path), tls=tls)) == first
    assert sorted(os.listdir(tmp_path)) == ["client.pem", "daemon.pem", "worker.pem"]


def _tear(path: str) -> None:
    os.truncate(path, os.stat(path).st_size - 30)


def _open_to_others(path: str) -> None:
    os.chmod(path, 0o640)


def _put_anothers(path: str) -> None:
    """Whole, and of this project, but for another role."""
    other = next(name for name in ("worker.pem", "client.pem") if not path.endswith(name))
    Path(path).write_text((Path(path).parent / other).read_text())


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("harm", [_tear, os.unlink, _open_to_others, _put_anothers])
def test_if_one_is_not_whole_or_not_ours_alone_all_are_made_anew(
    tmp_path: Path, tls: bool, place: int, harm: Callable[[str], None]
) -> None:
    made = credentials.make(str(tmp_path), tls=tls)
    before = texts(made)
    harm(made[place])
    credentials.make(str(tmp_path), tls=tls)
    after = texts(made)
    assert not set(before) & set(after)
    assert [mode(path) for path in made] == [0o600] * 3
    assert texts(credentials.make(str(tmp_path), tls=tls)) == after


def test_those_of_two_daemons_are_no_set(tmp_path: Path) -> None:
    one = credentials.make(str(tmp_path / "one"))
    other = credentials.make(str(tmp_path / "other"))
    os.replace(other.worker, one.worker)
    mixed = texts(one)
    credentials.make(str(tmp_path / "one"))
    assert not set(mixed) & set(texts(one))


def test_another_way_of_proof_needs_other_files(tmp_path: Path) -> None:
    made = credentials.make(str(tmp_path))
    assert "CERTIFICATE" in texts(made)[1]
    credentials.make(str(tmp_path), tls=False)
    assert "DFM WORKER SECRET" in texts(made)[1]
    credentials.make(str(tmp_path))
    assert "CERTIFICATE" in texts(made)[1]


def test_a_worker_has_not_the_secret_of_a_client(tmp_path: Path) -> None:
    made = credentials.make(str(tmp_path), tls=False)
    daemon, worker, client = (prelude.read(text) for text in texts(made))
    assert [secret.role for secret in daemon] == ["worker", "client"]
    assert worker + client == daemon
    assert worker[0].key != client[0].key


@pytest.mark.parametrize(
    ("place", "usage"),
    [
        (0, ExtendedKeyUsageOID.SERVER_AUTH),
        (1, ExtendedKeyUsageOID.CLIENT_AUTH),
        (2, ExtendedKeyUsageOID.CLIENT_AUTH),
    ],
    ids=["daemon", "worker", "client"],
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
