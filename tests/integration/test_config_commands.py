"""`dfm config`: what holds, who says so, and what is wrong."""

import json
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import Project


@pytest.fixture
def chip(project: Project) -> Project:
    project.flow("")
    project.write(
        ".config/dfm/site.yaml", "runner:\n  pool:\n    max_workers: 8\n    min_workers: 1\n"
    )
    project.write(".dfm/config.yaml", "runner:\n  pool:\n    max_workers: 4\n  limits: {vcs: 40}\n")
    project.environment["DFM_INSTALL_CONFIG"] = str(
        project.write("site/install.yaml", "retry: {infra: 5}\n")
    )
    return project


def test_show_prints_what_holds_as_a_configuration_file(chip: Project) -> None:
    shown = chip.ok("config", "show").out
    said = yaml.safe_load(shown)
    assert said["runner"]["pool"]["max_workers"] == 4
    assert said["runner"]["limits"] == {"vcs": 40}
    (chip.folder / ".dfm/config.yaml").unlink()
    (chip.folder / ".config/dfm/site.yaml").unlink()
    chip.write("site/install.yaml", shown)
    assert chip.ok("config", "show").out == shown


def test_origins_name_file_and_line_or_the_default(chip: Project) -> None:
    origins = {
        line.split("#")[0].strip(): line.split("#")[1].strip()
        for line in chip.ok("config", "show", "--origin", DFM_RUNNER="local").out.splitlines()
        if "#" in line
    }
    assert origins["max_workers: 4"] == ".dfm/config.yaml:3"
    assert origins["min_workers: 1"] == ".config/dfm/site.yaml:4"
    assert origins["infra: 5"] == "site/install.yaml:1"
    assert origins["vcs: 40"] == ".dfm/config.yaml:4"
    assert origins["idle_timeout: 300"] == "default"
    assert origins["default: local"] == "default"


def test_the_environment_is_a_layer(chip: Project) -> None:
    shown = chip.ok("config", "show", "--origin", DFM_RUNNER="elsewhere").out
    assert any(
        "default: elsewhere" in line and "# DFM_RUNNER" in line for line in shown.splitlines()
    )
    done = chip.dfm("config", "check", DFM_RUNNER="elsewhere")
    assert done.status == 2
    assert "no runner `elsewhere` (from DFM_RUNNER)" in done.err


def test_json_has_the_same_and_the_origins(chip: Project) -> None:
    shown = json.loads(chip.ok("config", "show", "--json", "--origin").out)
    assert shown["schema"] == "dfm-config/1"
    assert shown["config"] == yaml.safe_load(chip.ok("config", "show").out)
    assert shown["origins"]["runner.pool.max_workers"] == ".dfm/config.yaml:3"
    assert "origins" not in json.loads(chip.ok("config", "show", "--json").out)


def test_check_says_everything_that_is_wrong_in_all_layers(chip: Project) -> None:
    right = chip.ok("config", "check").out.splitlines()
    assert [line.partition(":")[0] for line in right] == [
        "site/install.yaml", ".config/dfm/site.yaml", ".dfm/config.yaml",
    ]  # fmt: skip
    chip.write(".config/dfm/site.yaml", "runner:\n  pool:\n    max_worker: 8\n")
    chip.write(".dfm/config.yaml", "runner:\n  retry: {infra: x}\n")
    for words in (["config", "check"], ["config", "show"], ["runners"]):
        done = chip.dfm(*words)
        assert done.status == 2
        assert done.out == ""
        assert ".config/dfm/site.yaml:3:5: unknown key `runner.pool.max_worker`" in done.err
        assert ".dfm/config.yaml:2:18" in done.err


def test_path_says_where_the_layers_are_and_which_exist(chip: Project) -> None:
    (chip.folder / ".dfm/config.yaml").unlink()
    lines = chip.ok("config", "path").out.splitlines()
    assert [line.split() for line in lines] == [
        ["install", "exists", str(chip.folder / "site/install.yaml")],
        ["site", "exists", str(chip.folder / ".config/dfm/site.yaml")],
        ["project", "none", str(chip.folder / ".dfm/config.yaml")],
        ["env", "not", "set", "DFM_RUNNER"],
    ]
    (chip.folder / "site/install.yaml").unlink()
    assert "install  missing" in chip.ok("config", "path", DFM_RUNNER="local").out


def test_outside_of_a_project_the_other_layers_can_be_seen(chip: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shown = chip.ok("config", "show", cwd=tmp_path / "elsewhere").out
    assert yaml.safe_load(shown)["runner"]["pool"]["max_workers"] == 8
    assert chip.dfm("config", "show", "--root", str(tmp_path / "elsewhere")).status == 2


def test_schemas_are_printed_with_the_runners_of_this_host(chip: Project) -> None:
    config = json.loads(chip.ok("util", "schema", "config").out)
    assert "local" in config["then"]["properties"]["runner"]["properties"]
    flow = json.loads(chip.ok("util", "schema", "flow").out)
    required = [one["required"] for one in flow["anyOf"]]
    assert required == [["package"], ["fragment"], ["package-map"]]
    assert chip.dfm("util", "schema", "makefile").status == 2
