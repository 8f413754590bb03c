"""`make reference`: writes docs/reference.md from the tables of the code.

A test checks that it is up to date.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
import yaml

from dfm.cli.app import app
from dfm.flow import language
from dfm.flow.expressions.builtins import CALLED, PIPED, Builtin
from dfm.flow.expressions.library import LIBRARY
from dfm.flow.language import Shape, Table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference.md"
STD = ROOT / "dfm" / "flow" / "std" / "flow.yaml"

HEAD = """\
# Reference of the language and of the commands

Made from the code by `make reference`. [language.md](language.md) tells it from the beginning,
[configuration.md](configuration.md) has the settings of runners and of the daemon.
"""
PARTS: list[tuple[str, Table, str]] = [
    ("package", language.PACKAGE, "`package:`, at the top of a flow file."),
    ("fragment", language.FRAGMENT, "`fragment:`, at the top of a file that a package lists."),
    ("import", language.IMPORT, "An element of `imports`; a text is a `name`, or else a `from`."),
    ("task", {**language.NAMES, **language.TASK}, "An element of `tasks`. It has one of the first five."),
    ("parameter", language.PARAMETER, "A value of `with`. A map without any of these is a value itself."),
    ("accepted values", language.ACCEPTED, "`values` of a parameter, if it is no list."),
    ("cli", language.CLI, "`cli` of a parameter."),
    ("strategy", language.STRATEGY, "`strategy` of a task: one of the first three, or `chain`."),
    ("select", language.SELECT, "`select` of a strategy."),
    ("generate", language.GENERATE, "`generate` of a strategy."),
    ("control", language.CONTROL, "`control` of a task."),
    ("case", language.CASE, "An element of `cases`: it has `when`, or `default: true`."),
    ("state", language.STATE, "`state` of a control."),
    ("scope of a set", language.REBINDING, "An element of `set` with any of these keys; without, it is a map of variables of packages to values."),
    ("cache", language.CACHE, "`cache` of a task, if it is no boolean."),
    ("example", language.EXAMPLE, "An element of `examples`."),
    ("type", language.TYPE, "An element of `types`."),
    ("filter", {**language.SCOPED_NAMES, **language.FILTER}, "An element of `filters`. It has one of the first four, and one of `expr` and `run`."),
    ("configuration", language.CONFIGURATION, "An element of `configs`."),
    ("extension", language.EXTENSION, "An element of `extensions`."),
    ("replacement", language.REPLACEMENT, "An element of a configuration's `overrides`; those of a package are a map of tasks to names or tasks."),
    ("package map", language.PACKAGE_MAP, "`package-map:`, at the top of a file that says where packages are."),
    ("mapped package", language.MAPPED, "An element of its `packages`."),
]  # fmt: skip
TAKES = {
    "any": "anything", "text": "text", "text_or_nothing": "text", "name": "a name", "flag": "true, false",
    "integer": "integer", "one": "1", "list": "list", "map": "map", "texts": "list of texts",
    "text_or_texts": "text, or a list", "references": "list of names", "scope": "word, or a list",
    "text_or_task": "name, or a [task](#task) without a name", "tags": "list of types, or {TYPE: fields}",
    "patterns": "list of patterns", "consumed": "`all`, `none`, or patterns",
    "passed": "`all`, `none`, `unused`, or patterns", "uptodate": "false, or a function",
    "shell": ", ".join(f"`{shell}`" for shell in language.SHELLS),
    "compression": ", ".join(f"`{word}`" for word in language.COMPRESSIONS),
    "kind": "`str`, `int`, `float`, `bool`, `list`, `map`, {list: ...}, {map: ...}",
    "summary": "a function, or {builtin: task-summary}", "assignments": "list of maps",
    "rebindings": "list of maps", "default": "`all`, `none`, or a map",
    "parameters": "map of [parameters](#parameter)", "variables": "map of [parameters](#parameter)",
    "tasks": "list of [tasks](#task)", "types": "list of [types](#type)",
    "filters": "list of [filters](#filter)", "configurations": "list of [configurations](#configuration)",
    "imports": "list of [imports](#import)", "overrides": "map of [replacements](#replacement)",
    "replacements": "list of [replacements](#replacement)", "extensions": "list of [extensions](#extension)",
    "examples": "list of [examples](#example)", "strategy": "[strategy](#strategy)",
    "control": "[control](#control)", "cases": "list of [cases](#case)", "state": "[state](#state)",
    "select": "[select](#select)", "generate": "[generate](#generate)", "cache": "boolean, or [cache](#cache)",
    "cli": "boolean, or [cli](#cli)", "accepted": "list, or [accepted values](#accepted-values)",
    "mapped": "list of [packages](#mapped-package)",
}  # fmt: skip


def page() -> str:
    lines = [
        HEAD,
        "## Fields of flow files",
        *_fields(),
        "## Functions in expressions",
        *_functions(),
    ]
    lines += ["## The library `std`", *_library(), "## Commands", *_commands()]
    return "\n".join(lines).rstrip("\n") + "\n"


def _fields() -> Iterator[str]:
    for title, table, about in PARTS:
        yield f"\n### {title}\n\n{about}\n"
        yield from _table(
            ("field", "takes", ""),
            [(f"`{key}`", _takes(field.shape), field.help) for key, field in table.items()],
        )


def _takes(shape: Shape) -> str:
    return TAKES[shape] if isinstance(shape, str) else ", ".join(f"`{word}`" for word in shape)


def _functions() -> Iterator[str]:
    yield "\nAs a call:\n"
    yield from _table(("call", ""), [_called(name, one) for name, one in CALLED.items()])
    yield "\nBehind a `|`, with what stands before it as its value:\n"
    yield from _table(("pipe", ""), [_piped(name, one) for name, one in PIPED.items()])
    yield "\nFilters of `std`, behind a `|`. They take lists of items, or of paths:\n"
    rows = []
    for name, function in LIBRARY.items():
        takes = function.__code__.co_varnames[1 : function.__code__.co_argcount]
        words = f"({', '.join(word.upper() for word in takes)})" if takes else ""
        rows.append((f"`{name}{words}`", _sentence(function.__doc__ or "")))
    yield from _table(("filter", ""), rows)
    yield ""


def _called(name: str, one: Builtin) -> tuple[str, str]:
    return f"`{name}({one.takes})`", one.help


def _piped(name: str, one: Builtin) -> tuple[str, str]:
    return f"`{name}({one.takes})`" if one.takes else f"`{name}`", one.help


def _library() -> Iterator[str]:
    package = yaml.safe_load(STD.read_text())["package"]
    yield "\n### Tasks\n"
    for task in package["tasks"]:
        more = [
            f"{key} `{task[key]}`"
            for key in ("consumes", "passthrough")
            if isinstance(task.get(key), str)
        ]
        if "uptodate" in task:
            more.append("always runs")
        yield f"#### std.{task['export']}\n"
        yield f"{task['desc']}.{' (' + ', '.join(more) + ')' if more else ''}\n"
        yield from _parameters(task.get("with") or {})
    yield "### Types\n"
    for one in package["types"]:
        base = f" Made from `{one['uses']}`." if "uses" in one else ""
        yield f"#### std.{one['name']}\n"
        yield f"{one['doc']}.{base}\n"
        yield from _parameters(one.get("with") or {})


def _parameters(fields: Mapping[str, Any]) -> Iterator[str]:
    if fields:
        rows = [
            (f"`{name}`", f"`{given['type']}`", _default(given), _doc(given))
            for name, given in fields.items()
        ]
        yield from _table(("parameter", "type", "default", ""), rows)
        yield ""


def _default(given: Mapping[str, Any]) -> str:
    return f"`{given['value']}`" if given.get("value", "") != "" else ""


def _doc(given: Mapping[str, Any]) -> str:
    words = [str(given["doc"])]
    if "values" in given:
        words.append("one of " + ", ".join(f"`{value}`" for value in given["values"]))
    if "cli" in given:
        name = given["cli"].get("name") if isinstance(given["cli"], dict) else None
        words.append("an option of `dfm run`" + (f", `--{name}`" if name else ""))
    return "; ".join(words)


def _commands() -> Iterator[str]:
    command = typer.main.get_command(app)
    yield from _command(command, "dfm")


def _command(command: Any, name: str) -> Iterator[str]:
    """It and the commands below it; a group of them without options has no section of its own."""
    context = typer.Context(command, info_name=name)
    parameters = [one for one in command.params if not getattr(one, "hidden", False)]
    if parameters or not hasattr(command, "commands"):
        takes = " ".join(
            one.make_metavar(context) for one in parameters if one.param_type_name == "argument"
        )
        yield f"\n### {name} {takes}".rstrip() + "\n"
        yield f"{_sentence(command.help or '')}\n"
        rows = [row for one in parameters if (row := _option(one, context))]
        if rows:
            yield from _table(("", ""), rows)
    for below, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _command(inner, f"{name} {below}")


def _option(one: Any, context: typer.Context) -> tuple[str, str] | None:
    shown = one.get_help_record(context)
    if shown is None:
        return None
    words, help = shown
    return f"`{words}`", help


def _sentence(text: str) -> str:
    return " ".join(text.replace("\b", " ").split())


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
