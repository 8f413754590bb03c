"""`dfm validate`: loads a flow, builds the graph of all its tasks, and says what is wrong or odd."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from dfm.cli.display.words import plural
from dfm.cli.faults import said
from dfm.errors import FlowError, Problem
from dfm.flow.findings import Finding, counts, findings
from dfm.flow.load import Flow, Options, load


def validate(options: Options, *, as_json: bool) -> int:
    """Prints what was found; returns the exit status. Raises UsageError."""
    errors: Sequence[Problem] = ()
    warnings: list[Finding] = []
    info: list[Finding] = []
    try:
        flow = load(options, os.environ)
        _build(flow)
    except FlowError as error:
        errors = error.problems
    else:
        warnings = [_warning(problem) for problem in flow.warnings()] + findings(
            flow.catalog, flow.products
        )
        info = counts(flow.catalog)
    if as_json:
        found = [_error(problem) for problem in errors]
        print(json.dumps(_report(found, warnings, info), indent=2))  # noqa: T201
    else:
        _print(errors, warnings, info)
    return 1 if errors else 0


def _build(flow: Flow) -> None:
    """The graph of all that can be run, for what is found no earlier. Raises FlowError."""
    catalog = flow.catalog
    names = [
        task.name
        for task in flow.program.root.tasks.values()
        if not task.abstract and catalog.is_provided(task)
    ]
    flow.graph(names, os.path.join(os.getcwd(), "rundir"))


def _report(errors: list[Finding], warnings: list[Finding], info: list[Finding]) -> dict[str, Any]:
    return {
        "valid": not errors,
        "error_count": len(errors),
        "warning_count": len(warnings),
        "errors": errors,
        "warnings": warnings,
        "info": info,
    }


def _error(problem: Problem) -> Finding:
    found: Finding = {"type": problem.kind, "message": problem.what, "location": _place(problem)}
    if problem.hint:
        found["hint"] = problem.hint
    if problem.tasks:
        found["tasks"] = list(problem.tasks)
    return found


def _warning(problem: Problem) -> Finding:
    return {"type": "Warning", "message": problem.what, "location": _place(problem)}


def _place(problem: Problem) -> dict[str, Any] | None:
    place = problem.place
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column}


def _print(errors: Sequence[Problem], warnings: list[Finding], info: list[Finding]) -> None:
    for problem in errors:
        print(said(problem), file=sys.stderr)  # noqa: T201
    for finding in warnings:
        place = finding.get("location")
        text = f"{finding['type']}: {finding['message']}"
        if place:
            text = f"{os.path.relpath(place['file'])}:{place['line']}:{place['column']}: {text}"
        print(f"warning: {text}")  # noqa: T201
    for one in info:
        tasks, types = plural(one["task_count"], "task"), plural(one["type_count"], "type")
        print(f"package {one['name']}: {tasks}, {types}")  # noqa: T201
    total = f"{plural(len(errors), 'error')}, {plural(len(warnings), 'warning')}"
    print(f"{'not valid' if errors else 'valid'}: {total}")  # noqa: T201
