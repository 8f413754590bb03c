"""Whatever a stranger sends, the codec calls it a ProtocolError and nothing else.

A few hundred examples for each decoder; 10 minutes in all with DFM_SOAK=1.
"""

import os
import struct
import time
from collections.abc import Callable, Generator
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.errors import ProtocolError
from dfm.wire import prelude
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT, HELLO_LIMIT, Catalogue, Decoder, Record
from dfm.wire.prelude import NONCE_BYTES, SECRET_BYTES, Secret, Step
from dfm.wire.task import RESULT, SPEC, TaskResult, TaskSpec
from dfm.wire.worker import WORKER_LINK

IS_SOAK = bool(os.environ.get("DFM_SOAK"))
EXAMPLES = 2_000 if IS_SOAK else 60
SOAK_S = 600.0

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=12))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=20,
)


def packed(value: Any) -> bytes:
    try:
        data: bytes = msgpack.packb(value)
    except (OverflowError, ValueError):
        return b"\xc1"
    return data


# Fields of every type and in any number; the same, changed somewhere; no MessagePack at all.
FIELDS = st.lists(VALUES, max_size=14).map(packed)
NUMBERED = st.tuples(st.integers(-1, 40), st.lists(VALUES, max_size=14)).map(
    lambda made: packed([made[0], *made[1]])
)


@st.composite
def harmed(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    data = bytearray(draw(whole))
    for place in draw(st.lists(st.integers(0, max(len(data) - 1, 0)), max_size=5)):
        if data:
            data[place] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


BODIES = NUMBERED | harmed(NUMBERED) | FIELDS | st.binary(max_size=200)
RECORDS = FIELDS | harmed(FIELDS) | st.binary(max_size=200)


def sent(link: Catalogue) -> st.SearchStrategy[bytes]:
    """Bodies of all messages of a link, with whatever their fields may hold."""

    def body(message: Any) -> bytes:
        try:
            return link.encode(message)[4:]
        except (OverflowError, UnicodeError):  # more than MessagePack can carry
            return b""

    return st.one_of([st.from_type(kind) for kind in link.kinds().values()]).map(body)


@st.composite
def streams(draw: st.DrawFn, link: Catalogue) -> list[bytes]:
    """Frames, some with a length that is not theirs, in any chunks."""
    data = b""
    good = sent(link)
    for body in draw(st.lists(good | harmed(good) | BODIES, max_size=4)):
        length = draw(st.just(len(body)) | st.integers(0, 2**32 - 1))
        data += struct.pack(">I", length) + body
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)] or [
        data
    ]


def decodes(catalogue: Catalogue, limit: int) -> Callable[[list[bytes]], None]:
    def target(chunks: list[bytes]) -> None:
        decoder = Decoder(catalogue, limit)
        for chunk in chunks:
            for message in decoder.feed(chunk):
                again = Decoder(catalogue, FRAME_LIMIT).feed(catalogue.encode(message))
                assert len(list(again)) == 1

    return target


def unpacks(record: Record) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        record.pack(record.unpack(data))

    return target


def record(kind: Any) -> st.SearchStrategy[bytes]:
    whole = st.from_type(kind).map(packed)
    return whole | harmed(whole)


SECRETS = [Secret(role, b"s" * SECRET_BYTES) for role in (prelude.WORKER, prelude.CLIENT)]


def hears(begin: Callable[[], Generator[Step, bytes, Any]]) -> Callable[[list[bytes]], None]:
    """A side of the prelude, whose answers are these, each cut or filled to what it waits for."""

    def target(answers: list[bytes]) -> None:
        talk = begin()
        step = next(talk)
        for answer in answers:
            try:
                step = talk.send(answer[: step.wants].ljust(step.wants, b"\0"))
            except StopIteration:
                raise AssertionError("it believed a stranger") from None

    return target


ANSWERS = st.lists(
    st.binary(max_size=70) | st.binary(max_size=70).map(lambda rest: b"dfm\x01w" + rest), min_size=2
)
TARGETS: dict[str, tuple[Callable[[Any], object], st.SearchStrategy[Any]]] = {
    "worker link": (decodes(WORKER_LINK, FRAME_LIMIT), streams(WORKER_LINK)),
    "worker link, stranger": (decodes(WORKER_LINK, HELLO_LIMIT), streams(WORKER_LINK)),
    "client link": (decodes(CLIENT_LINK, FRAME_LIMIT), streams(CLIENT_LINK)),
    "task": (unpacks(SPEC), RECORDS | record(TaskSpec)),
    "result": (unpacks(RESULT), RECORDS | record(TaskResult)),
    "prelude, daemon": (
        hears(lambda: prelude.of_daemon(SECRETS, b"1" * NONCE_BYTES)), ANSWERS,
    ),
    "prelude, peer": (hears(lambda: prelude.of_peer(SECRETS[0], b"1" * NONCE_BYTES)), ANSWERS),
    "credentials": (
        prelude.read,
        st.text()
        | harmed(st.just(prelude.write(SECRETS).encode())).map(lambda data: data.decode("latin-1")),
    ),
}  # fmt: skip


@pytest.mark.timeout(900 if IS_SOAK else 120)
@pytest.mark.parametrize("name", TARGETS)
def test_a_decoder_says_protocol_error_and_nothing_else(name: str) -> None:
    target, strategy = TARGETS[name]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def attempt(data: Any) -> None:
        try:
            target(data)
        except ProtocolError:
            pass

    until = time.monotonic() + (SOAK_S / len(TARGETS) if IS_SOAK else 0)
    attempt()
    while time.monotonic() < until:
        attempt()
