"""From a node to what the executor is told (sections 29.2, 30)."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dfm.engine.records import Marker
from dfm.graph.dataflow import ENV, Item
from dfm.graph.node import Node, Script
from dfm.graph.values import Fields, Value
from dfm.wire.task import Requirements, TaskSpec

_MOST_BYTES = 128 * 1024  # of one variable with its name: MAX_ARG_STRLEN of execve(2)
_OF_ONE_TASK = frozenset(
    """
    DFM_TASK_NAME DFM_RUNDIR TASK_RUNDIR DFM_SRCDIR TASK_SRCDIR DFM_PARAMS DFM_INPUTS DFM_MEMENTO
    DFM_OUTPUT DFM_ENV DFM_PATH DFM_MARKERS DFM_MEMENTO_OUT DFM_JOB
    DFM_BASE_RUNDIR
    """.split()
)


class Places(NamedTuple):
    """The folders of one run, all absolute."""

    rundir: str  # the root one
    flow: str  # of the root flow file
    cwd: str  # of dfm


def _umask() -> int:
    """Of this process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


class RunContext:
    """What all tasks of a run have in common. `log_limit` is in bytes of one log; 0: none. `base` is
    the base run directory, if there is one. `run_id` names the folder of what is published; empty:
    the next number. `again` says how to run more tasks of the flow, for tasks that make others."""

    def __init__(
        self,
        places: Places,
        environ: Mapping[str, str],
        types: Mapping[str, Fields],
        log_limit: int = 0,
        base: str = "",
        run_id: str = "",
        again: Mapping[str, object] | None = None,
    ) -> None:
        self.places = places
        self._log_limit = log_limit
        self._umask = _umask()
        self.environment = run_environment(environ, places.rundir, run_id)
        if base:
            self.environment["DFM_BASE_RUNDIR"] = base
        self._types = json.dumps(types)
        self._again = json.dumps(again or {})

    def spec(
        self, node: Node, script: Script, items: Sequence[Item], memento: object,
        requirements: Requirements, *, changed: bool, **more: str,
    ) -> tuple[TaskSpec, list[Marker]]:  # fmt: skip
        """What the executor is told, and warnings about it. `items` are the incoming ones."""
        environment, markers = parameter_variables(node.params)
        apply_env_items(environment, items, self.environment)
        python = None
        if script.language == "python":
            python = {
                "cwd": self.places.cwd,
                "flowdir": script.srcdir,
                "root_rundir": self.places.rundir,
                "root_pkgdir": self.places.flow,
                "changed": "true" if changed else "false",
                "types": self._types,
                "again": self._again,
                **more,
            }
        return TaskSpec(
            node.name,
            f"{self.places.rundir}/{node.rundir}",
            node.srcdir,
            script.language,
            script.text,
            json.dumps(node.params).encode(),
            None if memento is None else json.dumps(memento).encode(),
            environment,
            [f"{self.places.rundir}/bin"],
            requirements.cores,
            requirements.walltime_s,
            None,
            python,
            self._log_limit,
            self._umask,
            node.stem,
        ), markers


def question(spec: TaskSpec) -> TaskSpec:
    """The same task when it is asked whether it is up to date: log and record are not the task's."""
    stem = "uptodate" if spec.stem == "" else f"{spec.file_stem}.uptodate"
    return spec._replace(name=f"{spec.name}.uptodate", stem=stem)


def run_environment(environ: Mapping[str, str], rundir: str, run_id: str = "") -> dict[str, str]:
    """The environment of `dfm run` without what an outer task left in it. Without a `run_id` the next
    number is taken."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _OF_ONE_TASK and not name.startswith("DFM_PARAM_")
    }
    run_id = run_id or next_run_id(rundir)
    return kept | {"DFM_RUN_ID": run_id, "DFM_OUT_DIR": f"{rundir}/out/{run_id}"}


def next_run_id(rundir: str) -> str:
    """The number after those in `rundir/out/`: `0001` and on."""
    try:
        numbers = [int(name) for name in os.listdir(f"{rundir}/out") if name.isdigit()]
    except FileNotFoundError:
        numbers = []
    return f"{max(numbers, default=0) + 1:04}"


def parameter_variables(params: Fields) -> tuple[dict[str, str], list[Marker]]:
    """DFM_PARAM_<NAME> of each parameter; those too long for an environment get a warning."""
    environment: dict[str, str] = {}
    markers: list[Marker] = []
    for name, value in params.items():
        variable = f"DFM_PARAM_{name.upper()}"
        text = _text(value)
        size = len(text) + len(variable)
        if (
            size * 4 > _MOST_BYTES
            and len(f"{variable}={text}".encode(errors="replace")) >= _MOST_BYTES
        ):
            markers.append(
                Marker(
                    "warning",
                    f"parameter `{name}` is too long for an environment variable: there is no"
                    f" {variable}; $DFM_PARAMS has it",
                )
            )
        else:
            environment[variable] = text
    return environment, markers


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, separators=(",", ":"))
        case _:
            return str(value)


def apply_env_items(
    environment: dict[str, str], items: Iterable[Item], below: Mapping[str, str]
) -> None:
    """The changes of the std.Env items, in their order, on top of `below`."""
    for item in items:
        if item.type != ENV:
            continue
        for name, value in _pairs(item.fields.get("vals")):
            environment[name] = value
        for name, value in _pairs(item.fields.get("append_path")):
            present = environment.get(name, below.get(name, ""))
            environment[name] = f"{present}:{value}" if present else value
        for name, value in _pairs(item.fields.get("prepend_path")):
            present = environment.get(name, below.get(name, ""))
            environment[name] = f"{value}:{present}" if present else value


def _pairs(value: Value | None) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return []
    return [(name, _text(element)) for name, element in value.items()]


def executable_bin(rundir: str, python: str) -> list[tuple[str, str]]:
    """Path and text of the commands that tasks find on their PATH."""
    from shlex import quote

    run = f"#!/bin/sh\nexec {quote(python)} -m"
    return [
        (os.path.join(rundir, "bin", "dfm"), f'{run} dfm "$@"\n'),
        (os.path.join(rundir, "bin", "dfm-out"), f'{run} dfm_worker.dfm_out "$@"\n'),
    ]
