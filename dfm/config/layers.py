"""Where the configuration files are, lowest precedence first."""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from dfm.config.state_folder import StateFolder


class Layer(NamedTuple):
    """One configuration file, which may not exist unless it is `required`."""

    name: str
    path: str
    required: bool = False


def find_layers(project: str, environ: Mapping[str, str]) -> tuple[Layer, ...]:
    """The install, site and project layers. An empty variable counts as unset."""
    named = environ.get("DFM_INSTALL_CONFIG")
    if named:
        install = Layer("install", named, required=True)
    else:
        install = Layer("install", os.path.join(sys.prefix, "etc", "dfm", "config.yaml"))
    return (
        install,
        Layer("site", os.path.join(_config_home(environ), "dfm", "site.yaml")),
        Layer("project", StateFolder(project).config),
    )


def read(layer: Layer) -> bytes | None:
    """The file's content; None if there is none and none is needed. Raises OSError."""
    try:
        with open(layer.path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):  # the latter: accounts with HOME=/dev/null
        if layer.required:
            raise
        return None


def _config_home(environ: Mapping[str, str]) -> str:
    home = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(home):  # its specification: a relative path is invalid, ignore it
        return home
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
