"""Places of values, and values in words."""

from pathlib import Path

import pytest

from dfm.errors import FlowError, Place
from dfm.flow.document import Document, Where, describe
from dfm.flow.reading import read

TEXT = """\
package:
  name: demo
  run: |
    first
    second ${{ x }}
    third ${{ x }}
"""


@pytest.fixture
def document(tmp_path: Path) -> Document:
    (tmp_path / "flow.yaml").write_text(TEXT)
    return read(str(tmp_path / "flow.yaml"))


def test_a_document_is_its_data_and_where_it_lies(document: Document, tmp_path: Path) -> None:
    assert document.directory == str(tmp_path)
    assert document.data == {
        "package": {"name": "demo", "run": "first\nsecond ${{ x }}\nthird ${{ x }}\n"}
    }


@pytest.mark.parametrize(
    ("within", "line", "column"),
    [
        ("", 3, 8),
        ("first", 4, 5),
        ("${{ x }}", 5, 12),
        ("third", 6, 5),
        ("nowhere", 3, 8),
        ("demo", 3, 8),
    ],
)
def test_a_part_of_a_text_is_found_below_where_the_text_begins(
    document: Document, within: str, line: int, column: int
) -> None:
    where = Where(document, ("package", "run"))
    assert where.place(within) == Place(document.file, line, column)


def test_a_value_has_a_place_and_so_has_its_key(document: Document) -> None:
    name = Where(document, ("package",)).at("name")
    assert name.place() == Place(document.file, 2, 9)
    assert name.key().place() == Place(document.file, 2, 3)


@pytest.mark.parametrize("name", ["flow.dv", "flow.yml", "anything"])
def test_what_does_not_end_in_toml_is_yaml(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a: [1]")
    assert read(str(tmp_path / name)).data == {"a": [1]}


def test_what_ends_in_toml_is_toml(tmp_path: Path) -> None:
    (tmp_path / "any.toml").write_text("a = [1]")
    assert read(str(tmp_path / "any.toml")).data == {"a": [1]}


def test_a_file_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="cannot be read: No such file or directory"):
        read(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "the boolean true"),
        (3, "the number 3"),
        (2.5, "the number 2.5"),
        ("x", "the text 'x'"),
        ("x" * 40, f"the text '{'x' * 40}'"),
        ("x" * 41, f"the text '{'x' * 37}...'"),
        ({}, "a map"),
        ([], "a list"),
    ],
)
def test_a_value_is_described_in_words(value: object, words: str) -> None:
    assert describe(value) == words
