from collections.abc import Callable

import pytest

from dfm.config.config import Config
from dfm.config.selection import Selection, select_runner

Load = Callable[..., Config]


def test_nobody_chose_local(load_layers: Load) -> None:
    assert select_runner(load_layers(), {}, None) == Selection("local", "default", False)


def test_local_from_a_file_is_a_choice(load_layers: Load) -> None:
    selection = select_runner(load_layers(project="\nrunner:\n  default: local\n"), {}, None)
    assert (selection.name, selection.is_explicit) == ("local", True)
    assert selection.origin.endswith("/chip/.dfm/config.yaml:3")


def test_type_is_a_synonym_in_the_origin_too(load_layers: Load) -> None:
    selection = select_runner(load_layers(site="type: lsf"), {}, None)
    assert selection.name == "lsf"
    assert selection.origin.endswith("site.yaml:1")


@pytest.mark.parametrize(
    ("environ", "flag", "expected"),
    [
        ({"DFM_RUNNER": "lsf"}, None, Selection("lsf", "DFM_RUNNER", True)),
        ({"DFM_RUNNER": "lsf"}, "local", Selection("local", "--runner", True)),
        ({}, "nonsense", Selection("nonsense", "--runner", True)),
    ],
)
def test_the_environment_beats_the_files_and_the_flag_beats_both(
    load_layers: Load, environ: dict[str, str], flag: str | None, expected: Selection
) -> None:
    config = load_layers(project="runner: {default: slurm}")
    assert select_runner(config, environ, flag) == expected


def test_an_empty_variable_counts_as_unset(load_layers: Load) -> None:
    config = load_layers(project="runner: {default: slurm}")
    assert select_runner(config, {"DFM_RUNNER": ""}, None).name == "slurm"
    assert not select_runner(load_layers(project=""), {"DFM_RUNNER": ""}, None).is_explicit
