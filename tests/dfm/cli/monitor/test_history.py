"""What was shown stays, once; what was too fast to be shown is counted."""

from hypothesis import given
from hypothesis import strategies as st

from dfm.cli.monitor.history import RATE_S, History
from dfm.wire.client import EndedTask
from tests.dfm.cli.monitor.conftest import ended, snapshot


def test_ends_are_kept_newest_first_and_none_twice() -> None:
    history = History()
    history.take(snapshot(1.0, [ended(2), ended(1)]))
    history.take(snapshot(2.0, [ended(3), ended(2)]))
    assert list(history.ended()) == [ended(3), ended(2), ended(1)]


def test_a_gap_is_counted() -> None:
    history = History()
    history.take(snapshot(1.0, [ended(2), ended(1)]))
    history.take(snapshot(2.0, [ended(100), ended(99)]))
    assert list(history.ended()) == [ended(100), ended(99), 96, ended(2), ended(1)]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40))))
def test_every_end_is_shown_or_in_a_gap(answers: list[tuple[int, int]]) -> None:
    history, count, first = History(), 0, 0
    for new, rows in answers:
        count += new
        shown = [ended(number) for number in range(count, count - min(new, rows), -1)]
        first = first or (shown[-1].number if shown else 0)
        history.take(snapshot(1.0, shown, count))
    found = list(history.ended())
    total = sum(1 if isinstance(one, EndedTask) else one for one in found)
    newest = next((one.number for one in found if isinstance(one, EndedTask)), 0)
    assert total == (newest - first + 1 if newest else 0) or len(found) >= 500


def test_the_rate_is_that_of_the_last_seconds() -> None:
    history = History()
    assert history.rate() == 0.0
    history.take(snapshot(0.0, count=0))
    assert history.rate() == 0.0
    for second in range(1, 31):
        history.take(snapshot(float(second), count=1000 * second))
    assert history.rate() == 1000.0
    for second in range(31, 31 + int(RATE_S) + 1):
        history.take(snapshot(float(second), count=30_000))
    assert history.rate() == 0.0
