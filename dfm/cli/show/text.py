"""The same for people: lists in columns, details as `name: value` lines."""

import json
from collections.abc import Iterable
from typing import Any

from dfm.cli.show.entries import Entry


def listed(entries: Iterable[Entry], *, verbose: bool) -> list[str]:
    """A line per entry; with `verbose` also what it uses, its scope and its prose."""
    entries = list(entries)
    width = max((len(entry["name"]) for entry in entries), default=0)
    lines: list[str] = []
    for entry in entries:
        about = _about(entry)
        lines.append(f"{entry['name']:<{width}} - {about}" if about else entry["name"])
        if verbose:
            lines += [f"    {line}" for line in details(_more(entry))]
    return lines


def details(entry: Entry) -> list[str]:
    """What an entry has, without what is empty."""
    lines: list[str] = []
    for name, value in entry.items():
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, dict):
            lines.append(f"{name}:")
            lines += [f"  {key}: {_short(one)}" for key, one in value.items()]
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            lines.append(f"{name}:")
            lines += [f"  - {_short(one)}" for one in value]
        else:
            lines.append(f"{name}: {_short(value)}")
    return lines


def _about(entry: Entry) -> str:
    text = entry.get("desc") or entry.get("doc") or ""
    return str(text).strip().split("\n", 1)[0]


def _more(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key not in ("name", "short_name", "desc")}


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value.strip().replace("\n", "\n    ")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
