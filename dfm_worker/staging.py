"""The files of a task's run directory that the executor writes before it runs and reads after it:
the script contract, sections 29.2 and 29.3 of the language."""

import os
from typing import NamedTuple

from dfm.wire.files import log_name, record_name, script_name
from dfm.wire.task import TaskSpec

COLLECTED_LIMIT = 48 * 1024 * 1024  # bytes of one file that a task hands back: five fit in a frame
TAIL = 4096  # bytes of the log of a failed task that travel with its result

PARAMS, INPUTS = "dfm.params.json", "dfm.inputs.json"
MEMENTO, MEMENTO_OUT = "dfm.memento.json", "dfm.memento.out.json"
OUTPUT, ENV, PATH, MARKERS = "dfm.output.jsonl", "dfm.env", "dfm.path", "dfm.markers.jsonl"
APPENDED = (OUTPUT, ENV, PATH, MARKERS)

LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NEW = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


class TooMuch(Exception):
    """A task handed back more than a message carries."""


class Collected(NamedTuple):
    """What a script left in the files of the contract."""

    output: bytes
    environment: bytes
    path: bytes
    markers: bytes
    memento: bytes | None


def write(path: str, data: bytes, mode: int = 0o666) -> None:
    """Writes a file as a whole, over an old one: a tenth of the time of emptying it first (ext4)."""
    fd = os.open(path, _NEW, mode)
    try:
        written = os.write(fd, data)
        while written < len(data):
            written += os.write(fd, data[written:])
        os.ftruncate(fd, written)
    except OSError as error:  # of a descriptor, it does not know the file's name
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(fd)


def log_file(spec: TaskSpec) -> str:
    return f"{spec.rundir}/{log_name(spec.file_stem)}"


def script_file(spec: TaskSpec) -> str:
    return f"{spec.rundir}/{script_name(spec.file_stem)}"


def stage(spec: TaskSpec, inputs: bytes) -> None:
    """Makes the run directory and what a task finds in it. Raises OSError.

    The record of an earlier run is emptied: until this run's is written the task is not up to date.
    """
    rundir = spec.rundir
    try:
        os.mkdir(rundir)
        fresh = True
    except FileNotFoundError:
        os.makedirs(rundir, exist_ok=True)
        fresh = True
    except FileExistsError:
        fresh = False
    write(f"{rundir}/{PARAMS}", spec.params)
    write(f"{rundir}/{INPUTS}", inputs)
    for name in APPENDED:
        os.close(os.open(f"{rundir}/{name}", _NEW | os.O_TRUNC, 0o666))
    if not fresh:
        _forget_last_run(spec)
    if spec.memento is not None:
        write(f"{rundir}/{MEMENTO}", spec.memento)
    if "\n" in spec.script and spec.language != "python":
        text = f"#!/bin/{spec.language}\n{spec.script}"
        write(script_file(spec), text.encode(errors="surrogateescape"), 0o755)


def _forget_last_run(spec: TaskSpec) -> None:
    try:
        os.truncate(f"{spec.rundir}/{record_name(spec.file_stem)}", 0)
    except FileNotFoundError:
        pass
    stale = [MEMENTO_OUT] if spec.memento is not None else [MEMENTO_OUT, MEMENTO]
    for name in stale:
        try:
            os.unlink(f"{spec.rundir}/{name}")
        except FileNotFoundError:
            pass


def variables(spec: TaskSpec, environment: dict[str, str]) -> dict[str, str]:
    """The environment of a task's script: the given one, changed as section 29.2 says."""
    rundir = spec.rundir
    result = environment | spec.environment
    result.update(
        DFM_TASK_NAME=spec.name,
        DFM_RUNDIR=rundir,
        TASK_RUNDIR=rundir,
        DFM_SRCDIR=spec.srcdir,
        TASK_SRCDIR=spec.srcdir,
        DFM_PARAMS=f"{rundir}/{PARAMS}",
        DFM_INPUTS=f"{rundir}/{INPUTS}",
        DFM_OUTPUT=f"{rundir}/{OUTPUT}",
        DFM_ENV=f"{rundir}/{ENV}",
        DFM_PATH=f"{rundir}/{PATH}",
        DFM_MARKERS=f"{rundir}/{MARKERS}",
        DFM_MEMENTO_OUT=f"{rundir}/{MEMENTO_OUT}",
        PWD=rundir,
    )
    if spec.memento is not None:
        result["DFM_MEMENTO"] = f"{rundir}/{MEMENTO}"
    else:
        result.pop("DFM_MEMENTO", None)  # of a task in which this dfm runs
    if spec.path_prefix:
        result["PATH"] = ":".join([*spec.path_prefix, result.get("PATH", os.defpath)])
    return result


def collect(rundir: str) -> Collected:
    """Reads what the script handed back. Raises OSError, or TooMuch naming the file."""
    output, environment, path, markers = (_read(f"{rundir}/{name}") for name in APPENDED)
    memento = _read(f"{rundir}/{MEMENTO_OUT}")
    return Collected(output or b"", environment or b"", path or b"", markers or b"", memento)


def _read(path: str) -> bytes | None:
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        return None
    if not size:
        return b""
    if size > COLLECTED_LIMIT:
        raise TooMuch(f"{path} {too_much(size)}")
    with open(path, "rb") as file:
        return file.read(COLLECTED_LIMIT + 1)


def too_much(size: int) -> str:
    return f"has {size} bytes, more than the {COLLECTED_LIMIT} that travel"


def tail(path: str, limit: int = TAIL) -> bytes:
    """The last bytes of a log, from the beginning of a line where there is one."""
    try:
        # A task may have put anything in its place: a named pipe would be waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            data = file.read(limit)
    except OSError:
        return b""
    if size > limit and b"\n" in data[:-1]:
        data = data[data.index(b"\n") + 1 :]
    return data
