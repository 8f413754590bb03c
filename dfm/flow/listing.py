"""What a task of `std.TestInfo` prints: the tests of a runner, without building anything."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dfm.flow.choice import Selection
from dfm.flow.suites import Case
from dfm.graph.values import Fields

FILE = "tests-info.json"


def listing(
    cases: Sequence[Case], selection: Selection, params: Fields, target: str
) -> tuple[str, str]:
    """What is printed, and the text of the file."""
    data = _data(cases, selection, params, target)
    as_json = json.dumps(data, indent=1)
    match "json" if params["json"] else params["format"]:
        case "json":
            return as_json, as_json
        case "yaml":
            import yaml  # for the few who ask for it

            return yaml.safe_dump(data, sort_keys=False).rstrip("\n"), as_json
        case "list":
            return "\n".join(test["selector"] for test in data["tests"]), as_json
        case _:
            return "\n".join(_lines(data)), as_json


def _data(
    cases: Sequence[Case], selection: Selection, params: Fields, target: str
) -> dict[str, Any]:
    made = _instances if params["instances"] else _tests
    views = dict.fromkeys(view for case in cases for view in case.views())
    return {
        "schema": 1,
        "target": target,
        "test_key": params["test_key"],
        "view_axis": params["view_axis"],
        "selection": selection._asdict(),
        "cases": len(cases),
        "views": list(views),
        "views_open": False,
        "tests": list(made(cases)),
    }


def _tests(cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    for case in cases:
        yield _test(case, case.views(), case.selector)


def _instances(cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """One for each test and view, with what runs it alone."""
    for case in cases:
        for view in case.views() or [""]:
            words = f"--tests {case.selector}" + (f" --views {view}" if view else "")
            yield _test(case, [view] if view else [], words)


def _test(case: Case, views: list[str], selector: str) -> dict[str, Any]:
    return {
        "path": ".".join(case.path),
        "name": case.path[-1],
        "task": case.task.name,
        "views": views,
        "views_open": False,
        "aliases": [],
        "selector": selector,
    }


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['target']}: {data['cases']} tests"
    width = max((len(test["path"]) for test in data["tests"]), default=0)
    for test in data["tests"]:
        views = ", ".join(test["views"])
        yield f"  {test['path']:<{width}}  {test['task']}" + (f"  [{views}]" if views else "")
