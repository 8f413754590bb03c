"""What is due when."""

from hypothesis import given
from hypothesis import strategies as some

from dfm_daemon.core.deadlines import Deadlines


def test_nothing_is_due_when_nothing_is_set() -> None:
    deadlines: Deadlines[str] = Deadlines()
    assert deadlines.next() is None
    assert list(deadlines.take_due(1e9)) == []


def test_what_is_due_is_given_once_in_the_order_of_time() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("late", 3.0)
    deadlines.set("early", 1.0)
    deadlines.set("middle", 2.0)
    assert deadlines.next() == 1.0
    assert list(deadlines.take_due(2.0)) == ["early", "middle"]
    assert list(deadlines.take_due(2.0)) == []
    assert deadlines.next() == 3.0


def test_those_due_at_one_time_come_in_the_order_in_which_they_were_set() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for key in ("z", "a", "m"):
        deadlines.set(key, 1.0)
    assert list(deadlines.take_due(1.0)) == ["z", "a", "m"]


def test_setting_a_deadline_again_moves_it() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    deadlines.set("a", 5.0)
    assert deadlines.next() == 5.0
    assert list(deadlines.take_due(4.0)) == []
    deadlines.set("a", 2.0)
    assert list(deadlines.take_due(4.0)) == ["a"]
    assert list(deadlines.take_due(9.0)) == []


def test_a_cleared_deadline_is_none() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    assert "a" in deadlines
    deadlines.clear("a")
    deadlines.clear("never set")
    assert "a" not in deadlines
    assert deadlines.next() is None


def test_a_key_may_be_set_while_what_is_due_is_taken() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("a", 1.0)
    for key in deadlines.take_due(2.0):
        assert key not in deadlines
        deadlines.set(key, 3.0)
    assert deadlines.next() == 3.0


@given(
    some.lists(some.tuples(some.sampled_from("abc"), some.none() | some.integers(0, 9))),
    some.integers(0, 9),
)
def test_the_heap_says_what_a_plain_table_says(
    steps: list[tuple[str, int | None]], now: int
) -> None:
    deadlines: Deadlines[str] = Deadlines()
    table: dict[str, int] = {}
    for key, due in steps:
        if due is None:
            deadlines.clear(key)
            table.pop(key, None)
        else:
            deadlines.set(key, due)
            table[key] = due
        assert deadlines.next() == min(table.values(), default=None)
    assert set(deadlines.take_due(now)) == {key for key, due in table.items() if due <= now}
