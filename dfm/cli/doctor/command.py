"""`dfm doctor`: looks at everything that dfm needs, and says what to do about what is wrong."""

import os
from collections.abc import Iterator

from dfm.cli.config import folder as project_folder
from dfm.cli.config import shorter
from dfm.cli.doctor import folder, host, probe, runner
from dfm.cli.doctor.finding import Finding, Findings, Verdict, good, odd, wrong
from dfm.client.control import Control
from dfm.client.find import find
from dfm.config.layers import find_layers
from dfm.config.selection import select_runner
from dfm.config.state_folder import StateFolder
from dfm.errors import ConfigError, DaemonError, UsageError
from dfm.runners.registry import LOCAL, choose, configuration, unusable


def examine(root: str, runner_name: str | None, *, with_probe: bool) -> int:
    """Prints a line for each finding; returns the exit status."""
    is_well = True
    for finding in _findings(StateFolder(project_folder(root)), runner_name, with_probe=with_probe):
        is_well &= finding.verdict is not Verdict.WRONG
        print(finding, flush=True)  # noqa: T201 - a probe takes its time
    return 0 if is_well else 1


def _findings(state: StateFolder, name: str | None, *, with_probe: bool) -> Iterator[Finding]:
    yield from host.versions()
    try:
        config = configuration(state.project, os.environ, with_runners=True)
    except ConfigError as error:
        for problem in error.problems:
            yield wrong("config", str(problem))
        yield odd("config", "nothing else was looked at: it needs a configuration")
        return
    yield _layers(state)
    try:
        chosen = choose(select_runner(config, os.environ, name))
    except UsageError as error:
        yield wrong("runner", str(error))
        return
    is_remote = chosen.name != LOCAL
    yield from runner.findings(chosen, config)
    yield from folder.findings(state, is_remote=is_remote)
    yield from host.limits(config)
    if is_remote:
        yield from host.addresses(config)
    yield from _daemon(state)
    if with_probe and unusable(chosen, config) is None:
        yield from probe.findings(state, chosen.name)
    elif with_probe:
        yield wrong("probe", f"left out: {chosen.name} cannot be used")


def _layers(state: StateFolder) -> Finding:
    layers = find_layers(state.project, os.environ)
    there = [shorter(layer.path) for layer in layers if os.path.exists(layer.path)]
    return good("config", ", ".join(there) if there else "no file; the defaults hold")


def _daemon(state: StateFolder) -> Findings:
    """The one of the project, if it has one."""
    try:
        control = Control.of(state)
        if control is not None:
            pid = control.welcome.pid
            control.close()
            yield good("daemon", f"runs, pid {pid}, runner {control.welcome.runner}")
        elif find(state) is not None:
            yield odd(
                "daemon", f"one that was killed left {state.daemon_json}", "the next one removes it"
            )
        else:
            yield good("daemon", "none runs; `dfm daemon start` starts one")
    except DaemonError as error:
        yield wrong("daemon", str(error))
