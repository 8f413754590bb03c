"""`dfm config show`, `check` and `path`."""

import dataclasses
import json
import os
from typing import NamedTuple

from dfm.cli.daemon import project_folder
from dfm.config.config import Config
from dfm.config.layers import Layer, find_layers
from dfm.config.merge import Origin
from dfm.config.selection import Selection, select_runner
from dfm.config.writing import document, fields, origin_of, yaml_lines
from dfm.errors import FlowError, Place
from dfm.runners.registry import choose, configuration

_RUNNER = "runner.default"


class _Asked(NamedTuple):
    config: Config
    selection: Selection  # the environment has its word in it


def show(root: str, *, with_origin: bool, as_json: bool) -> int:
    """Prints the merged configuration. Raises ConfigError with every fault of it."""
    asked = _ask(folder(root))
    config = asked.config
    if as_json:
        shown: dict[str, object] = {"schema": "dfm-config/1", "config": document(config)}
        if with_origin:
            shown["origins"] = {key: _origin(asked, key) for key in fields(config)}
        print(json.dumps(shown, indent=1, ensure_ascii=False))  # noqa: T201
        return 0
    origin = (lambda key: _origin(asked, key)) if with_origin else None
    print("\n".join(yaml_lines(config, origin)))  # noqa: T201
    return 0


def check(root: str) -> int:
    """Holds every layer against what is known. Raises ConfigError with every fault at once."""
    project = folder(root)
    choose(_ask(project).selection)
    there = [layer.path for layer in find_layers(project, os.environ) if os.path.exists(layer.path)]
    lines = [f"{shorter(file)}: right" for file in there]
    print("\n".join(lines or ["no configuration file; the defaults hold"]))  # noqa: T201
    return 0


def path(root: str) -> int:
    """Prints where the layers are, lowest precedence first, and which exist."""
    for layer in find_layers(folder(root), os.environ):
        print(f"{layer.name:<8} {_state(layer):<8} {layer.path}")  # noqa: T201
    runner = os.environ.get("DFM_RUNNER")
    state = f"set      DFM_RUNNER={runner}" if runner else "not set  DFM_RUNNER"
    print(f"{'env':<8} {state}")  # noqa: T201
    return 0


def folder(root: str) -> str:
    """The project's folder; outside of any flow the current one, for the layers above a project."""
    try:
        return project_folder(root)
    except FlowError:
        if root or os.environ.get("DV_FLOW_ROOT"):
            raise
        return os.getcwd()


def shorter(path: str) -> str:
    """A path as it is said to people: relative to here if it is below."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _ask(project: str) -> _Asked:
    config = configuration(project, os.environ, with_runners=True)
    selection = select_runner(config, os.environ, None)
    if selection.name == config.runner:
        return _Asked(config, selection)
    values = {**config.values, _RUNNER: selection.name}
    origins: dict[str, Origin] = {**config.origins, _RUNNER: selection.origin}
    return _Asked(dataclasses.replace(config, values=values, origins=origins), selection)


def _origin(asked: _Asked, key: str) -> str:
    origin = origin_of(asked.config, key)
    if isinstance(origin, Place):
        return f"{shorter(origin.file)}:{origin.line}"
    return origin


def _state(layer: Layer) -> str:
    if os.path.exists(layer.path):
        return "exists"
    return "missing" if layer.required else "none"
