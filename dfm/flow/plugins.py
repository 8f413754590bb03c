"""Packages and shells that other Python packages bring, through entry points (section 39)."""

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "dv_flow.mgr"  # any name -> a module, with some of these functions; the older names last
_PACKAGES = ("dfm_packages", "dvfm_packages")  # () -> {name of a package: its flow file}
_SHELLS = ("dfm_shells", "dvfm_shells")  # () -> {name of a shell: its class}


class Shell(NamedTuple):
    """A value of `shell:`: the class that runs such scripts, by its module and its name there."""

    module: str
    name: str


class Plugins(NamedTuple):
    """What there is on this host; `broken` says of each plugin that has faults which they are."""

    packages: dict[str, str]
    shells: dict[str, Shell]
    broken: list[str]


@functools.cache
def find() -> Plugins:
    """All that plugins bring. Nothing that a plugin does stops this."""
    from importlib.metadata import entry_points  # 20 ms, for those who name something unknown

    from dfm_worker import python_names

    python_names.serve()  # some import what tasks use

    found = Plugins({}, {}, [])
    for entry in entry_points(group=GROUP):
        try:
            module = entry.load()
            _take(found, entry, _called(module, _PACKAGES), _called(module, _SHELLS))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may do anything
            _add_broken(found, entry, f"{type(error).__name__}: {error}")
    return found


def python_of(shell: str, script: str, srcdir: str) -> str:
    """The body of a Python task that has a script run by a shell of a plugin."""
    made = find().shells[shell]
    return f"""
import importlib, operator
shell = operator.attrgetter({made.name!r})(importlib.import_module({made.module!r}))
return await shell({script!r}, {srcdir!r}, {shell!r})(ctxt, input)
"""


def _called(module: object, names: tuple[str, ...]) -> Mapping[str, object]:
    """What the first of these functions that the module has returns."""
    for name in names:
        function: Callable[[], Mapping[str, object]] | None = getattr(module, name, None)
        if function is not None:
            return dict(function())
    return {}


def _take(
    found: Plugins, entry: "EntryPoint", packages: Mapping[str, object], shells: Mapping[str, object]
) -> None:  # fmt: skip
    """Whoever comes second with a name is broken: nobody's package is replaced unnoticed."""
    for name, file in packages.items():
        if not isinstance(file, str | os.PathLike):
            _add_broken(found, entry, f"its package `{name}` has no path, but {file!r}")
        elif found.packages.setdefault(name, os.fspath(file)) != os.fspath(file):
            _add_broken(found, entry, f"there is a package `{name}` already")
    for name, made in shells.items():
        if not isinstance(made, type):
            _add_broken(found, entry, f"its shell `{name}` is no class, but {made!r}")
            continue
        shell = Shell(made.__module__, made.__qualname__)
        if found.shells.setdefault(name, shell) != shell:
            _add_broken(found, entry, f"there is a shell `{name}` already")


def _add_broken(found: Plugins, entry: "EntryPoint", why: str) -> None:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
    found.broken.append(f"{GROUP} plugin `{entry.name}` ({package}) is broken: {why}")
