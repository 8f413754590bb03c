"""Puts files into the output directory of a run, `rundir/out/<run-id>`, and writes down whose they are
(section 31.6 of the language). Tasks on several hosts may do so at the same time."""

import fcntl
import fnmatch
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MANIFEST = ".dfm-publish.json"
SCHEMA = "dvflow-publish/1"
_LOCK, _LATEST = ".lock", "latest"
_BLOCK = 1 << 20


class Source(NamedTuple):
    """A set of files that is to be published."""

    task: str  # that made it
    basedir: str
    files: Sequence[str]
    filetype: str = ""
    dest: str = ""  # below the output directory
    strip: int = 0
    flatten: bool = False


@dataclass
class Published:
    """What came of it. `files` are relative to the output directory."""

    files: list[str] = field(default_factory=list)
    markers: list[tuple[str, str]] = field(default_factory=list)  # severity and message
    has_failed: bool = False

    def fail(self, message: str) -> None:
        self.has_failed = True
        self.markers.append(("error", message))


class Publisher:
    """Publishes for one task."""

    def __init__(self, out_dir: str, run_id: str, task: str, on_conflict: str = "error") -> None:
        self._out = out_dir
        self._run_id = run_id
        self._task = task
        self._on_conflict = on_conflict

    def publish(self, sources: Sequence[Source], include: Sequence[str] = ()) -> Published:
        """Copies the files of these sets, those that match one of the patterns `include` if there are
        any. Raises OSError for an output directory that cannot be written."""
        done = Published()
        wanted = [
            (source, file)
            for source in sources
            for file in source.files
            if not include or any(fnmatch.fnmatchcase(file, pattern) for pattern in include)
        ]
        if not wanted:
            return done
        os.makedirs(self._out, exist_ok=True)
        with _locked(os.path.join(os.path.dirname(self._out), _LOCK)):
            self._point_at_latest()
            entries = self._read()
            for source, file in wanted:
                self._one(source, file, entries, done)
            self._write(entries)
        return done

    def _one(self, source: Source, file: str, entries: dict[str, Any], done: Published) -> None:
        origin = os.path.join(source.basedir, file)
        path = destination(source, file)
        if path is None:
            done.fail(f"{origin}: its place would not be in the output directory")
            return
        place = os.path.join(self._out, path)
        try:
            digest, size = _digest(origin)
            if os.path.exists(place):
                if _digest(place)[0] == digest:
                    done.files.append(path)
                    return
                if not self._settle(path, origin, entries, done):
                    return
            _copy(origin, place)
        except OSError as error:
            done.fail(f"cannot publish {error.filename or origin}: {error.strerror}")
            return
        done.files.append(path)
        entries[path] = {
            "publish_task": self._task,
            "src_task": source.task,
            "src_path": origin,
            "src_basedir": source.basedir,
            "filetype": source.filetype,
            "sha256": digest,
            "bytes": size,
        }

    def _settle(self, path: str, origin: str, entries: dict[str, Any], done: Published) -> bool:
        """What is to become of a file that is there with another content: whether to replace it."""
        first = entries.get(path, {}).get("src_path", "another file")
        what = f"{path} is there already, from {first}; {origin} differs"
        match self._on_conflict:
            case "replace":
                done.markers.append(("warning", f"{what}, and replaces it"))
                return True
            case "warn":
                done.markers.append(("warning", f"{what}, and is left out"))
            case "skip":
                done.markers.append(("info", f"{what}, and is left out"))
            case _:
                done.fail(what)
        return False

    def _point_at_latest(self) -> None:
        """`out/latest` is a link to the run that published last."""
        link = os.path.join(os.path.dirname(self._out), _LATEST)
        name = os.path.basename(self._out)
        if os.path.islink(link) and os.readlink(link) == name:
            return
        temporary = f"{link}.{os.getpid()}"
        os.symlink(name, temporary)
        os.replace(temporary, link)

    def _read(self) -> dict[str, Any]:
        try:
            with open(os.path.join(self._out, MANIFEST)) as file:
                entries = json.load(file)["entries"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def _write(self, entries: dict[str, Any]) -> None:
        manifest = {"schema": SCHEMA, "run_id": self._run_id, "entries": entries}
        place = os.path.join(self._out, MANIFEST)
        temporary = f"{place}.{os.getpid()}"
        with open(temporary, "w") as file:
            json.dump(manifest, file, indent=1, sort_keys=True)
        os.replace(temporary, place)


def destination(source: Source, file: str) -> str | None:
    """Where a file goes, relative to the output directory; None if that is not inside of it."""
    name = file
    if os.path.isabs(file):
        inside = os.path.relpath(file, source.basedir)
        name = os.path.basename(file) if inside.startswith("..") else inside
    parts = os.path.normpath(name).split("/")
    if source.flatten:
        parts = parts[-1:]
    elif source.strip > 0:
        parts = parts[min(source.strip, len(parts) - 1) :]
    elif source.strip < 0:
        parts = [*os.path.normpath(source.basedir).strip("/").split("/")[source.strip :], *parts]
    path = os.path.normpath(os.path.join(source.dest, *parts))
    return None if path == ".." or path.startswith(("../", "/")) else path


@contextmanager
def _locked(path: str) -> Iterator[None]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX)  # also between hosts
        yield
    finally:
        os.close(fd)


def _digest(path: str) -> tuple[str, int]:
    made, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            made.update(block)
            size += len(block)
    return made.hexdigest(), size


def _copy(origin: str, place: str) -> None:
    """Whoever reads the place sees a whole file."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    temporary = f"{place}.{os.getpid()}.part"
    try:
        shutil.copy2(origin, temporary)
        os.replace(temporary, place)
    except OSError:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
