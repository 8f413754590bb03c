"""What a task of `std.TestInfo` prints: the tests of a runner, without building anything."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dfm.flow.choice import Selection
from dfm.flow.suites import Case
from dfm.graph.values import Fields

FILE = "tests-info.json"


def listing(
    cases: Sequence[Case], selection: Selection, params: Fields, target: str,
    required: Sequence[list[str]] | None = None,
) -> tuple[str, str]:  # fmt: skip
    """What is printed, and the text of the file. `required` are the producers that each case needs."""
    data = _data(cases, selection, params, target)
    if required is not None:
        _add_producers(data, cases, required, params, target)
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


def _add_producers(
    data: dict[str, Any], cases: Sequence[Case], required: Sequence[list[str]], params: Fields,
    target: str,
) -> None:  # fmt: skip
    """What each test requires, each producer with its tests, and what builds them all."""
    by_path = {".".join(case.path): names for case, names in zip(cases, required, strict=True)}
    producers: dict[str, list[str]] = {}
    for test in data["tests"]:
        test["requires"] = by_path[test["path"]]
        for name in test["requires"]:
            producers.setdefault(name, []).append(test["selector"])
    data["requires"] = params["requires"]
    data["producers"] = [{"name": name, "tests": tests} for name, tests in producers.items()]
    chosen = [
        word
        for flag, values in data["selection"].items()
        for value in values
        for word in (f"--{flag}", value)
    ]
    data["build"] = {"argv": ["run", target, *chosen, "--build-only", str(params["requires"])]}


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
        line = f"  {test['path']:<{width}}  {test['task']}" + (f"  [{views}]" if views else "")
        if "requires" in test:
            line += f"  requires {', '.join(test['requires']) or 'nothing that is declared'}"
        yield line
