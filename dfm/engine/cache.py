"""A store of finished tasks that survives run directories, and may be shared (section 34).

CACHE/TASK/KEY holds one result: what the task emitted, and what its run directory held. An entry is made
beside its place and renamed there: whoever sees it sees all of it, and of two writers the first wins.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dfm.engine.records import Result
from dfm.engine.signatures import FILE_SET
from dfm.graph.names import file_name
from dfm.graph.node import Node
from dfm.graph.values import Fields
from dfm.wire.files import record_name, script_name

MARKER = ".cache_config.yaml"
_RUNDIR = "${{ rundir }}"  # stands for the run directory in what is stored
_OURS = ("dfm.params.json", "dfm.inputs.json", "dfm.memento.json", "dfm.output.jsonl", "dfm.env",
         "dfm.path", "dfm.markers.jsonl", "dfm.memento.out.json")  # fmt: skip
_ARCHIVES = {"gzip": ("artifacts.tar.gz", "w:gz"), "bzip2": ("artifacts.tar.bz2", "w:bz2")}


class Store(NamedTuple):
    """One directory of a cache."""

    path: str
    is_writable: bool = True


class Hit(NamedTuple):
    """What was found, and has been put into the run directory."""

    items: list[Fields]
    memento: Any


class Cache:
    """Several stores, tried in their order; the first that is writable takes what is new."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores

    def key(self, node: Node, consumed: Iterable[Any], run_hash: str) -> str:
        """Of all that the result depends on. `consumed` are the signatures of what it reads."""
        assert node.cache is not None
        inputs = [[item["type"], item["hash"]] for item in consumed]
        parts = [node.name, node.params, inputs, list(node.cache.values), run_hash]
        text = json.dumps(parts, sort_keys=True).encode(errors="surrogateescape")
        return hashlib.sha256(text).hexdigest()[:40]

    def has(self, node: Node, key: str) -> bool:
        return self._find(node, key) is not None

    def restore(self, node: Node, key: str, folder: str) -> Hit | None:
        """Puts an entry into the run directory; None if there is none, or none that can be read."""
        entry = self._find(node, key)
        if entry is None:
            return None
        try:
            with open(f"{entry}/output.json", encoding="utf-8") as file:
                stored = json.load(file)
            _unpack(f"{entry}/artifacts", folder)
            return Hit(_replaced(stored["output"], _RUNDIR, folder), stored["memento"])
        except (OSError, ValueError, KeyError, tarfile.TarError):
            return None

    def store(self, node: Node, key: str, folder: str, result: Result) -> None:
        """Keeps a result, if all file sets that the task itself emits lie in its run directory.

        Raises OSError.
        """
        place = next((store.path for store in self._stores if store.is_writable), None)
        if place is None or not _is_inside(result.items, folder) or node.cache is None:
            return
        home = f"{place}/{_name(node)}"
        os.makedirs(home, exist_ok=True)
        made = tempfile.mkdtemp(prefix=".new-", dir=home)
        try:
            _pack(folder, node.file_stem, f"{made}/artifacts", node.cache.compression)
            items = _replaced(list(result.items), folder, _RUNDIR)
            _dump(f"{made}/output.json", {"output": items, "memento": result.memento})
            _dump(f"{made}/metadata.json", {"task": node.name, "key": key, "time": time.time()})
            _dump(f"{made}/.lock", None)
            _open_to_others(made, is_shared=_is_shared(place))
            os.rename(made, f"{home}/{key}")
        except OSError:
            if not os.path.isdir(f"{home}/{key}"):  # else somebody else has stored the same
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _find(self, node: Node, key: str) -> str | None:
        for store in self._stores:
            entry = f"{store.path}/{_name(node)}/{key}"
            if os.path.isfile(f"{entry}/output.json"):
                return entry
        return None


def _name(node: Node) -> str:
    return file_name(node.name)


def _is_inside(items: Iterable[Fields], folder: str) -> bool:
    bases = (str(item.get("basedir") or "") for item in items if item.get("type") == FILE_SET)
    return all(base == folder or base.startswith(f"{folder}/") for base in bases)


def _replaced(value: Any, old: str, new: str) -> Any:
    """With one path put for another in all texts."""
    if isinstance(value, str):
        is_there = value == old or f"{old}/" in value
        return value.replace(old, new) if is_there else value
    if isinstance(value, list):
        return [_replaced(element, old, new) for element in value]
    if isinstance(value, dict):
        return {key: _replaced(element, old, new) for key, element in value.items()}
    return value


def _pack(folder: str, stem: str, place: str, compression: str) -> None:
    """All that the task left but what dfm puts there itself."""
    kept = {*_OURS, record_name(stem), script_name(stem)}
    if compression not in _ARCHIVES:
        shutil.copytree(
            folder, place, symlinks=True,
            ignore=lambda of, names: kept.intersection(names) if of == folder else (),
        )  # fmt: skip
        return
    os.mkdir(place)
    file, mode = _ARCHIVES[compression]
    with tarfile.open(f"{place}/{file}", mode) as archive:  # type: ignore[call-overload]
        for one in sorted(set(os.listdir(folder)) - kept):
            archive.add(f"{folder}/{one}", arcname=one)


def _unpack(place: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    for file, _ in _ARCHIVES.values():
        if os.path.isfile(f"{place}/{file}"):
            with tarfile.open(f"{place}/{file}") as archive:
                archive.extractall(folder, filter="tar")
            return
    with os.scandir(place) as found:
        for one in found:
            _put(one, f"{folder}/{one.name}")


def _put(one: "os.DirEntry[str]", target: str) -> None:
    if os.path.islink(target) or os.path.isfile(target):
        os.remove(target)
    if one.is_dir(follow_symlinks=False):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(one.path, target, symlinks=True)
    else:
        shutil.copy2(one.path, target, follow_symlinks=False)


def _dump(path: str, value: Any) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        if value is not None:
            json.dump(value, file)


def _is_shared(place: str) -> bool:
    try:
        with open(f"{place}/{MARKER}", encoding="utf-8") as file:
            return "shared: true" in file.read()
    except OSError:
        return False


def _open_to_others(folder: str, *, is_shared: bool) -> None:
    """As the user's umask has it; of a shared cache, for the group."""
    mask = os.umask(0o077)
    os.umask(mask)
    os.chmod(folder, 0o2775 if is_shared else 0o777 & ~mask)
    if not is_shared:
        return
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                at = f"{path}/{name}"
                if not os.path.islink(at):
                    mode = os.stat(at).st_mode & 0o7777
                    os.chmod(at, mode | (0o2070 if name in folders else 0o060))
