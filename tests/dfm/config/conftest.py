"""Two installed runners and a place for the three layers of one project."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dfm.config.config import Config
from dfm.config.fields import Field, Kind, Section
from dfm.config.loading import load
from dfm.errors import ConfigError, Problem

_BATCH = (
    Field("queue", Kind.TEXT, "", "the queue to submit to"),
    Field("project", Kind.TEXT, "", "who pays"),
    Field("resource_select", Kind.TEXTS, (), "what the host must have"),
    Field("nice", Kind.INTEGER, 0, "how far others go first"),
    Field("exclusive", Kind.BOOLEAN, False, "alone on the host"),
    Field("scratch", Kind.MEMORY, 0, "space in /tmp"),
    Field("warning_time", Kind.WALLTIME, 0, "signal so long before the end"),
)


@pytest.fixture
def sections() -> dict[str, Section]:
    return {
        "local": Section(),
        "lsf": Section((Field("bsub_cmd", Kind.TEXT, "bsub", "submits a job", 1), *_BATCH)),
        "slurm": Section((Field("sbatch_cmd", Kind.TEXT, "sbatch", "submits a job", 1), *_BATCH)),
    }


@pytest.fixture
def load_layers(tmp_path: Path, sections: dict[str, Section]) -> Callable[..., Config]:
    """`load_layers(project=TEXT, site=TEXT, install=TEXT)`; a layer not given has no file."""

    def load_texts(**texts: str | bytes) -> Config:
        places = {
            "install": tmp_path / "install.yaml",
            "site": tmp_path / "xdg" / "dfm" / "site.yaml",
            "project": tmp_path / "chip" / ".dfm" / "config.yaml",
        }
        for layer, text in texts.items():
            places[layer].parent.mkdir(parents=True, exist_ok=True)
            places[layer].write_bytes(text.encode() if isinstance(text, str) else text)
        environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
        if "install" in texts:
            environ["DFM_INSTALL_CONFIG"] = str(places["install"])
        return load(str(tmp_path / "chip"), environ, sections)

    return load_texts


@pytest.fixture
def find_faults(load_layers: Callable[..., Config]) -> Callable[..., tuple[Problem, ...]]:
    """The problems of the same layers; at least one."""

    def faults(**texts: str | bytes) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            load_layers(**texts)
        return caught.value.problems

    return faults
