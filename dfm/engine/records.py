"""The record of each node, `NAME.exec_data.json` in its run directory (section 32.1).

A record is written with one call over the old one, without fsync and without a rename: one that
cannot be read counts as absent, and then the task runs again.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dfm.graph.node import Compound, Node, Selection
from dfm.graph.values import Fields
from dfm.wire.files import log_name, record_name

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
_WORDS = {"all": "All", "none": "No", "unused": "Unused"}


class Marker(NamedTuple):
    """One message of a task for its user. `location` is {path, line, pos}."""

    severity: str  # "error", "warning", "info"
    message: str
    location: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {"msg": self.message, "severity": self.severity, "loc": self.location}


class Usage(NamedTuple):
    """What a script took: of its own process and of all that this has waited for.

    The kernel counts to a new process what the one that started it had in memory, so that
    `max_rss_kib` is never below that of a worker (20 MiB), or of `dfm run` with the local runner.
    """

    wall_s: float
    cpu_s: float
    max_rss_kib: int  # of the largest process at its largest


class Result(NamedTuple):
    """What came of a node that was executed."""

    status: int
    changed: bool
    items: Sequence[Fields]  # its own, with src and seq
    markers: Sequence[Marker] = ()
    memento: Any = None
    commands: Sequence[tuple[Sequence[str], int]] = ()
    usage: Usage | None = None  # None: dfm did it itself


class Input(NamedTuple):
    """What a node was executed with."""

    needs: Sequence[str]
    signature: Sequence[Mapping[str, Any]]
    inputs: Sequence[Fields]  # consumed
    changed: bool
    memento: Any
    needs_executions: Mapping[str, str]
    run_hash: str


def path(rundir: str, node: Node) -> str:
    return f"{rundir}/{node.rundir}/{record_name(node.file_stem)}"


def read(rundir: str, node: Node) -> dict[str, Any] | None:
    """The record of a node; None if there is none, or none that can be read."""
    record = read_file(path(rundir, node))
    # Short names of directories may have been another task's.
    return record if record is not None and record.get("name", node.name) == node.name else None


def read_file(place: str) -> dict[str, Any] | None:
    try:
        fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(fd, os.fstat(fd).st_size)
    except OSError:
        return None
    finally:
        os.close(fd)
    try:
        record = json.loads(data)
    except ValueError:
        return None
    return record if _is_whole(record) else None


def _is_whole(record: Any) -> bool:
    """Whether the parts that are read back are there, with the right kinds."""
    try:
        return (
            isinstance(record["result"]["status"], int)
            and isinstance(record["params"], dict)
            and isinstance(record["inputs_signature"], list)
            and all(isinstance(item["type"], str) for item in record["output"]["output"])
        )
    except (KeyError, TypeError):
        return False


def write(
    rundir: str, node: Node, given: Input, result: Result, output: Sequence[Fields], execution: str
) -> None:
    """Writes the record of an execution. Raises OSError."""
    is_compound = isinstance(node.work, Compound)
    folder = f"{rundir}/{node.rundir}"
    record = {
        "name": node.name,
        "srcdir": node.srcdir,
        "rundir": folder,
        "logfile": log_name(node.file_stem),
        "params": node.params,
        "inputs_signature": given.signature,
        "input": {
            "name": node.name,
            "changed": given.changed,
            "srcdir": node.srcdir,
            "rundir": folder,
            "params": node.params,
            "inputs": given.inputs,
            "memento": given.memento,
            "inherits_rundir": node.inherits_rundir,
        },
        "needs": given.needs,
        "commands": [{"cmd": words, "status": status} for words, status in result.commands],
        "result": {
            "status": result.status,
            "changed": result.changed,
            "markers": [marker.as_json() for marker in result.markers],
            "memento": result.memento,
        },
        "output": {
            "changed": result.changed,
            "output": output,
            "dep_m": {node.name: given.needs},
        },
        "consumes": [] if is_compound else _selection("ConsumesE", node.consumes),
        "passthrough": "False" if is_compound else _selection("PassthroughE", node.passthrough),
        "produces": node.produces,
        "run_hash": given.run_hash,
        "execution": execution,
        "needs_executions": given.needs_executions,
    }
    if result.usage is not None:
        record["usage"] = result.usage._asdict()
    write_whole(path(rundir, node), json.dumps(record).encode())


def write_mementos(rundir: str, mementos: Mapping[str, Any]) -> None:
    """Writes what each node of a run has kept, all in one file. Raises OSError."""
    write_whole(f"{rundir}/cache/mementos.json", json.dumps(mementos).encode())


def _selection(kind: str, selection: Selection) -> Any:
    return f"{kind}.{_WORDS[selection]}" if isinstance(selection, str) else selection


def write_whole(place: str, data: bytes) -> None:
    """Writes a file over an old one, making its folder if need be. Raises OSError."""
    try:
        fd = os.open(place, _FLAGS, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        fd = os.open(place, _FLAGS, 0o666)
    try:
        written = os.write(fd, data)
        while written < len(data):
            written += os.write(fd, data[written:])
        os.ftruncate(fd, written)
    except OSError as error:  # of a descriptor, it does not know the file's name
        raise OSError(error.errno, error.strerror, place) from None
    finally:
        os.close(fd)


def wall_s(record: Mapping[str, Any] | None) -> float:
    """How long the node took; 0 if its record does not say."""
    try:
        found = record["usage"]["wall_s"] if record else 0.0
    except (KeyError, TypeError):
        return 0.0
    is_known = isinstance(found, int | float) and math.isfinite(found) and found > 0
    return float(found) if is_known else 0.0


def own_items(record: Mapping[str, Any], name: str) -> list[Fields]:
    """The items that the node itself emitted."""
    return [item for item in record["output"]["output"] if item.get("src") == name]
