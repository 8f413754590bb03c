"""Bytes <-> messages, for every link. Knows no socket, so one codec serves asyncio, the agent's own
loop, a test and the simulator.

A frame is a 4-byte big-endian length and a MessagePack array `[number, fields...]`
(https://github.com/msgpack/msgpack/blob/master/spec.md). Text is UTF-8; bytes that are not, as an
environment may hold, travel by surrogateescape. Fields are checked against the class's annotations
when they are decoded; behind the codec, code trusts them. Fields that a newer minor version added
are dropped; fields that an older one did not know take their default.
"""

import struct
from collections.abc import Callable, Iterable
from types import NoneType, UnionType
from typing import Any, ClassVar, NamedTuple, NewType, Protocol, TypeVar, get_args, get_origin

import msgpack

from dfm.errors import ProtocolError

MAJOR, MINOR = 1, 0  # of both links: a change of meaning is a new major

HELLO_LIMIT = 64 * 1024  # bytes of a frame, while nobody knows who sends it
FRAME_LIMIT = 256 * 1024 * 1024  # bytes of a frame afterwards

_HEADER = 4
_length = struct.Struct(">I").unpack_from


class Fields(Protocol):
    """What a NamedTuple class looks like to the codec."""

    _fields: ClassVar[tuple[str, ...]]
    _field_defaults: ClassVar[dict[str, Any]]


Message = TypeVar("Message", bound=NamedTuple)  # one kind of message, or a record inside one
_Check = Callable[[Any], Any]  # returns the value as the field has it; raises _Unfit


class _Unfit(Exception):
    """A value that is not of its field's type."""


def _exactly(*kinds: type) -> _Check:
    def check(value: Any) -> Any:
        if type(value) not in kinds:
            raise _Unfit(f"{type(value).__name__} instead of {kinds[0].__name__}")
        return value

    return check


