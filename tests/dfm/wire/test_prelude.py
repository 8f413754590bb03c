"""Both sides prove that they have a secret, and neither says it."""

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.errors import ProtocolError
from dfm.wire import prelude
from dfm.wire.prelude import CLIENT, NONCE_BYTES, SECRET_BYTES, WORKER, Secret, Step

WORKERS = Secret(WORKER, b"w" * SECRET_BYTES)
CLIENTS = Secret(CLIENT, b"c" * SECRET_BYTES)
KNOWN = [WORKERS, CLIENTS]
MINE, THEIRS = b"1" * NONCE_BYTES, b"2" * NONCE_BYTES
Talk = Generator[Step, bytes, Any]


def talk(peer: Talk, daemon: Talk, *, said: list[bytes] | None = None) -> Any:
    """Lets both talk to the end; what the daemon's side returns. Raises ProtocolError of either."""
    ask, hears = next(peer), next(daemon)
    assert len(ask.say) == hears.wants
    answer = daemon.send(ask.say)
    assert len(answer.say) == ask.wants
    proof = peer.send(answer.say)
    assert (len(proof.say), proof.wants) == (answer.wants, 0)
    if said is not None:
        said += [ask.say, answer.say, proof.say]
    with pytest.raises(StopIteration) as end:
        daemon.send(proof.say)
    with pytest.raises(StopIteration):
        peer.send(b"")
    return end.value.value


def of(secret: Secret) -> Talk:
    return prelude.of_peer(secret, MINE)


def daemon() -> Talk:
    return prelude.of_daemon(KNOWN, THEIRS)


@pytest.mark.parametrize("secret", KNOWN)
def test_who_has_the_secret_of_a_role_has_the_role_and_the_secret_is_not_said(
    secret: Secret,
) -> None:
    said: list[bytes] = []
    assert talk(of(secret), daemon(), said=said) == secret.role
    assert secret.key not in b"".join(said)


def test_a_peer_with_another_secret_does_not_even_prove_itself() -> None:
    with pytest.raises(ProtocolError, match="does not have the secret"):
        talk(of(Secret(WORKER, b"x" * SECRET_BYTES)), daemon())


def test_a_worker_that_says_it_is_a_client_is_refused() -> None:
    with pytest.raises(ProtocolError, match="does not have the secret"):
        talk(of(Secret(CLIENT, WORKERS.key)), daemon())


def test_who_knows_no_secret_cannot_answer_with_what_it_has_heard() -> None:
    serving = daemon()
    next(serving)
    answer = serving.send(next(of(WORKERS)).say)
    with pytest.raises(ProtocolError, match="does not have the secret"):
        serving.send(answer.say[NONCE_BYTES:])


def test_a_proof_of_another_connection_is_none() -> None:
    said: list[bytes] = []
    talk(of(WORKERS), daemon(), said=said)
    later = prelude.of_daemon(KNOWN, b"3" * NONCE_BYTES)
    next(later)
    later.send(said[0])
    with pytest.raises(ProtocolError, match="does not have the secret"):
        later.send(said[2])
    joining = prelude.of_peer(WORKERS, b"4" * NONCE_BYTES)
    next(joining)
    with pytest.raises(ProtocolError, match="does not have the secret"):
        joining.send(said[1])


@pytest.mark.parametrize("message", [0, 1, 2])
@given(data=st.data())
def test_whatever_is_changed_on_the_way_is_noticed(message: int, data: st.DataObject) -> None:
    def change(step: Step, number: int) -> bytes:
        if number != message:
            return step.say
        place = data.draw(st.integers(0, len(step.say) - 1))
        changed = bytearray(step.say)
        changed[place] ^= data.draw(st.integers(1, 255))
        return bytes(changed)

    def talk_over_it() -> None:
        peer, serving = of(WORKERS), daemon()
        next(serving)
        answer = serving.send(change(next(peer), 0))
        proof = peer.send(change(answer, 1))
        serving.send(change(proof, 2))

    with pytest.raises(ProtocolError):
        talk_over_it()


@given(st.binary(min_size=37, max_size=37))
def test_garbage_is_no_peer(garbage: bytes) -> None:
    serving = daemon()
    assert next(serving).wants == 37
    with pytest.raises(ProtocolError, match="does not speak"):
        serving.send(garbage)


@pytest.mark.parametrize("secrets", [KNOWN, KNOWN[:1], []])
def test_a_file_of_secrets_reads_as_it_was_written(secrets: list[Secret]) -> None:
    assert prelude.read(prelude.write(secrets)) == secrets


def test_no_secret_is_in_how_it_is_shown() -> None:
    assert repr(WORKERS) == str(WORKERS) == "Secret(worker)"


@given(st.text() | st.text(alphabet="ABQ+/=").map(lambda inside: prelude.write([WORKERS]).replace(
    prelude.write([WORKERS]).split("\n")[1], inside)))  # fmt: skip
def test_any_text_has_whole_secrets_or_is_refused(text: str) -> None:
    try:
        secrets = prelude.read(text)
    except ProtocolError:
        return
    assert all(len(secret.key) == SECRET_BYTES for secret in secrets)
