"""The schema of the configuration says of a file what dfm says of it, and points at the same place."""

from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml

from dfm.config.config import Config
from dfm.config.fields import CLASS_FIELDS, SETTINGS, Section
from dfm.config.json_schema import config_schema
from dfm.errors import Problem

RIGHT = """
{}
---
runner:
---
runner: {default: slurm, pool: {max_workers: 3, walltime: "8:00"}, slurm: {queue: fast, scratch: 1.5g}}
run: {keep_going: true}
---
default: lsf
pool:
limits: {vcs: 40}
lsf: {resource_select: bigmem, exclusive: yes, warning_time: 90}
run: {keep_going: no}
---
runner:
  resource_classes: {large: {cores: 8, memory: 32G, resource_select: [a, b]}, any: }
  daemon: {worker_port: 40000-40100, advertise: }
  farm: {optional: true, queue: x}
  task_log_limit: 100
---
type: lsf
daemon: {worker_port: 0}
pool: {walltime: ""}
"""
WRONG: list[tuple[str, list[str | int], str]] = [
    ("runner: {pool: {max_worker: 3}}", ["runner", "pool"], "max_worker"),
    ("runner: {pool: {max_workers: 0}}", ["runner", "pool", "max_workers"], "max_workers"),
    ("runner: {pool: {max_workers: '3'}}", ["runner", "pool", "max_workers"], "max_workers"),
    ("runner: {pool: {walltime: 1:75}}", ["runner", "pool", "walltime"], "walltime"),
    ("runner: {defaults: {memory: 1GB}}", ["runner", "defaults", "memory"], "memory"),
    ("runner: {defaults: {walltime: ''}}", ["runner", "defaults", "walltime"], "walltime"),
    ("runner: {lsf: {queu: x}}", ["runner", "lsf"], "queu"),
    ("lsf: {queu: x}", ["lsf"], "queu"),
    ("pool: [1]", ["pool"], "pool"),
    ("runner: {farm: {queue: x}}", ["runner", "farm"], "farm"),
    ("runner: {default: 3}", ["runner", "default"], "default"),
    ("runner: {default: ''}", ["runner", "default"], "default"),
    ("runner: {limits: {vcs: many}}", ["runner", "limits", "vcs"], "vcs"),
    ("runner: {daemon: {worker_port: 70000}}", ["runner", "daemon", "worker_port"], "worker_port"),
    ("runner: {daemon: {tls: 1}}", ["runner", "daemon", "tls"], "tls"),
    ("runner: {lsf: {resource_select: {a: b}}}", ["runner", "lsf", "resource_select"], "resource_select"),
    ("runner: {resource_classes: {large: {core: 1}}}", ["runner", "resource_classes", "large"], "core"),
    ("runner: {}\nrnu: {}", [], "rnu"),
    ("run: {keep_going: sometimes}", ["run", "keep_going"], "keep_going"),
]  # fmt: skip


@pytest.fixture
def schema(sections: dict[str, Section]) -> dict[str, Any]:
    return config_schema(sections)


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("text", RIGHT.split("---\n"))
def test_what_dfm_accepts_is_valid(
    text: str, schema: dict[str, Any], load_layers: Callable[..., Config]
) -> None:
    load_layers(project=text)
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize(("text", "path", "key"), WRONG)
def test_what_dfm_refuses_is_invalid_at_the_same_place(
    text: str, path: list[str | int], key: str, schema: dict[str, Any],
    find_faults: Callable[..., tuple[Problem, ...]],
) -> None:  # fmt: skip
    (problem,) = find_faults(project=text)
    (error,) = jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(text))
    assert list(error.absolute_path) == path
    assert key in problem.what
    assert f"{key}`" in problem.what, "dfm names the same key"


def test_every_field_is_in_it_with_its_help(schema: dict[str, Any]) -> None:
    def at(key: str) -> Any:
        node = schema["then"]
        for name in key.split("."):
            node = node["properties"][name]
        return node

    for field in SETTINGS:
        assert field.help in at(field.key)["description"]
    large = at("runner.resource_classes")["additionalProperties"]["properties"]
    assert list(large) == [field.key for field in CLASS_FIELDS]

    def undescribed(node: Any, path: str) -> list[str]:
        found = []
        for name, below in node.get("properties", {}).items():
            if "description" not in below:
                found.append(f"{path}.{name}")
            found += undescribed(below, f"{path}.{name}")
        return found

    assert not undescribed(schema["then"], "")
    assert not undescribed(schema["else"], "")
