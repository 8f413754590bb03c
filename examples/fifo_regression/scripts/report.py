"""Writes the report of a regression, in Markdown, to standard output.

$DFM_INPUTS gives the verdicts of the simulations (`fifo.SimResult`) and the merged coverage.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def runs_section(results: list[dict[str, Any]]) -> Iterator[str]:
    failed = [result for result in results if not result["passed"]]
    yield f"{len(results)} simulations: {len(results) - len(failed)} passed, {len(failed)} failed."
    if failed:
        yield ""
        yield "| seed | depth | first error |"
        yield "| ---: | ---: | --- |"
        for result in failed:
            yield f"| {result['seed']} | {result['depth']} | {result['error']} |"


def coverage_section(coverage: dict[str, Any]) -> Iterator[str]:
    """A row per group of bins, a column per scope; a cell is covered/total."""
    cells: dict[tuple[str, str], list[bool]] = {}
    for name, hits in coverage["bins"].items():
        scope, group, _ = name.split(".")
        cells.setdefault((group, scope), []).append(hits > 0)
    groups = list(dict.fromkeys(group for group, _ in cells))
    scopes = list(dict.fromkeys(scope for _, scope in cells))
    scopes.sort(key="any_depth".__eq__)  # last; the others stay as they are

    yield f"{coverage['covered']} of {coverage['total']} bins: {coverage['percent']} %."
    yield ""
    yield f"| bins | {' | '.join(scopes)} |"
    yield f"| --- |{' ---: |' * len(scopes)}"
    for group in groups:
        row = [cells.get((group, scope)) for scope in scopes]
        counts = [f"{sum(cell)}/{len(cell)}" if cell else "" for cell in row]
        yield f"| {group} | {' | '.join(counts)} |"
    if coverage["uncovered"]:
        yield ""
        yield "Not covered:"
        yield ""
        for name in coverage["uncovered"]:
            yield f"- `{name}`"


def main() -> None:
    items = json.loads(Path(os.environ["DFM_INPUTS"]).read_text())
    results = [item for item in items if item["type"] == "fifo.SimResult"]
    (file_set,) = [item for item in items if item["type"] == "std.FileSet"]
    coverage = json.loads(Path(file_set["basedir"], file_set["files"][0]).read_text())

    print("# FIFO regression", "", *runs_section(results), sep="\n")
    print("", "## Coverage of the simulations that passed", "", sep="\n")
    print(*coverage_section(coverage), sep="\n")


if __name__ == "__main__":
    main()
