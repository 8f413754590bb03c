"""What is said before the first frame where there is no TLS: both sides prove that they have a secret
of the project, and neither says it.

    peer   -> daemon   magic, role, nonce
    daemon -> peer     nonce, HMAC-SHA256(secret of the role, "dfm daemon", role, both nonces)
    peer   -> daemon   HMAC-SHA256(secret of the role, "dfm peer", role, both nonces)

Each role has a secret of its own, so that a worker cannot pass for a client. A proof is good for one
connection, for one role and for one direction. What follows is neither encrypted nor signed.
"""

import binascii
import hashlib
import hmac
import re
from collections.abc import Generator, Iterable
from typing import NamedTuple

from dfm.errors import ProtocolError

WORKER, CLIENT = "worker", "client"
NONCE_BYTES = 32
SECRET_BYTES = 32

_MAGIC = b"dfm\x01"
_CODES = {WORKER: b"w", CLIENT: b"c"}
_ROLES = {code: role for role, code in _CODES.items()}
_PROOF_BYTES = hashlib.sha256().digest_size
_ASK_BYTES = len(_MAGIC) + 1 + NONCE_BYTES

_BLOCK = re.compile(
    r"-----BEGIN DFM (WORKER|CLIENT) SECRET-----\n([A-Za-z0-9+/=]+)\n-----END DFM \1 SECRET-----\n"
)


class Secret(NamedTuple):
    """What a role of one project proves itself with."""

    role: str
    key: bytes

    def __repr__(self) -> str:
        return f"Secret({self.role})"


class Step(NamedTuple):
    """What one side says now, and how many bytes it has to hear before it goes on."""

    say: bytes
    wants: int


def write(secrets: Iterable[Secret]) -> str:
    """The text of a credentials file."""
    blocks = []
    for role, key in secrets:
        text = binascii.b2a_base64(key, newline=False).decode()
        label = f"DFM {role.upper()} SECRET"
        blocks.append(f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    return "".join(blocks)


def read(text: str) -> list[Secret]:
    """The secrets of a credentials file; none in one with certificates. Raises ProtocolError."""
    secrets = []
    for label, encoded in _BLOCK.findall(text):
        try:
            key = binascii.a2b_base64(encoded, strict_mode=True)
        except binascii.Error:
            key = b""
        if len(key) != SECRET_BYTES:
            raise ProtocolError("a secret that is none")
        secrets.append(Secret(label.lower(), key))
    return secrets


def of_peer(secret: Secret, nonce: bytes) -> Generator[Step, bytes, None]:
    """The side that connects. Raises ProtocolError if the other one is not the project's daemon."""
    code = _CODES[secret.role]
    answer = yield Step(_MAGIC + code + nonce, NONCE_BYTES + _PROOF_BYTES)
    theirs, proof = answer[:NONCE_BYTES], answer[NONCE_BYTES:]
    said = code + nonce + theirs
    if not hmac.compare_digest(proof, _proof(secret.key, b"dfm daemon", said)):
        raise ProtocolError("it does not have the secret of this project")
    yield Step(_proof(secret.key, b"dfm peer", said), 0)


def of_daemon(secrets: Iterable[Secret], nonce: bytes) -> Generator[Step, bytes, str]:
    """The side that listens; returns the role that the peer has proved. Raises ProtocolError."""
    asked = yield Step(b"", _ASK_BYTES)
    code = asked[len(_MAGIC) : len(_MAGIC) + 1]
    keys = {secret.role: secret.key for secret in secrets}
    role = _ROLES.get(code)
    if not asked.startswith(_MAGIC) or role is None or role not in keys:
        raise ProtocolError("it does not speak as a peer of dfm without TLS does")
    said = code + asked[len(_MAGIC) + 1 :] + nonce
    proof = yield Step(nonce + _proof(keys[role], b"dfm daemon", said), _PROOF_BYTES)
    if not hmac.compare_digest(proof, _proof(keys[role], b"dfm peer", said)):
        raise ProtocolError("it does not have the secret of this project")
    return role


def _proof(key: bytes, side: bytes, said: bytes) -> bytes:
    return hmac.digest(key, side + b"\0" + said, "sha256")
