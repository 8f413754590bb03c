"""`dfm run TASK -h`: what the task is for, and the options that it and the project declare."""

import json
import os
from collections.abc import Iterable, Sequence

from dfm.flow.flags import Flag
from dfm.flow.load import Options, load
from dfm.flow.names import find_goal


def print_help(options: Options, names: Sequence[str]) -> None:
    """Raises UsageError for a task that is not there."""
    flow = load(options, os.environ)
    for name in names:
        task = find_goal(flow.program, name)
        print(f"Usage: dfm run {name} [OPTIONS]\n")  # noqa: T201
        for text in (flow.catalog.desc(task), flow.catalog.doc(task).strip()):
            if text:
                print(_indented(text) + "\n")  # noqa: T201
        _section("Arguments", flow.flags(task))
    _section("Project options", flow.project_options())
    print("`dfm run -h` has the options of every run.")  # noqa: T201


def option_lines(flags: Iterable[Flag]) -> list[str]:
    """A line for each that is not hidden."""
    rows = [(_words(flag), _about(flag)) for flag in flags if not flag.is_hidden]
    width = max((len(words) for words, _ in rows), default=0)
    return [f"  {words:<{width}}  {about}".rstrip() for words, about in rows]


def _section(title: str, flags: Iterable[Flag]) -> None:
    lines = option_lines(flags)
    if lines:
        print("\n".join([f"{title}:", *lines, ""]))  # noqa: T201


def _words(flag: Flag) -> str:
    words = ", ".join(filter(None, (flag.short, flag.word)))
    return words if flag.is_switch else f"{words} {flag.merged.kind.upper()}"


def _about(flag: Flag) -> str:
    merged = flag.merged
    parts = [merged.doc.strip().replace("\n", " ")]
    last = merged.written()
    if last is not None and last.parts():
        value = last.value if not last.changes_list else last.parts()
        parts.append(f"[default: {value if isinstance(value, str) else json.dumps(value)}]")
    if merged.accepted is not None:
        words = ", ".join(map(str, merged.accepted))
        parts.append(f"[{'such as' if merged.accepts_others else 'one of'}: {words}]")
    return " ".join(filter(None, parts))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
