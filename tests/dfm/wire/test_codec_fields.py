"""How the fields of a message are checked, and how they change from version to version."""

from typing import Any, NamedTuple, NewType

import msgpack
import pytest

from dfm.errors import ProtocolError
from dfm.wire import worker
from dfm.wire.codec import Catalogue, Record, Shape
from dfm.wire.task import RESULT, Command, TaskResult
from dfm.wire.worker import WORKER_LINK, Held
from tests.dfm.wire.generated import decoded, every_kind, fits, judged, packed, smallest, typed

# Types of fields

SAMPLES = [None, False, 1, 1.5, "a", b"a", [], [None], [1], ["a"], [["a", 1, 1]], {}, {"a": 1}, {"a": "b"}]  # fmt: skip


@every_kind
def test_a_field_of_a_wrong_type_is_refused_by_its_name(
    link: Catalogue, number: int, kind: Any
) -> None:
    for position, name in enumerate(kind._fields):
        for sample in SAMPLES:
            fields = list(smallest(kind))
            fields[position] = sample
            heard = judged(link, packed(number, *fields))
            if heard:
                assert fits(heard[0], kind), (name, sample)
            else:
                assert not fits(sample, kind.__annotations__[name])
                with pytest.raises(ProtocolError, match=f"malformed {kind.__name__}.{name}: "):
                    decoded(link, packed(number, *fields))


class Count(NamedTuple):
    of: str
    number: int = 7


Id = NewType("Id", int)


class Everything(NamedTuple):
    """A field of each type that can travel."""

    integer: int
    real: float
    text: str
    data: bytes
    truth: bool
    named: Id
    maybe: str | None
    many: list[int]
    table: dict[str, int]
    inner: Count
    inners: list[Count]


GOOD = Everything(1, 1.0, "a", b"a", True, Id(2), None, [1], {"a": 1}, Count("b", 1), [Count("c")])


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("integer", True, "bool instead of int"),
        ("integer", 1.0, "float instead of int"),
        ("integer", "1", "str instead of int"),
        ("real", True, "bool instead of float"),
        ("real", "1", "str instead of float"),
        ("text", b"a", "bytes instead of str"),
        ("data", "a", "str instead of bytes"),
        ("truth", 1, "int instead of bool"),
        ("named", "1", "str instead of int"),
        ("maybe", 1, "int instead of str"),
        ("many", {"a": 1}, "dict instead of list"),
        ("many", [1, "2"], "str instead of int"),
        ("table", [["a", 1]], "list instead of dict"),
        ("table", {b"a": 1}, "bytes instead of str"),
        ("table", {"a": "1"}, "str instead of int"),
        ("inner", "b", "str instead of Count"),
        ("inner", {"of": "b"}, "dict instead of Count"),
        ("inner", [1], "Count.of: int instead of str"),
        ("inner", [], "Count with 0 fields, not 1"),
        ("inners", [["b"], ["c", None]], "Count.number: NoneType instead of int"),
    ],
)
def test_a_wrong_type_is_said_in_words(field: str, value: Any, wrong: str) -> None:
    record = Record(Everything)
    assert record.unpack(record.pack(GOOD)) == GOOD
    data = record.pack(GOOD._replace(**{field: value}))
    with pytest.raises(ProtocolError, match=f"malformed Everything.{field}: {wrong}$"):
        record.unpack(data)


@pytest.mark.parametrize("annotation", [tuple[int, int], object, int | str, str | int | None])
def test_a_type_that_cannot_travel_is_found_when_its_class_is_read(annotation: Any) -> None:
    with pytest.raises(TypeError, match="cannot travel"):
        Shape(NamedTuple("Wrong", [("field", annotation)]))


# Versions


@every_kind
def test_fields_that_a_newer_minor_added_are_dropped(
    link: Catalogue, number: int, kind: Any
) -> None:
    known = smallest(kind)
    assert typed(decoded(link, packed(number, *known, "newer", [1]))) == [(kind, known)]


@every_kind
def test_fields_that_an_older_minor_lacks_take_their_defaults(
    link: Catalogue, number: int, kind: Any
) -> None:
    known = smallest(kind)
    required = [name for name in kind._fields if name not in kind._field_defaults]
    (heard,) = decoded(link, packed(number, *known[: len(required)]))
    assert heard == known._replace(**kind._field_defaults)
    if required:
        with pytest.raises(ProtocolError, match=f"{kind.__name__} with {len(required) - 1} fields"):
            decoded(link, packed(number, *known[: len(required) - 1]))


def test_a_record_inside_a_message_grows_the_same_way() -> None:
    newer = worker.Hello(1, 0, "1", "w", "h", 1, "", 1, 1, None, [], [])
    fields = [*newer[:-2], [["r", 1, 2, "newer"]], []]
    (heard,) = decoded(WORKER_LINK, packed(1, *fields))
    assert heard.running == [Held("r", 1, 2)]
    old = RESULT.unpack(msgpack.packb([0, 1.0, 2.0, [[["true"], 0, "newer"]], []]))
    assert old == TaskResult(0, 1.0, 2.0, [Command(["true"], 0)], [])
