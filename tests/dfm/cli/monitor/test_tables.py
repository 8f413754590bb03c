"""The tables fit their screen, and what tells tasks apart is seen on the narrowest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.cli.monitor.lines import Look
from dfm.cli.monitor.tables import ended_lines, result, running_lines, widths
from tests.dfm.cli.monitor.conftest import ended, running

LONG = "chip.verification_of_something.with_many_levels.that_nobody_can_read.run_"


def test_columns_of_both_tables_stand_below_each_other() -> None:
    runs, ends = [running("p.long", worker="w1234")], [ended(1, "p.short")]
    columns = widths(80, runs, ends)
    head, run = running_lines(runs, 1, columns, 10, "…")
    other_head, end = ended_lines(ends, columns, 10, "…")
    assert (head.look, other_head.look) == (Look.HEAD, Look.HEAD)
    place = run.text.index("p.long")
    assert end.text.index("p.short") == place
    assert head.text.index("RUNNING") == other_head.text.index("ENDED") == place
    assert run.text.split() == ["7", "s", "w1234", "host", "p.long"]
    assert end.text.split() == ["1.50", "s", "w1", "pass", "p.short"]


def test_long_names_keep_the_tails_that_tell_them_apart() -> None:
    runs = [running(f"{LONG}{number}") for number in (1, 2)]
    lines = running_lines(runs, 2, widths(80, runs, []), 10, "…")[1:]
    assert [line.text[-6:] for line in lines] == [".run_1", ".run_2"]
    assert all("…" in line.text and len(line.text) == 80 for line in lines)


@given(
    st.integers(20, 250), st.integers(0, 60), st.lists(st.text(max_size=200)),
    st.integers(0, 10_000),
)  # fmt: skip
def test_no_line_is_wider_and_no_table_higher_than_its_part(
    width: int, height: int, names: list[str], number: int
) -> None:
    runs = [running(name, worker=name, host=name) for name in names]
    ends = [ended(number, name, number, worker=name) for name in names]
    columns = widths(width, runs, ends)
    for lines in (
        running_lines(runs, len(runs) + number, columns, height, "~"),
        ended_lines([*ends, 7], columns, height, "~"),
    ):
        assert len(lines) <= height
        assert all(len(line.text) <= max(width, 32) for line in lines)
        assert all("\n" not in line.text and "\x1b" not in line.text for line in lines)


def test_the_heading_says_how_many_there_are() -> None:
    runs = [running() for _ in range(9)]
    columns = widths(80, runs, [])
    assert "RUNNING (9, longest first)" in running_lines(runs, 9, columns, 10, "…")[0].text
    assert "RUNNING (4 of 312, " in running_lines(runs, 312, columns, 5, "…")[0].text


@pytest.mark.parametrize(
    ("status", "lost", "word"),
    [(0, "", "pass"), (3, "", "FAIL 3"), (-9, "", "FAIL sig 9"), (0, "worker w1: killed", "LOST")],
)
def test_each_end_has_its_word(status: int, lost: str, word: str) -> None:
    end = ended(1, status=status, lost=lost)
    assert result(end) == word
    (line,) = ended_lines([end], widths(80, [], [end]), 10, "…")[1:]
    assert word in line.text
    assert line.look is (Look.PLAIN if word == "pass" else Look.BAD)


def test_a_gap_is_said() -> None:
    assert ended_lines([187], widths(80, [], []), 10, "…")[1].text.strip() == "(187 more)"
