"""Messages of every kind, generated from the annotations of their classes, and frames by hand."""

import struct
from types import NoneType, UnionType
from typing import Any, NamedTuple, NewType, get_args, get_origin

import msgpack
import pytest
from hypothesis import strategies as st

from dfm.errors import ProtocolError
from dfm.wire.client import CLIENT_LINK
from dfm.wire.codec import FRAME_LIMIT, Catalogue, Decoder
from dfm.wire.task import TaskResult, TaskSpec
from dfm.wire.worker import WORKER_LINK

LINKS = (CLIENT_LINK, WORKER_LINK)
RECORDS = (TaskSpec, TaskResult)

every_kind = pytest.mark.parametrize(
    ("link", "number", "kind"),
    [
        pytest.param(link, number, kind, id=f"{link.link}-{kind.__name__}")
        for link in LINKS
        for number, kind in link.kinds().items()
    ],
)

# What an environment or a file name can hold: bytes that are no UTF-8 are surrogates in it.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.binary(max_size=20).map(
    lambda data: data.decode(errors="surrogateescape")
)


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """What a field of this type may hold."""
    if isinstance(annotation, NewType):
        return values(annotation.__supertype__)
    arguments = get_args(annotation)
    if isinstance(annotation, UnionType):
        return st.none() | values(arguments[0])
    if get_origin(annotation) is list:
        return st.lists(values(arguments[0]), max_size=4)
    if get_origin(annotation) is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=4)
    if issubclass(annotation, tuple):
        return records(annotation)
    plain: dict[type, st.SearchStrategy[Any]] = {
        int: st.integers(-(2**63), 2**64 - 1),
        float: st.floats(allow_nan=False),
        str: TEXT,
        bytes: st.binary(max_size=200),
        bool: st.booleans(),
    }
    return plain[annotation]


def records(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, *(values(kind.__annotations__[name]) for name in kind._fields))


def messages(link: Catalogue) -> st.SearchStrategy[Any]:
    """Of any kind of this link."""
    return st.one_of([records(kind) for kind in link.kinds().values()])


def smallest(kind: Any) -> Any:
    """A message of this kind that says as little as it can."""
    return kind(*(_nothing(kind.__annotations__[name]) for name in kind._fields))


def _nothing(annotation: Any) -> Any:
    if isinstance(annotation, NewType):
        return _nothing(annotation.__supertype__)
    if isinstance(annotation, UnionType):
        return None
    return (get_origin(annotation) or annotation)()


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of exactly this type, all the way down."""
    if isinstance(annotation, NewType):
        return fits(value, annotation.__supertype__)
    arguments = get_args(annotation)
    if isinstance(annotation, UnionType):
        assert arguments[1] is NoneType
        return value is None or fits(value, arguments[0])
    if get_origin(annotation) is list:
        return type(value) is list and all(fits(element, arguments[0]) for element in value)
    if get_origin(annotation) is dict:
        return type(value) is dict and all(
            fits(key, arguments[0]) and fits(element, arguments[1])
            for key, element in value.items()
        )
    if issubclass(annotation, tuple):
        return type(value) is annotation and all(
            fits(field, annotation.__annotations__[name])
            for name, field in zip(annotation._fields, value, strict=True)
        )
    return type(value) is annotation


def typed(found: list[Any]) -> list[tuple[type, NamedTuple]]:
    """For comparisons: two kinds with equal fields are equal."""
    return [(type(message), message) for message in found]


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def packed(number: int, *fields: Any) -> bytes:
    """The frame of a message that no class of ours would make."""
    data: bytes = msgpack.packb([number, *fields], unicode_errors="surrogateescape")
    return frame(data)


def decoded(link: Catalogue, data: bytes) -> list[Any]:
    return list(Decoder(link, FRAME_LIMIT).feed(data))


def judged(link: Catalogue, data: bytes) -> list[Any]:
    """What a stream yields before it ends or is refused. Any other error fails the test."""
    heard: list[Any] = []
    try:
        for message in Decoder(link, FRAME_LIMIT).feed(data):
            heard.append(message)
    except ProtocolError:
        pass
    return heard
