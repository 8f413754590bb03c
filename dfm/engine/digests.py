"""Digests of file contents, and of the names that Verilog files include, kept between runs.

A file is read again when its size or one of its times has changed. `rundir/cache/digests.json` is a
cache: it may be deleted at any time.
"""

import hashlib
import json
import os
import time
from typing import Any, NamedTuple

from dfm.engine.records import write_whole
from dfm.engine.verilog import included_names

_CHUNK = 1 << 20
_RACY_NS = 2_000_000_000  # a file younger than this may change once more within its time stamp
_MISSING, _FOLDER = "missing", "folder"


class Known(NamedTuple):
    """What is known of a file, as long as `stamp` is what its status says."""

    stamp: list[int]
    digest: str
    includes: list[str] | None  # None: not looked for


class Digests:
    """Digests of files, read when they are wanted and not known."""

    def __init__(self, rundir: str) -> None:
        self._file = f"{rundir}/cache/digests.json"
        self._known: dict[str, Known] = {}
        self._is_loaded = False
        self._has_changed = False

    def of(self, path: str) -> str:
        """The digest of a file's content, in hexadecimal; a word for what has none."""
        known = self._look(path, includes=False)
        return known if isinstance(known, str) else known.digest

    def includes(self, path: str) -> list[str] | None:
        """The names that a Verilog file includes; None if there is no such file."""
        known = self._look(path, includes=True)
        return None if isinstance(known, str) else known.includes

    def save(self) -> None:
        """Keeps what is known for the next run; a disk that is full costs the next run some time."""
        if not self._has_changed:
            return
        oldest = time.time_ns() - _RACY_NS
        settled = {
            path: known for path, known in self._known.items() if max(known.stamp[1:3]) < oldest
        }
        try:
            write_whole(self._file, json.dumps(settled).encode(errors="surrogateescape"))
        except (OSError, ValueError):
            pass

    def _look(self, path: str, *, includes: bool) -> Known | str:
        try:
            status = os.stat(path)
        except OSError:
            return _MISSING
        if status.st_mode & 0o170000 == 0o040000:
            return _FOLDER
        stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        self._load()
        known = self._known.get(path)
        if known is None or known.stamp != stamp or (includes and known.includes is None):
            try:
                known = _read(path, stamp, includes=includes)
            except OSError:
                return _MISSING
            self._known[path] = known
            self._has_changed = True
        return known

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True
        try:
            with open(self._file, "rb") as file:
                data: Any = json.loads(file.read())
            self._known = {path: Known(*known) for path, known in data.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._known = {}


def _read(path: str, stamp: list[int], *, includes: bool) -> Known:
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        if includes:
            text = file.read()
            digest.update(text)
            return Known(stamp, digest.hexdigest(), included_names(text))
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return Known(stamp, digest.hexdigest(), None)