def _float(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise _Unfit(f"{type(value).__name__} instead of float")
    return float(value)


def _list_of(check: _Check, plain: Any) -> _Check:
    """Of elements that are most often of the type `plain`."""

    def check_list(value: Any) -> Any:
        if type(value) is not list:
            raise _Unfit(f"{type(value).__name__} instead of list")
        if {plain}.issuperset(map(type, value)):
            return value
        return [check(element) for element in value]

    return check_list


def _map_of(check_key: _Check, check_value: _Check) -> _Check:
    def check_map(value: Any) -> Any:
        if type(value) is not dict:
            raise _Unfit(f"{type(value).__name__} instead of dict")
        if not value:
            return value
        return {check_key(key): check_value(element) for key, element in value.items()}

    return check_map


def _optional(check: _Check) -> _Check:
    def check_optional(value: Any) -> Any:
        return None if value is None else check(value)

    return check_optional


def _record(kind: type) -> _Check:
    shape = Shape(kind)

    def check_record(value: Any) -> Any:
        if type(value) is not list:
            raise _Unfit(f"{type(value).__name__} instead of {kind.__name__}")
        return shape.build(value)

    return check_record


def _check_for(annotation: Any) -> _Check:
    """The check of an annotation. Raises TypeError on one that cannot travel: a mistake of ours."""
    if isinstance(annotation, NewType):
        return _check_for(annotation.__supertype__)
    if annotation is float:
        return _float
    if annotation in (int, str, bytes, bool):
        return _exactly(annotation)
    if isinstance(annotation, type) and issubclass(annotation, tuple):
        return _record(annotation)
    arguments = get_args(annotation)
    if isinstance(annotation, UnionType) and len(arguments) == 2 and arguments[1] is NoneType:
        return _optional(_check_for(arguments[0]))
    if get_origin(annotation) is list:
        return _list_of(_check_for(arguments[0]), arguments[0])
    if get_origin(annotation) is dict:
        return _map_of(_check_for(arguments[0]), _check_for(arguments[1]))
    raise TypeError(f"{annotation} cannot travel in a message")


class Shape:
    """How one NamedTuple class is built from the fields that arrived."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self._names: tuple[str, ...] = kind._fields
        annotations = [kind.__annotations__[name] for name in self._names]
        self._checks = [_check_for(annotation) for annotation in annotations]
        self._required = len(self._names) - len(kind._field_defaults)
        # Most messages arrive with just these types: one comparison checks them all, but for what
        # is in their lists and maps.
        self._types = tuple(get_origin(annotation) or annotation for annotation in annotations)
        self._inner = [
            (place, self._checks[place])
            for place, annotation in enumerate(annotations)
            if get_origin(annotation) in (list, dict)
        ]

    def build(self, fields: list[Any]) -> Any:
        """`fields` is the caller's no more. Raises _Unfit."""
        if tuple(map(type, fields)) == self._types:
            for place, check in self._inner:
                try:
                    fields[place] = check(fields[place])
                except _Unfit as error:
                    raise self._unfit(place, error) from None
            return tuple.__new__(self.kind, fields)
        if len(fields) < self._required:
            raise _Unfit(f"{self.kind.__name__} with {len(fields)} fields, not {self._required}")
        values = []
        for place, (check, value) in enumerate(zip(self._checks, fields, strict=False)):
            try:
                values.append(check(value))
            except _Unfit as error:
                raise self._unfit(place, error) from None
        return self.kind(*values)

    def _unfit(self, place: int, error: _Unfit) -> _Unfit:
        return _Unfit(f"{self.kind.__name__}.{self._names[place]}: {error}")


def _unpack(body: bytes | bytearray | memoryview) -> Any:
    try:
        return msgpack.unpackb(body, unicode_errors="surrogateescape", timestamp=0)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise ProtocolError(f"not MessagePack: {error}") from None


_pack: Callable[[Any], bytes] = msgpack.Packer(unicode_errors="surrogateescape").pack


class Record:
    """Packs one class of record for a field that travels as opaque bytes."""

    def __init__(self, kind: Any) -> None:
        self._shape = Shape(kind)

    def pack(self, record: Any) -> bytes:
        return _pack(record)

    def unpack(self, data: bytes) -> Any:
        fields = _unpack(data)
        if type(fields) is not list:
            raise ProtocolError(f"a {self._shape.kind.__name__} that is no array")
        try:
            return self._shape.build(fields)
        except _Unfit as error:
            raise ProtocolError(f"malformed {error}") from None


class Catalogue:
    """The messages of one link, by number."""

    def __init__(self, link: str) -> None:
        self.link = link
        self._shapes: dict[int, Shape] = {}
        self._numbers: dict[type, int] = {}

    def message(self, number: int) -> Callable[[type[Message]], type[Message]]:
        """Class decorator: this NamedTuple travels on this link under `number`, for ever."""

        def register(kind: type[Message]) -> type[Message]:
            assert number not in self._shapes, f"{self.link}: message number {number} is taken"
            self._shapes[number] = Shape(kind)
            self._numbers[kind] = number
            return kind

        return register

    def kinds(self) -> dict[int, type]:
        return {number: shape.kind for number, shape in self._shapes.items()}

    def encode(self, *messages: NamedTuple) -> bytes:
        """The frames of these messages, in order, to be written at once."""
        numbers = self._numbers
        parts = []
        for message in messages:
            body = _pack((numbers[type(message)], *message))
            parts.append(len(body).to_bytes(_HEADER, "big"))
            parts.append(body)
        return b"".join(parts)

    def decode(self, body: bytes | bytearray | memoryview) -> Any:
        """One message from the array of one frame. Raises ProtocolError."""
        fields = _unpack(body)
        if type(fields) is not list or not fields or type(fields[0]) is not int:
            raise ProtocolError("a frame that is no message")
        number = fields.pop(0)
        shape = self._shapes.get(number)
        if shape is None:
            raise ProtocolError(f"unknown message {number} on the {self.link} link")
        try:
            return shape.build(fields)
        except _Unfit as error:
            raise ProtocolError(f"malformed {error}") from None


class Decoder:
    """Splits what arrives into messages, whatever the pieces it arrives in.

    `limit` is the longest frame accepted, in bytes; it may be raised once the peer is known. A
    longer one is refused when its length is read, before any of it is kept.
    """

    def __init__(self, catalogue: Catalogue, limit: int = HELLO_LIMIT) -> None:
        self.limit = limit
        self._catalogue = catalogue
        self._rest = bytearray()

    def feed(self, data: bytes | memoryview) -> Iterable[Any]:
        """Yields the messages that are complete now. Raises ProtocolError at the first wrong one."""
        rest, decode = self._rest, self._catalogue.decode
        rest += data
        start, end = 0, len(rest)
        try:
            while end - start >= _HEADER:
                (length,) = _length(rest, start)
                if length > self.limit:
                    raise ProtocolError(
                        f"a frame of {length} bytes on the {self._catalogue.link} link,"
                        f" more than the {self.limit} allowed"
                    )
                following = start + _HEADER + length
                if following > end:
                    break
                body = rest[start + _HEADER : following]
                start = following
                yield decode(body)
        finally:
            del rest[:start]
