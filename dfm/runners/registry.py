"""Which runners there are: our own, and those that other packages register (spec section 8)."""

import functools
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

from dfm.config.config import Config
from dfm.config.fields import Section
from dfm.config.layers import find_layers
from dfm.config.loading import load
from dfm.config.selection import Selection
from dfm.config.spelling import nearest
from dfm.errors import RunnerError, UsageError
from dfm.runners.base import Runner

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

LOCAL = "local"
GROUP = "dfm_runners"  # entry points: name of a runner -> its class
PLUGINS = "dv_flow.mgr"  # entry points: any name -> a module, perhaps with this function
HOOK = "dfm_runners"  # () -> {name of a runner: its class}
_VERBS = ("unusable", "submit", "poll", "cancel")


class Installed(NamedTuple):
    """One runner that can be chosen here; `trouble` says why it cannot be loaded."""

    name: str
    origin: str  # "built in", or its package
    make: type[Runner] | None
    trouble: str = ""


class Broken(NamedTuple):
    """Something of another package that wanted to bring a runner, and why it does not."""

    what: str  # the entry point, as the package names it
    origin: str
    trouble: str


class Found(NamedTuple):
    """What there is on this host."""

    runners: dict[str, Installed]
    broken: list[Broken]


def installed() -> Mapping[str, Installed]:
    """All runners by name. One that cannot be loaded is there with its trouble."""
    return find().runners


@functools.cache
def find() -> Found:
    """The runners, and the plugins that are broken. Nothing that a plugin does stops this."""
    from importlib.metadata import entry_points  # 20 ms, for those who name a runner

    found = Found(built_in(), [])
    for entry in entry_points(group=GROUP):
        origin = _package(entry)
        try:
            _add(found, entry.name, origin, entry.load())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - while it loads a plugin may do anything
            _add_broken(found, entry.name, origin, _words(error))
    for entry in entry_points(group=PLUGINS):
        origin = _package(entry)
        try:
            hook = getattr(entry.load(), HOOK, None)
            for name, made in (dict(hook()) if hook else {}).items():
                _add(found, str(name), origin, made)
        except (Exception, SystemExit) as error:  # noqa: BLE001
            found.broken.append(Broken(f"{PLUGINS} plugin `{entry.name}`", origin, _words(error)))
    return found


def built_in() -> dict[str, Installed]:
    """Our own runners, whatever else is installed."""
    from dfm.runners.lsf import LsfRunner
    from dfm.runners.processes import ProcessRunner
    from dfm.runners.slurm import SlurmRunner

    ours: Mapping[str, type[Runner]] = {
        LOCAL: ProcessRunner,
        "lsf": LsfRunner,
        "slurm": SlurmRunner,
    }
    return {name: Installed(name, "built in", made) for name, made in ours.items()}


def _add(found: Found, name: str, origin: str, made: object) -> None:
    """Whoever comes second with a name is broken: nobody's runner is replaced unnoticed."""
    if trouble := _misfit(made):
        _add_broken(found, name, origin, trouble)
    elif name in found.runners:
        trouble = f"there is a runner of this name already: {found.runners[name].origin}"
        _add_broken(found, name, origin, trouble)
    else:
        found.runners[name] = Installed(name, origin, cast(type[Runner], made))


def _add_broken(found: Found, name: str, origin: str, trouble: str) -> None:
    found.broken.append(Broken(f"runner `{name}`", origin, trouble))
    found.runners.setdefault(name, Installed(name, origin, None, trouble))


def _misfit(made: object) -> str:
    """What a class lacks to be a runner; empty if it is one."""
    if not isinstance(made, type):
        return f"not a class: {made!r}"
    if not isinstance(getattr(made, "section", None), Section):
        return f"{made.__name__}.section is not a dfm.config.fields.Section"
    missing = [verb for verb in _VERBS if not callable(getattr(made, verb, None))]
    return f"{made.__name__} lacks {', '.join(missing)}" if missing else ""


def _package(entry: "EntryPoint") -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def make(chosen: Installed, config: Config) -> Runner:
    """The runner with its own settings. Raises RunnerError if a foreign class cannot even start."""
    assert chosen.make is not None, "it was chosen"
    try:
        return chosen.make(config.runners.get(chosen.name, {}))
    except Exception as error:
        raise RunnerError(
            f"the runner `{chosen.name}` of the package {chosen.origin} cannot be made",
            hint=_words(error),
        ) from error


def unusable(chosen: Installed, config: Config) -> str | None:
    """Why a runner does not work on this host; None if it does."""
    if chosen.make is None:
        return f"cannot be loaded: {chosen.trouble}"
    try:
        return make(chosen, config).unusable()
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        return _words(error)


def choose(selection: Selection) -> Installed:
    """The runner that was selected. Raises UsageError naming it, where it was set, and the others."""
    runners = installed()
    chosen = runners.get(selection.name)
    if chosen is None:
        near = nearest(selection.name, runners)
        hint = f"did you mean `{near}`? " if near else ""
        broken = [f"\n{one.origin}: {one.what} is broken: {one.trouble}" for one in find().broken]
        raise UsageError(
            f"no runner `{selection.name}` (from {selection.origin})",
            hint=f"{hint}there are {', '.join(sorted(runners))}{''.join(broken)}",
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
    known: dict[str, Section] = {}
    if with_runners or any(os.path.exists(layer.path) for layer in find_layers(project, environ)):
        known = sections()
    return load(project, environ, known)


def sections() -> dict[str, Section]:
    """The own fields of every runner that can be loaded here."""
    return {name: runner.make.section for name, runner in installed().items() if runner.make}
