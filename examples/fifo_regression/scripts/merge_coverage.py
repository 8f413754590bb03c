"""Merges the coverage of the simulations into coverage.json; the task `coverage` calls merge().

A coverage file has a bin per line, `{"bin": "depth8.state.full", "hits": 412}`; every simulation
writes all bins of its depth, also those with no hits.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dv_flow.mgr import FileSet, TaskDataInput, TaskDataResult, TaskRunCtxt


def add_hits(files: Iterable[Path], depths: Iterable[int]) -> dict[str, int]:
    """Sums the hits per bin. A depth that no file is about is there with no passed run."""
    hits = {f"depth{depth}.run.passed": 0 for depth in depths}
    for file in files:
        for line in file.read_text().splitlines():
            bin_hits = json.loads(line)
            hits[bin_hits["bin"]] = hits.get(bin_hits["bin"], 0) + bin_hits["hits"]
    return hits


def summarize(hits: dict[str, int]) -> dict[str, Any]:
    uncovered = [name for name, count in hits.items() if count == 0]
    covered = len(hits) - len(uncovered)
    return {
        "percent": round(100 * covered / len(hits), 1) if hits else 0.0,
        "covered": covered,
        "total": len(hits),
        "uncovered": uncovered,
        "bins": hits,
    }


def write(summary: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(summary, indent=2) + "\n")


async def merge(ctxt: TaskRunCtxt, input: TaskDataInput) -> TaskDataResult:
    files = [Path(item.basedir, name) for item in input.inputs for name in item.files]
    summary = summarize(add_hits(files, input.params.expected_depths))
    write(summary, Path(input.rundir, "coverage.json"))
    ctxt.info(f"{summary['percent']} % of {summary['total']} bins, from {len(files)} simulations")
    return TaskDataResult(
        output=[FileSet(filetype="coverageReport", basedir=input.rundir, files=["coverage.json"])]
    )
