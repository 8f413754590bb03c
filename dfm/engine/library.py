"""The tasks of the standard library, done by dfm itself (sections 31.2 to 31.5)."""

import fnmatch
import glob
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from dfm.engine.records import Marker
from dfm.engine.signatures import FILE_SET, texts
from dfm.graph.dataflow import ENV
from dfm.graph.node import Node, Said
from dfm.graph.values import Fields, Value

PUB_SET = "std.PubSet"
VERSION = 1  # part of the records: a change of what a task here does runs it again
_GLOB = frozenset("*?[")


class Done(NamedTuple):
    """What a library task made. `console` is for the user."""

    items: list[Fields]  # without src and seq
    markers: list[Marker]
    status: int = 0
    memento: Any = None
    console: str = ""


Task: TypeAlias = Callable[[Node, Sequence[Fields], str], Done]


def run(function: str, node: Node, inputs: Sequence[Fields], rundir: str) -> Done:
    """Does a task; `rundir` is its own, absolute. What it cannot read or write fails it."""
    try:
        return _TASKS[function](node, inputs, rundir)
    except OSError as error:
        return Done([], [Marker("error", f"{error.filename}: {error.strerror}")], status=1)


def say(said: Said, rundir: str) -> Done:
    """What a task prints that was done when the graph was built."""
    try:
        os.makedirs(rundir, exist_ok=True)
        for name, text in said.files.items():
            with open(os.path.join(rundir, name), "w") as file:
                file.write(f"{text}\n")
    except OSError as error:
        return Done([], [Marker("error", f"{error.filename}: {error.strerror}")], status=1)
    return Done([], [], console=said.text)


def is_current(function: str, node: Node, record: Mapping[str, Any]) -> bool:
    """Whether the files that a task looked at are what its record says."""
    if function not in _LOOKING:
        return True
    try:
        return bool(_TASKS[function](node, [], "").memento == record["result"].get("memento"))
    except OSError:
        return False


def _file_set(node: Node, _inputs: Sequence[Fields], _rundir: str) -> Done:
    params = node.params
    base, trouble = _base(node)
    if trouble:
        return Done([], [trouble], status=1)
    markers: list[Marker] = []
    files: list[str] = []
    status = 0
    for pattern in texts(params["include"]):
        found = _find(base, pattern)
        if not found:
            markers.append(Marker("error", f"nothing matches `{pattern}` in {base}"))
            status = 1
        elif "**" in pattern and len(found) < len(_find(base, pattern, recursive=True)):
            markers.append(
                Marker("warning", f"`**` in `{pattern}` goes one level deep, as `*` does")
            )
        files += found
    exclude = texts(params["exclude"])
    files = [
        file
        for file in dict.fromkeys(files)
        if not any(fnmatch.fnmatchcase(file, pattern) for pattern in exclude)
    ]
    item: Fields = {
        "type": FILE_SET,
        "name": node.name,
        "params": {},
        "filetype": params["type"],
        "basedir": base,
        "files": list[Value](files),
        **{key: list[Value](_words(params[key])) for key in ("incdirs", "defines", "attributes")},
    }
    return Done([item], markers, status, memento=_times(base, files))


def _base(node: Node) -> tuple[str, Marker | None]:
    """The folder of a file set; a glob must match exactly one."""
    written = str(node.params["base"])
    base = os.path.normpath(os.path.join(node.srcdir, written))
    if not _GLOB.intersection(written):
        return base, None
    found = sorted(place for place in glob.glob(base) if os.path.isdir(place))
    if len(found) == 1:
        return found[0], None
    matches = ", ".join(found) or "none"
    return base, Marker(
        "error", f"`base: {written}` must match one directory; it matches {matches}"
    )


def _find(base: str, pattern: str, *, recursive: bool = False) -> list[str]:
    return sorted(
        found
        for found in glob.glob(pattern, root_dir=base, recursive=recursive)
        if os.path.isfile(os.path.join(base, found))
    )


def _words(value: Value) -> list[str]:
    return value.split() if isinstance(value, str) else texts(value)


def _times(base: str, files: Sequence[str]) -> dict[str, int]:
    """When each file was changed, in nanoseconds."""
    times = {}
    for file in files:
        place = os.path.join(base, file)
        times[place] = os.stat(place).st_mtime_ns
    return times


def _create_file(node: Node, _inputs: Sequence[Fields], rundir: str) -> Done:
    params = node.params
    name = str(params["filename"])
    place = os.path.join(rundir, name)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(str(params["content"]))
    item: Fields = {
        "type": FILE_SET,
        "name": node.name,
        "params": {},
        "filetype": params["type"],
        "basedir": rundir,
        "files": [name],
        "incdirs": [rundir] if params["incdir"] else [],
        "defines": [],
        "attributes": [],
    }
    return Done([item], [])


def _set_env(node: Node, _inputs: Sequence[Fields], _rundir: str) -> Done:
    changes = {
        key: {name: _globbed(str(value), node.srcdir) for name, value in values.items()}
        for key in ("setenv", "append_path", "prepend_path")
        if isinstance(values := node.params[key], dict)
    }
    item: Fields = {
        "type": ENV,
        "vals": dict[str, Value](changes["setenv"]),
        "append_path": dict[str, Value](changes["append_path"]),
        "prepend_path": dict[str, Value](changes["prepend_path"]),
    }
    return Done([item], [], memento=changes)


def _globbed(value: str, srcdir: str) -> str:
    """A value with `* ? [` is the paths that it matches below srcdir; without a match, itself."""
    if not _GLOB.intersection(value):
        return value
    return ":".join(sorted(glob.glob(os.path.join(srcdir, value)))) or value


def _set_file_type(node: Node, inputs: Sequence[Fields], _rundir: str) -> Done:
    filetype = node.params["filetype"]
    return Done(
        [{**fields, "filetype": filetype} for fields in inputs if fields["type"] == FILE_SET], []
    )


def _pub_set(node: Node, inputs: Sequence[Fields], _rundir: str) -> Done:
    where = {key: node.params[key] for key in ("dest", "strip", "flatten")}
    return Done(
        [{**fields, "type": PUB_SET, **where} for fields in inputs if fields["type"] == FILE_SET],
        [],
    )


def _inc_dirs(node: Node, inputs: Sequence[Fields], _rundir: str) -> Done:
    return Done(
        [
            {**fields, "files": [], "incdirs": [fields["basedir"]]}
            for fields in inputs
            if fields["type"] == FILE_SET
        ],
        [],
    )


def _message(node: Node, _inputs: Sequence[Fields], _rundir: str) -> Done:
    return Done([], [], console=f"{node.name}: {node.params['msg']}")


def _not_provided(node: Node, _inputs: Sequence[Fields], _rundir: str) -> Done:
    return Done([], [Marker("error", f"the project does not provide {node.name}")], status=1)


def _null(_node: Node, _inputs: Sequence[Fields], _rundir: str) -> Done:
    return Done([], [])


_TASKS: dict[str, Task] = {
    "FileSet": _file_set,
    "CreateFile": _create_file,
    "SetEnv": _set_env,
    "SetFileType": _set_file_type,
    "IncDirs": _inc_dirs,
    "PubSet": _pub_set,
    "TestRunner": _null,
    "Message": _message,
    "Null": _null,
    "NotProvided": _not_provided,
}
_LOOKING = frozenset({"FileSet", "SetEnv"})  # their mementos say what they found
