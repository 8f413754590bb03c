"""Which runners there are, and the configuration with their sections."""

import sys
from pathlib import Path

import pytest

from dfm.config.selection import Selection
from dfm.errors import ConfigError, UsageError
from dfm.runners import registry
from dfm.runners.processes import ProcessRunner


def test_the_local_runner_is_built_in() -> None:
    assert registry.installed()["local"].make is ProcessRunner
    assert registry.choose(Selection("local", "default", False)).origin == "built in"


def test_the_runners_of_batch_systems_are_built_in_with_their_settings(tmp_path: Path) -> None:
    (tmp_path / ".dfm").mkdir()
    text = "runner:\n  slurm: {queue: fast, sbatch_extra: [--qos=x]}\n  lsf: {bsub_cmd: lsf_bsub}\n"
    (tmp_path / ".dfm/config.yaml").write_text(text)
    config = registry.configuration(str(tmp_path), {"HOME": str(tmp_path)})
    assert config.runners["slurm"]["queue"] == "fast"
    assert config.runners["slurm"]["sbatch_extra"] == ("--qos=x",)
    assert config.runners["lsf"]["bsub_cmd"] == "lsf_bsub"


def test_an_unknown_runner_is_named_with_its_origin_and_near_names() -> None:
    with pytest.raises(UsageError) as caught:
        registry.choose(Selection("lcal", "DFM_RUNNER", True))
    (problem,) = caught.value.problems
    assert problem.what == "no runner `lcal` (from DFM_RUNNER)"
    assert problem.hint == "did you mean `local`? there are local, lsf, slurm"


def test_a_section_of_an_absent_runner_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / ".dfm"
    folder.mkdir()
    (folder / "config.yaml").write_text("runner:\n  farm: {queue: x}\n")
    with pytest.raises(ConfigError, match="farm"):
        registry.configuration(str(tmp_path), {"HOME": str(tmp_path)})


def test_without_files_no_runner_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "installed", lambda: pytest.fail("it was"))
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert registry.configuration(str(tmp_path), environ).runner == "local"
