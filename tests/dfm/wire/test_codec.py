import struct
from typing import Any, NamedTuple

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.errors import ProtocolError
from dfm.wire import client, worker
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT, HELLO_LIMIT, Catalogue, Decoder, Record
from dfm.wire.task import RESULT, SPEC
from dfm.wire.worker import WORKER_LINK, Held
from tests.dfm.wire.generated import (
    LINKS,
    RECORDS,
    decoded,
    every_kind,
    fits,
    frame,
    judged,
    messages,
    packed,
    records,
    smallest,
    typed,
)

untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
both_links = pytest.mark.parametrize("link", LINKS, ids=lambda link: link.link)


def fed(decoder: Decoder, data: bytes) -> list[Any]:
    return list(decoder.feed(data))


# What goes in comes out


@both_links
@untimed
@given(data=st.data())
def test_any_chunking_of_any_messages_decodes_to_them(link: Catalogue, data: st.DataObject) -> None:
    sent = data.draw(st.lists(messages(link), max_size=5))
    encoded = link.encode(*sent)
    cuts = data.draw(st.lists(st.integers(0, len(encoded)), max_size=8).map(sorted))
    decoder = Decoder(link, FRAME_LIMIT)
    heard = []
    for start, end in zip([0, *cuts], [*cuts, len(encoded)], strict=True):
        heard += fed(decoder, encoded[start:end])
    assert typed(heard) == typed(sent)


@every_kind
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_every_kind_survives_byte_by_byte(
    link: Catalogue, number: int, kind: type, data: st.DataObject
) -> None:
    sent = data.draw(records(kind))
    decoder = Decoder(link, FRAME_LIMIT)
    heard = [got for byte in link.encode(sent) for got in decoder.feed(bytes([byte]))]
    assert typed(heard) == [(kind, sent)]
    assert fits(heard[0], kind)


@pytest.mark.parametrize(("record", "kind"), [(SPEC, RECORDS[0]), (RESULT, RECORDS[1])])
@settings(deadline=None)
@given(data=st.data())
def test_a_record_survives_its_field(record: Record, kind: type, data: st.DataObject) -> None:
    sent = data.draw(records(kind))
    heard = record.unpack(record.pack(sent))
    assert heard == sent
    assert fits(heard, kind)


def test_a_message_of_ten_megabytes_arrives_in_small_pieces() -> None:
    sent = client.Blob(1, bytes(range(256)) * 40_000)
    encoded = CLIENT_LINK.encode(sent, client.AskStatus())
    decoder = Decoder(CLIENT_LINK, FRAME_LIMIT)
    pieces = [encoded[start : start + 4096] for start in range(0, len(encoded), 4096)]
    heard = [message for piece in pieces for message in decoder.feed(piece)]
    assert typed(heard) == typed([sent, client.AskStatus()])


def test_a_memoryview_is_copied_before_it_changes() -> None:
    buffer = bytearray(WORKER_LINK.encode(worker.Drain("a"), worker.Drain("b")))
    decoder = Decoder(WORKER_LINK, FRAME_LIMIT)
    heard = []
    for message in decoder.feed(memoryview(buffer)[:-1]):
        buffer[:-1] = bytes(len(buffer) - 1)
        heard.append(message)
    heard += fed(decoder, bytes(buffer[-1:]))
    assert heard == [worker.Drain("a"), worker.Drain("b")]


def test_bytes_of_a_name_that_are_no_text_travel() -> None:
    name = b"caf\xe9/\xff".decode(errors="surrogateescape")
    assert decoded(WORKER_LINK, WORKER_LINK.encode(worker.Drain(name))) == [worker.Drain(name)]


def test_an_integer_in_a_field_of_type_float_becomes_one() -> None:
    (heard,) = decoded(WORKER_LINK, packed(2, 1, 0, "1.0", 30))
    assert heard == worker.Welcome(1, 0, "1.0", 30.0)
    assert type(heard.lease_s) is float


