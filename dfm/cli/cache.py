"""The cache of finished tasks: where it is, and `dfm cache init` (section 34)."""

import json
import os
from collections.abc import Mapping
from typing import Any

from dfm.engine.cache import MARKER, Cache, Store
from dfm.errors import ConfigError, Place, UsageError

VARIABLE = "DV_FLOW_CACHE"


def find_cache(environ: Mapping[str, str]) -> Cache | None:
    """What $DV_FLOW_CACHE names: a directory, or a file that lists some. Raises ConfigError."""
    path = environ.get(VARIABLE, "")
    if not path:
        return None
    if os.path.isfile(path):
        return Cache(_listed(path))
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"${VARIABLE}: cannot make {path}: {error.strerror}") from None
    return Cache([Store(os.path.abspath(path))])


def init(folder: str, *, is_shared: bool) -> int:
    """Prepares a directory. Raises UsageError."""
    try:
        os.makedirs(folder, exist_ok=True)
        if is_shared:
            os.chmod(folder, 0o2775)
        with open(f"{folder}/{MARKER}", "w", encoding="utf-8") as file:
            file.write(f"type: directory\nshared: {str(is_shared).lower()}\n")
    except OSError as error:
        raise UsageError(f"cannot prepare {folder}: {error.strerror}") from None
    print(f"{VARIABLE}={os.path.abspath(folder)}")  # noqa: T201
    return 0


def _listed(path: str) -> list[Store]:
    data = _read(path)
    caches = data.get("caches") if isinstance(data, dict) else None
    if not isinstance(caches, list):
        raise ConfigError("a list `caches` is wanted", place=Place(path))
    return [_store(path, one) for one in caches]


def _store(path: str, one: Any) -> Store:
    if not isinstance(one, dict) or not isinstance(one.get("path"), str):
        raise ConfigError("a cache is {type: directory, path: ..., writable: ...}",
                          place=Place(path))  # fmt: skip
    if one.get("type", "directory") != "directory":
        raise ConfigError(f"a cache of type {one['type']!r}: there is only directory",
                          place=Place(path))  # fmt: skip
    folder = os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(one["path"]))
    return Store(folder, bool(one.get("writable", True)))


def _read(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read it: {error}", place=Place(path)) from None
    if path.endswith((".yaml", ".yml")):
        from dfm.flow.yaml_reader import read

        return read(text, path)
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}", place=Place(path)) from None
