"""The packages that Python distributions bring (section 39): entry points of the group `dv_flow.mgr`."""

import functools
import os
from collections.abc import Mapping
from typing import NamedTuple

GROUP = "dv_flow.mgr"  # entry points: any name -> a module, perhaps with one of these functions
HOOKS = ("dfm_packages", "dvfm_packages")  # () -> {name of a package: path of its flow file}


class Plugins(NamedTuple):
    """What is installed; `broken` says in words which plugins bring nothing, and why."""

    packages: Mapping[str, str]
    broken: list[str]


def plugin_packages() -> Mapping[str, str]:
    """The flow files of installed packages, by the names of the packages."""
    return installed().packages


@functools.cache
def installed() -> Plugins:
    """Asks every plugin, once: that takes 20 ms and what their modules import. None of them can stop
    this; of two packages of one name the first counts."""
    from importlib.metadata import entry_points

    from dfm_worker import python_names

    python_names.serve()  # some import what tasks use

    packages: dict[str, str] = {}
    found = Plugins(packages, [])
    for entry in entry_points(group=GROUP):
        try:
            module = entry.load()
            hook = next((getattr(module, name) for name in HOOKS if hasattr(module, name)), dict)
            for name, file in dict(hook()).items():
                packages.setdefault(str(name), os.path.abspath(os.fspath(file)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may do anything
            origin = f" of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
            found.broken.append(
                f"plugin `{entry.name}`{origin} is skipped: {type(error).__name__}: {error}"
            )
    return found
