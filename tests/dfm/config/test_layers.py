import sys
from pathlib import Path

import pytest

from dfm.config.layers import Layer, find_layers, read


def test_the_layers_are_install_then_site_then_project() -> None:
    layers = find_layers("/chip", {"HOME": "/home/ann"})
    assert layers == (
        Layer("install", f"{sys.prefix}/etc/dfm/config.yaml"),
        Layer("site", "/home/ann/.config/dfm/site.yaml"),
        Layer("project", "/chip/.dfm/config.yaml"),
    )


def test_the_install_layer_that_the_environment_names_must_exist() -> None:
    install = find_layers("/chip", {"HOME": "/h", "DFM_INSTALL_CONFIG": "/nowhere/dfm.yaml"})[0]
    assert install == Layer("install", "/nowhere/dfm.yaml", required=True)
    with pytest.raises(FileNotFoundError):
        read(install)


def test_an_empty_variable_counts_as_unset() -> None:
    empty = {"HOME": "/h", "DFM_INSTALL_CONFIG": "", "XDG_CONFIG_HOME": ""}
    assert find_layers("/chip", empty) == find_layers("/chip", {"HOME": "/h"})


def test_xdg_config_home_moves_the_site_layer() -> None:
    site = find_layers("/chip", {"HOME": "/h", "XDG_CONFIG_HOME": "/xdg"})[1]
    assert site.path == "/xdg/dfm/site.yaml"


def test_a_relative_xdg_config_home_is_ignored() -> None:
    site = find_layers("/chip", {"HOME": "/h", "XDG_CONFIG_HOME": "xdg"})[1]
    assert site.path == "/h/.config/dfm/site.yaml"


def test_without_home_the_account_s_home_holds_the_site_layer() -> None:
    assert Path(find_layers("/chip", {})[1].path) == Path("~/.config/dfm/site.yaml").expanduser()


def test_a_layer_without_a_file_is_nothing() -> None:
    assert read(Layer("project", "/nowhere/config.yaml")) is None


def test_a_home_that_is_no_folder_has_no_site_layer() -> None:
    assert read(find_layers("/chip", {"HOME": "/dev/null"})[1]) is None


def test_a_folder_in_place_of_a_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read(Layer("project", str(tmp_path)))
