"""The schema of flow files: every flow of this repository is valid, and mistakes are found in their place."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from dfm.config.json_schema import config_schema
from dfm.flow import language
from dfm.flow.json_schema import flow_schema
from dfm.runners.registry import built_in
from tests.dfm.flow.fuzzed import RARE, VALID

ROOT = Path(__file__).parents[3]
FOLDERS = ("examples", "dfm/flow/std", "tests/integration/parity")
FLOWS = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.yaml"))]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
OF_FLOWS = {"package", "fragment", "package-map"}
WRONG: list[tuple[str, list[str | int]]] = [
    ("pakage: {}", []),
    ("package: {}", ["package"]),
    ("package: {name: p, task: []}", ["package"]),
    ("package: {name: 3}", ["package", "name"]),
    ("package: {name: p, with: {x: 3}}", ["package", "with", "x"]),
    ("package: {name: p, with: {x: {type: number}}}", ["package", "with", "x", "type"]),
    ("package: {name: p, uses: q, with: {x: {type: number}}}", ["package", "with", "x", "type"]),
    ("package: {name: p, imports: [{as: x}]}", ["package", "imports", 0]),
    ("package: {name: p, imports: x}", ["package", "imports"]),
    ("package: {name: p, fragments: x}", ["package", "fragments"]),
    ("package: {name: p, overrides: {a: 3}}", ["package", "overrides", "a"]),
    ("package: {name: p, configs: [{name: c, overrides: [{task: a}]}]}", ["package", "configs", 0, "overrides", 0]),
    ("fragment: {with: {}}", ["fragment"]),
    ("package: {name: p, tasks: {a: 1}}", ["package", "tasks"]),
    ("package: {name: p, tasks: [{name: a, run: 3}]}", ["package", "tasks", 0, "run"]),
    ("package: {name: p, tasks: [{name: a, runn: x}]}", ["package", "tasks", 0]),
    ("package: {name: p, tasks: [{run: x}]}", ["package", "tasks", 0]),
    ("package: {name: p, tasks: [{name: a, root: a}]}", ["package", "tasks", 0]),
    ("package: {name: p, tasks: [{name: a, needs: b}]}", ["package", "tasks", 0, "needs"]),
    ("package: {name: p, tasks: [{name: a, shell: zsh}]}", ["package", "tasks", 0, "shell"]),
    ("package: {name: p, tasks: [{name: a, consumes: some}]}", ["package", "tasks", 0, "consumes"]),
    ("package: {name: p, tasks: [{name: a, body: [{name: b, need: []}]}]}", ["package", "tasks", 0, "body", 0]),
    ("package: {name: p, tasks: [{name: a, tags: [{a: {}, b: {}}]}]}", ["package", "tasks", 0, "tags", 0]),
    ("package: {name: p, tasks: [{name: a, max_failures: x}]}", ["package", "tasks", 0, "max_failures"]),
    ("package: {name: p, tasks: [{name: a, override: x}]}", ["package", "tasks", 0]),
    ("package: {name: p, types: [{name: t, with: {x: {type: number}}}]}", ["package", "types", 0, "with", "x", "type"]),
    ("package: {name: p, configs: [{name: c, extensions: [{with: {}}]}]}", ["package", "configs", 0, "extensions", 0]),
    ("package: {name: p, overrides: {a: {name: b, run: x}}}", ["package", "overrides", "a"]),
    ("package: {name: p, filters: [{name: f}]}", ["package", "filters", 0]),
    ("package: {name: p, filters: [{name: f, expr: input, run: x}]}", ["package", "filters", 0]),
    ("package: {name: p, filters: [{override: f, expr: input}]}", ["package", "filters", 0]),
    ("package: {name: p, filters: [{name: f, run: x, shell: perl}]}", ["package", "filters", 0, "shell"]),
    *(
        (f"package: {{name: p, tasks: [{{name: a, {field}}}]}}", ["package", "tasks", 0, *path])
        for field, path in (
            ("strategy: {matrix: {x: [1]}, generate: {run: m.f}}", ["strategy"]),
            ("strategy: {matrix: [1]}", ["strategy", "matrix"]),
            ("strategy: {generate: m.f}", ["strategy", "generate"]),
            ("strategy: {generate: {shell: pytask}}", ["strategy", "generate"]),
            ("strategy: {generate: {run: m.f, shell: perl}}", ["strategy", "generate", "shell"]),
            ("strategy: {chain: 1}", ["strategy", "chain"]),
            ("strategy: {select: {key: x}}, body: [{name: r}]", ["strategy", "select"]),
            ("strategy: {select: {axes: {x: [1]}, default: some}}, body: [{name: r}]", ["strategy", "select", "default"]),
            ("strategy: {chain: true, body: [{name: b, nedes: []}]}", ["strategy", "body", 0]),
            ("strategy: {chain: true}, control: {type: repeat, count: 1}", []),
            ("control: {type: unless, cond: x}", ["control", "type"]),
            ("control: {type: if}", ["control"]),
            ("control: {type: while, cond: x}", ["control"]),
            ("control: {type: do-while, max_iter: 3}", ["control"]),
            ("control: {type: repeat}", ["control"]),
            ("control: {type: match, cases: [{body: []}]}", ["control", "cases", 0]),
            ("control: {type: match, cases: [{when: x, body: [{run: y}]}]}", ["control", "cases", 0, "body", 0]),
            ("control: {type: repeat, count: 1, state: 3}", ["control", "state"]),
            ("passthrough: some", ["passthrough"]),
            ("consumes: {type: x}", ["consumes"]),
            ("produces: x", ["produces"]),
            ("rundir: shared", ["rundir"]),
            ("uptodate: [x]", ["uptodate"]),
            ("cache: {hash: x}", ["cache", "hash"]),
            ("cache: {compression: zip}", ["cache", "compression"]),
            ("abstract: 1", ["abstract"]),
            ("examples: [{title: x}]", ["examples", 0]),
            ("requires: {a: b}", ["requires"]),
            ("set: [{uses: x, sets: []}]", ["set", 0]),
            ("set: [{uses: x, set: [3]}]", ["set", 0]),
            ("let: [x]", ["let"]),
            ("summary: {builtin: other}", ["summary"]),
            ("with: {x: {type: int, cli: 3}}", ["with", "x", "cli"]),
            ("with: {x: {type: int, values: 3}}", ["with", "x", "values"]),
            ("with: {x: {type: int, doc: 3}}", ["with", "x", "doc"]),
            ("tags: x", ["tags"]),
        )
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    schema = flow_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_there_are_examples() -> None:
    assert len(FLOWS) > 1


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: file.parent.name)
def test_an_example_is_valid(file: Path, validator: jsonschema.Draft7Validator) -> None:
    validator.validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize("text", [VALID, RARE], ids=["common", "rare"])
def test_flows_with_all_features_are_valid(
    text: str, validator: jsonschema.Draft7Validator
) -> None:
    validator.validate(yaml.safe_load(text))


def test_every_block_of_the_documentation_is_valid(validator: jsonschema.Draft7Validator) -> None:
    sections = {name: one.make.section for name, one in built_in().items() if one.make}
    of_config = jsonschema.Draft7Validator(config_schema(sections))
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text())]
    (wrong,) = (block for block in blocks if " neds:" in block)  # it shows what dfm says then
    blocks.remove(wrong)
    (error,) = validator.iter_errors(yaml.safe_load(wrong))
    assert list(error.absolute_path) == ["package", "tasks", 1]
    # `upper` is of a plugin that this process does not have; one block is a line of comment.
    known = [block.replace("shell: upper", "shell: bash") for block in blocks]
    read = [data for data in map(yaml.safe_load, known) if data]
    flows = [data for data in read if data.keys() & OF_FLOWS]
    configurations = [data for data in read if not data.keys() & OF_FLOWS]
    assert len(flows) >= 35
    assert len(configurations) > 3
    for data in flows:
        validator.validate(data)
    for data in configurations:
        of_config.validate(data)


@pytest.mark.parametrize(("text", "path"), WRONG)
def test_a_mistake_is_found_in_its_place(
    text: str, path: list[str | int], validator: jsonschema.Draft7Validator, tmp_path: Path
) -> None:
    from dfm.errors import FlowError
    from dfm.flow.load import Options, load

    errors = validator.iter_errors(yaml.safe_load(text))
    assert {tuple(error.absolute_path) for error in errors} == {tuple(path)}
    (tmp_path / "flow.yaml").write_text(text)
    with pytest.raises(FlowError):
        load(Options(str(tmp_path), "", [], []), {})


@pytest.mark.parametrize(
    "text",
    [
        "package: {name: p, uses: q, with: {x: y}, imports: [q, {from: a, as: b, with: {c: 1}}]}",
        "package: {name: p, overrides: {a: b, c: {run: x}}, package-map: m.yaml, fragments: [f]}",
        "package: {name: p, package-map: [a, b], tasks: [{override: t, run: x}]}",
        "package: {name: p, configs: [{name: c, tasks: [{override: a}], fragments: [f], imports: [b],"
        " types: [{name: t}], overrides: [{override: a, with: {run: x}}, {package: p, with: q}]}]}",
        "fragment: {name: f, tasks: [{name: t}], types: [], configs: [], imports: [], fragments: [g]}",
        "fragment:",
    ],
)
def test_files_of_packages_that_have_many_are_valid(
    text: str, validator: jsonschema.Draft7Validator
) -> None:
    validator.validate(yaml.safe_load(text))


def properties(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All lists of fields in a part of the schema."""
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict):
            yield where, value["properties"]
        for key, inner in value.items():
            yield from properties(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from properties(inner, where)


def test_every_field_has_a_description() -> None:
    definitions: dict[str, Any] = flow_schema()["definitions"]
    for table in (language.TASK, language.NAMES):
        for key, field in table.items():
            assert definitions["task"]["properties"][key]["description"] == field.help
    for name, fields in properties(definitions):
        for key, field in fields.items():
            is_more = name.endswith(("/if", "/then", "/else", "/oneOf"))
            assert is_more or field.get("description"), f"{name}: {key}"
