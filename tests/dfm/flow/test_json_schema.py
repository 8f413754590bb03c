"""The schema of flow files: every flow of this repository is valid, and mistakes are found in their place."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from dfm.flow import language
from dfm.flow.json_schema import flow_schema

ROOT = Path(__file__).parents[3]
FLOWS = [*sorted(ROOT.glob("examples/**/flow.yaml")), ROOT / "dfm/flow/std/flow.yaml"]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
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


def test_flows_in_the_documentation_are_valid(validator: jsonschema.Draft7Validator) -> None:
    texts = [file.read_text() for file in (ROOT / "README.md", *ROOT.glob("docs/*.md"))]
    blocks = [block for text in texts for block in BLOCK.findall(text)]
    flows = [block for block in blocks if block.startswith("package:")]
    assert flows
    for flow in flows:
        validator.validate(yaml.safe_load(flow))


@pytest.mark.parametrize(("text", "path"), WRONG)
def test_a_mistake_is_found_in_its_place(
    text: str, path: list[str | int], validator: jsonschema.Draft7Validator, tmp_path: Path
) -> None:
    from dfm.errors import FlowError
    from dfm.flow.load import Options, load

    (error,) = validator.iter_errors(yaml.safe_load(text))
    assert list(error.absolute_path) == path
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


def test_every_field_has_a_description(validator: jsonschema.Draft7Validator) -> None:
    definitions: dict[str, Any] = flow_schema()["definitions"]
    for table in (language.TASK, language.NAMES):
        for key, field in table.items():
            assert definitions["task"]["properties"][key]["description"] == field.help
    for name, definition in definitions.items():
        for key, field in definition.get("properties", {}).items():
            assert field.get("description") or name in ("kind", "accepted"), f"{name}.{key}"
