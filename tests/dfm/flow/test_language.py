"""The tables of fields are what the parsers take, and what the schema has: all of it, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dfm.flow import language, plugins
from dfm.flow.fields import Reader
from dfm.flow.json_schema import flow_schema
from dfm.flow.language import Table
from dfm.flow.package_map import read_map
from dfm.flow.parse_package import parse_package
from dfm.flow.problems import Problems
from dfm.flow.reading import read

UNKNOWN = "unheard_of"
TASK = "package: {name: p, tasks: [%s]}"
# Where fields of each table stand: what is around them, and the names of the schema's definitions.
PLACES: dict[str, tuple[Table, str, str]] = {
    "package": (language.PACKAGE, "package: {%s}", "package"),
    "task": ({**language.NAMES, **language.TASK}, TASK % "{name: t, %s}", "task"),
    "inline task": (language.TASK, "package: {name: p, overrides: {a: {%s}}}", "inline_task"),
    "filter": ({**language.SCOPED_NAMES, **language.FILTER}, "package: {name: p, filters: [{name: f, %s}]}", "filter"),
    "type": (language.TYPE, "package: {name: p, types: [{name: t, %s}]}", "type"),
    "configuration": (language.CONFIGURATION, "package: {name: p, configs: [{name: c, %s}]}", "configuration"),
    "replacement": (language.REPLACEMENT, "package: {name: p, configs: [{name: c, overrides: [{%s}], tasks: []}]}", "replacement"),
    "extension": (language.EXTENSION, "package: {name: p, configs: [{name: c, extensions: [{%s}]}]}", "extension"),
    "import": (language.IMPORT, "package: {name: p, imports: [{%s}]}", ""),
    "parameter": (language.PARAMETER, "package: {name: p, with: {x: {type: int, %s}}}", "parameter"),
    "variable": (language.PARAMETER, "package: {name: p, with: {x: {type: int, %s}}}", "variable"),
    "values": (language.ACCEPTED, "package: {name: p, with: {x: {type: int, values: {%s}}}}", ""),
    "cli": (language.CLI, "package: {name: p, with: {x: {type: int, cli: {%s}}}}", "cli"),
    "example": (language.EXAMPLE, TASK % "{name: t, examples: [{%s}]}", "example"),
    "cache": (language.CACHE, TASK % "{name: t, cache: {%s}}", "cache"),
    "summary": (language.SUMMARY, TASK % "{name: t, summary: {%s}}", ""),
    "strategy": (language.STRATEGY, TASK % "{name: t, strategy: {%s}}", "strategy"),
    "select": (language.SELECT, TASK % "{name: t, strategy: {select: {%s}}}", "select"),
    "generate": (language.GENERATE, TASK % "{name: t, strategy: {generate: {%s}}}", "generate"),
    "control": (language.CONTROL, TASK % "{name: t, control: {type: repeat, count: 1, %s}}", "control"),
    "state": (language.STATE, TASK % "{name: t, control: {type: repeat, count: 1, state: {%s}}}", "state"),
    "case": (language.CASE, TASK % "{name: t, control: {type: match, cases: [{%s}]}}", "case"),
    "scope of set": (language.REBINDING, TASK % "{name: t, set: [{path: a, %s}]}", ""),
    "fragment": (language.FRAGMENT, "fragment: {%s}", "fragment"),
    "package map": (language.PACKAGE_MAP, "package-map: {%s}", "package_map"),
    "mapped package": (language.MAPPED, "package-map: {packages: [{%s}]}", "mapped_package"),
}  # fmt: skip


def said(folder: Path, text: str) -> list[str]:
    """Faults and warnings of a file alone, whatever it refers to."""
    problems = Problems()
    reader = Reader(problems)
    file = folder / "flow.yaml"
    if text.startswith("package-map:"):
        file.write_text(text)
        read_map(reader, str(file), lambda path, where: path)
    elif text.startswith("fragment:"):
        (folder / "part.yaml").write_text(text)
        file.write_text("package: {name: p, fragments: [part.yaml]}")
        parse_package(reader, read(str(file)))
    else:
        file.write_text(text)
        parse_package(reader, read(str(file)))
    return [problem.what for problem in (*problems._found, *problems.warnings)]


def refused(folder: Path, text: str, key: str) -> list[str]:
    """What is said of a field of that name that is not known."""
    return [what for what in said(folder, text) if "has no" in what and f"`{key}`" in what]


@pytest.mark.parametrize("place", PLACES)
def test_the_parsers_take_the_fields_of_a_table_and_no_other(place: str, tmp_path: Path) -> None:
    table, around, _ = PLACES[place]
    assert refused(tmp_path, around % f"{UNKNOWN}: 1", UNKNOWN)
    beside = around.partition("%s")[0].rpartition("{")[2]
    for key in table:
        if f"{key}: " in beside:
            continue  # it is there already
        assert not refused(tmp_path, around % f"{key}: null", key), key


@pytest.mark.parametrize("place", [place for place, (*_, name) in PLACES.items() if name])
def test_the_schema_has_the_fields_of_a_table_and_no_other(place: str) -> None:
    table, _, name = PLACES[place]
    assert flow_schema()["definitions"][name]["properties"].keys() == table.keys()


def test_every_table_is_tried() -> None:
    tables = [value for value in vars(language).values() if isinstance(value, dict)]
    fields = [
        table for table in tables if all(isinstance(f, language.Field) for f in table.values())
    ]
    tried = {key for table, *_ in PLACES.values() for key in table}
    assert {key for table in fields for key in table} <= tried


def names(value: Any) -> Iterator[str]:
    """The definitions that a part of the schema refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


def test_every_definition_of_the_schema_is_used_and_is_there() -> None:
    schema = flow_schema()
    assert {*names(schema)} == schema["definitions"].keys()


def test_the_shells_of_the_schema_are_those_that_run() -> None:
    shells = flow_schema()["definitions"]["shell"]["enum"]
    assert shells == [*language.SHELLS, *plugins.find().shells, ""]