# Garbage


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=13))
    | st.builds(msgpack.Timestamp, st.integers(0, 2**34), st.integers(0, 10**9 - 1)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@both_links
@untimed
@given(data=st.binary(max_size=300))
def test_garbage_is_a_protocol_error_and_nothing_else(link: Catalogue, data: bytes) -> None:
    judged(link, data)
    judged(link, frame(data))
    for record in (SPEC, RESULT):
        try:
            record.unpack(data)
        except ProtocolError:
            pass


@both_links
@untimed
@given(number=st.integers(-1, 20), fields=st.lists(ANYTHING, max_size=12))
def test_what_decodes_has_the_types_of_its_class(
    link: Catalogue, number: int, fields: list[Any]
) -> None:
    for message in judged(link, packed(number, *fields)):
        assert type(message) is link.kinds()[number]
        assert fits(message, type(message))


@both_links
@untimed
@given(data=st.data())
def test_a_damaged_message_is_refused_or_well_typed(link: Catalogue, data: st.DataObject) -> None:
    encoded = bytearray(link.encode(data.draw(messages(link))))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(4, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    for message in judged(link, bytes(encoded)):
        assert fits(message, type(message))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x93",  # an array without its elements
        b"\xc1",  # a byte that MessagePack never uses
        msgpack.packb([13]) + b"\x00",  # something after the message
        b"\xdd\xff\xff\xff\xff\x01",  # an array of 4 G elements
        b"\xdf\xff\xff\xff\xff\x01",
        b"\x91" * 100_000,  # very deep
        msgpack.packb(13),
        msgpack.packb([]),
        msgpack.packb({13: 1}),
        msgpack.packb([True]),  # no number, although True == 1
        msgpack.packb(["13"]),
        msgpack.packb([1.0]),
        msgpack.packb([99]),
        msgpack.packb([0]),
        msgpack.packb([-13]),
        b"\x91\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff",  # a timestamp beyond its nanoseconds
        b"\x92\x0d\x81\x80\x01",  # a map whose key is a map
    ],
)
def test_a_frame_that_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        decoded(WORKER_LINK, frame(body))


def test_an_unknown_message_is_named_with_its_link() -> None:
    with pytest.raises(ProtocolError, match="unknown message 99 on the worker link"):
        decoded(WORKER_LINK, packed(99))


def test_messages_before_the_wrong_one_are_heard() -> None:
    stream = iter(Decoder(WORKER_LINK).feed(WORKER_LINK.encode(worker.Beat()) + packed(99)))
    assert typed([next(stream)]) == typed([worker.Beat()])
    with pytest.raises(ProtocolError):
        next(stream)


@pytest.mark.parametrize("record", [SPEC, RESULT])
@pytest.mark.parametrize("body", [b"", b"\x01", b"\x80", b"\x90", b"\xc1", b"\x91\x01"])
def test_bytes_that_are_no_record_are_refused(record: Record, body: bytes) -> None:
    with pytest.raises(ProtocolError):
        record.unpack(body)


# Limits


@pytest.mark.parametrize("limit", [HELLO_LIMIT, 1000])
def test_a_frame_over_the_limit_is_refused_from_its_length_alone(limit: int) -> None:
    decoder = Decoder(CLIENT_LINK, limit)
    assert fed(decoder, struct.pack(">I", limit + 1)[:3]) == []
    with pytest.raises(ProtocolError, match=f"{limit + 1} bytes on the client link"):
        fed(decoder, struct.pack(">I", limit + 1)[3:])


def test_a_frame_of_just_the_limit_is_taken() -> None:
    message = client.Blob(1, bytes(500))
    encoded = CLIENT_LINK.encode(message)
    limit = len(encoded) - 4
    assert fed(Decoder(CLIENT_LINK, limit), encoded) == [message]
    with pytest.raises(ProtocolError):
        fed(Decoder(CLIENT_LINK, limit - 1), encoded)


def test_the_limit_rises_between_two_messages_of_one_read() -> None:
    large = client.Blob(1, bytes(2 * HELLO_LIMIT))
    decoder = Decoder(CLIENT_LINK)
    heard = []
    for message in decoder.feed(CLIENT_LINK.encode(client.AskStatus(), large)):
        heard.append(message)
        decoder.limit = FRAME_LIMIT
    assert typed(heard) == typed([client.AskStatus(), large])


def test_a_stream_stays_refused() -> None:
    decoder = Decoder(CLIENT_LINK)
    for data in (struct.pack(">I", 2**32 - 1), CLIENT_LINK.encode(client.AskStatus())):
        with pytest.raises(ProtocolError):
            fed(decoder, data)


# Catalogues


@both_links
def test_every_message_has_a_number_of_its_own(link: Catalogue) -> None:
    kinds = link.kinds()
    assert len(set(kinds.values())) == len(kinds)
    module = client if link is CLIENT_LINK else worker
    declared = {
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    }
    records = {Held, client.RunningTask, client.EndedTask, client.PoolCounts}
    assert declared - set(kinds.values()) <= records
    for number, kind in kinds.items():
        assert msgpack.unpackb(link.encode(smallest(kind))[4:])[0] == number


def test_a_number_is_given_once() -> None:
    link = Catalogue("test")
    link.message(1)(worker.Beat)
    with pytest.raises(AssertionError, match="message number 1 is taken"):
        link.message(1)(worker.Drain)


def test_messages_are_one_run_of_bytes() -> None:
    sent: list[NamedTuple] = [worker.Beat(), worker.Drain("x"), worker.Beat()]
    assert WORKER_LINK.encode(*sent) == b"".join(WORKER_LINK.encode(message) for message in sent)
    assert WORKER_LINK.encode() == b""
