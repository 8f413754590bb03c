"""A fault at the prompt: its place, its line with a mark, its hint."""

from pathlib import Path

import pytest

from dfm.cli.faults import said
from dfm.errors import Place, Problem


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "flow.yaml"


def shown(file: Path, line: int, column: int, hint: str = "") -> list[str]:
    return said(Problem("what", Place(str(file), line, column), hint)).split("\n")


def test_the_line_is_shown_without_its_indentation_and_marked(file: Path) -> None:
    file.write_text("package:\n  name: 3\n")
    assert shown(file, 2, 9, "quote it\nor not") == [
        "flow.yaml:2:9: what", "     name: 3", "           ^", "     quote it", "     or not",
    ]  # fmt: skip


def test_of_a_long_line_what_is_around_the_column_is_shown(file: Path) -> None:
    file.write_text("x" * 500 + "HERE" + "y" * 500)
    _, line, mark = shown(file, 1, 501)
    assert len(line) < 100
    assert line[mark.index("^") :].startswith("HERE")


@pytest.mark.parametrize("text", ["a\tb\x1b[31m\n", "ab"])
def test_what_cannot_be_printed_is_a_blank(file: Path, text: str) -> None:
    file.write_text(text)
    _, line, mark = shown(file, 1, 3)
    assert line.isprintable()
    assert mark == "       ^"


@pytest.mark.parametrize(("line", "column"), [(0, 0), (3, 0), (1, 1), (9, 1)])
def test_without_such_a_line_there_is_no_mark(file: Path, line: int, column: int) -> None:
    file.write_text("  \nb\n")
    assert len(shown(file, line, column)) == 1


def test_a_file_that_is_gone_or_elsewhere_is_named(file: Path) -> None:
    assert shown(file, 1, 1) == ["flow.yaml:1:1: what"]
    assert shown(Path("/no/such/file"), 1, 1) == ["/no/such/file:1:1: what"]


def test_a_column_behind_the_line_marks_its_end(file: Path) -> None:
    file.write_text("ab\n")
    assert shown(file, 1, 40)[1:] == ["     ab", "       ^"]
