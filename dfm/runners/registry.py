"""Which runners there are: our own, and those that other packages register (spec section 8)."""

import functools
import os
from collections.abc import Mapping
from typing import NamedTuple

from dfm.config.config import Config
from dfm.config.fields import Section
from dfm.config.layers import find_layers
from dfm.config.loading import load
from dfm.config.selection import Selection
from dfm.config.spelling import nearest
from dfm.errors import UsageError
from dfm.runners.base import Runner

LOCAL = "local"
GROUP = "dfm_runners"


class Installed(NamedTuple):
    """One runner that can be chosen here; `trouble` says why it cannot be loaded."""

    name: str
    origin: str  # "built in", or its package
    make: type[Runner] | None
    trouble: str = ""


@functools.cache
def installed() -> Mapping[str, Installed]:
    """All runners by name. One that cannot be loaded is there with its trouble."""
    from importlib.metadata import entry_points  # 20 ms, for those who name a runner

    from dfm.runners.lsf import LsfRunner
    from dfm.runners.processes import ProcessRunner
    from dfm.runners.slurm import SlurmRunner

    ours: Mapping[str, type[Runner]] = {
        LOCAL: ProcessRunner,
        "lsf": LsfRunner,
        "slurm": SlurmRunner,
    }
    found = {name: Installed(name, "built in", make) for name, make in ours.items()}
    for entry in entry_points(group=GROUP):
        origin = entry.dist.name if entry.dist else "an unknown package"
        try:
            found[entry.name] = Installed(entry.name, origin, entry.load())
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything while it loads
            trouble = f"{type(error).__name__}: {error}"
            found[entry.name] = Installed(entry.name, origin, None, trouble)
    return found


def choose(selection: Selection) -> Installed:
    """The runner that was selected. Raises UsageError naming it, where it was set, and the others."""
    runners = installed()
    chosen = runners.get(selection.name)
    if chosen is None:
        near = nearest(selection.name, runners)
        hint = f"did you mean `{near}`? " if near else ""
        raise UsageError(
            f"no runner `{selection.name}` (from {selection.origin})",
            hint=f"{hint}there are {', '.join(sorted(runners))}",
        )
    if chosen.make is None:
        raise UsageError(
            f"the runner `{chosen.name}` of the package {chosen.origin} cannot be loaded",
            hint=chosen.trouble,
        )
    return chosen


def configuration(
    project: str, environ: Mapping[str, str], *, with_runners: bool = False
) -> Config:
    """The merged configuration of a project. Raises ConfigError.

    Without any file, and unless the caller has a use for them, nobody asks for the sections of the
    runners, and they are not looked for.
    """
    sections: dict[str, Section] = {}
    if with_runners or any(os.path.exists(layer.path) for layer in find_layers(project, environ)):
        sections = {
            name: runner.make.section for name, runner in installed().items() if runner.make
        }
    return load(project, environ, sections)
