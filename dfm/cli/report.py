"""`--report DIR` and `--summary-file PATH`: what a run came to, for programs and people (section 36)."""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dfm.engine import records
from dfm.engine.outcome import Ending, Outcome
from dfm.errors import RunnerError
from dfm.graph.names import file_name

SCHEMA = "dvflow-report/1"
_SEVERITIES = ("info", "warning", "error")
_FAILED = (Ending.FAILED, Ending.LOST, Ending.CANCELLED)


def write_report(
    folder: str, package: str, outcomes: Sequence[Outcome], counts: Mapping[Ending, int]
) -> None:
    """Makes or updates the folder. Raises RunnerError."""
    try:
        os.makedirs(f"{folder}/logs", exist_ok=True)
        taken: set[str] = set()  # names of logs
        tasks = [_task(folder, one, taken) for one in outcomes if one.ending is not Ending.SKIPPED]
        failed = sum(one.ending in _FAILED for one in outcomes)
        markers = Counter(marker["severity"] for task in tasks for marker in task["markers"])
        report = {
            "schema": SCHEMA,
            "root": package,
            "status": failed,
            "generated_unix": int(time.time()),
            "counts": {
                "tasks_total": len(tasks),
                "tasks_failed": failed,
                "markers": {severity: markers[severity] for severity in _SEVERITIES},
            },
            "tasks": tasks,
        }
        _write(f"{folder}/report.json", json.dumps(report, indent=2) + "\n")
        _write(f"{folder}/report.md", _report_text(report))
        _write(f"{folder}/summary.md", summary_markdown(counts, outcomes))
        lines = (
            json.dumps({"task": task["name"], **marker}) + "\n"
            for task in tasks
            for marker in task["markers"]
        )
        _write(f"{folder}/markers.jsonl", "".join(lines))
    except OSError as error:
        raise RunnerError(f"cannot write {error.filename}: {error.strerror}") from None


def write_summary(
    path: str, text: str, counts: Mapping[Ending, int], outcomes: Sequence[Outcome]
) -> None:
    """The summary as text, or as markdown into a `.md`. Raises RunnerError."""
    try:
        _write(path, summary_markdown(counts, outcomes) if path.endswith(".md") else f"{text}\n")
    except OSError as error:
        raise RunnerError(f"cannot write {path}: {error.strerror}") from None


def summary_markdown(counts: Mapping[Ending, int], outcomes: Sequence[Outcome]) -> str:
    lines = ["# Summary", "", "| | tasks |", "| --- | --- |", f"| total | {sum(counts.values())} |"]
    lines += [f"| {ending.value} | {count} |" for ending, count in counts.items() if count]
    failures = [one for one in outcomes if one.ending in _FAILED]
    if failures:
        lines += ["", "## Failed", ""]
        lines += [f"- `{one.node.name}`: {one.why or f'status {one.status}'}" for one in failures]
    return "\n".join([*lines, ""])


def _task(folder: str, outcome: Outcome, taken: set[str]) -> dict[str, Any]:
    """As its record says, which is there unless the task was lost."""
    node = outcome.node
    record = records.read_file(outcome.record) or {}
    result = record.get("result", {})
    was_executed = outcome.ending in (Ending.DONE, *_FAILED)
    return {
        "name": node.name,
        "status": outcome.status or (1 if outcome.ending in _FAILED else 0),
        "changed": bool(was_executed and outcome.changed),
        "cache_hit": outcome.ending is Ending.CACHE,
        "rundir": outcome.folder,
        "log": _copy_log(folder, outcome, taken),
        "markers": [_marker(marker) for marker in result.get("markers") or ()],
    }


def _marker(marker: Mapping[str, Any]) -> dict[str, Any]:
    return {key: marker.get(key) for key in ("msg", "severity", "loc")}


def _copy_log(folder: str, outcome: Outcome, taken: set[str]) -> str | None:
    if not os.path.isfile(outcome.log):
        return None
    log = f"logs/{file_name(outcome.node.name)}.log"
    if log in taken:  # bodies that were inherited keep their names
        log = f"logs/{file_name(outcome.node.rundir + '.' + outcome.node.name)}.log"
    taken.add(log)
    shutil.copyfile(outcome.log, f"{folder}/{log}")
    return log


def _report_text(report: Mapping[str, Any]) -> str:
    counts = report["counts"]
    lines = [
        f"# Run of {report['root']}", "",
        f"{counts['tasks_total']} tasks, {counts['tasks_failed']} failed.", "",
        "| task | status | changed | log |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for task in report["tasks"]:
        log = f"[log]({task['log']})" if task["log"] else ""
        changed = "yes" if task["changed"] else "no"
        lines.append(f"| `{task['name']}` | {task['status']} | {changed} | {log} |")
    marked = [(task["name"], marker) for task in report["tasks"] for marker in task["markers"]]
    if marked:
        lines += ["", "## Markers", ""]
        lines += [f"- {marker['severity']}: `{name}`: {marker['msg']}" for name, marker in marked]
    return "\n".join([*lines, ""])


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
