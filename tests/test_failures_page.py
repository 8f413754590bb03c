"""The page of failures: each row names a test that there is, and no failure is without one."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLUMNS = 5


def rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "failures.md").read_text().splitlines()
    table = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in lines
        if line.startswith("| ")
    ]
    return [cells for cells in table if cells[0] not in ("failure", "---")]


def test_each_row_names_a_test_that_there_is() -> None:
    known: dict[str, set[str]] = {}
    for cells in rows():
        assert len(cells) == COLUMNS, cells
        path, _, name = cells[-1].strip("` ").partition("::")
        if path not in known:
            tree = ast.parse((ROOT / path).read_text())
            known[path] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in known[path], cells[-1]


def test_every_failure_says_how_it_is_staged_and_what_is_seen() -> None:
    found = rows()
    assert len(found) > 30
    assert all(cells[0] and cells[1] and cells[2] for cells in found)
