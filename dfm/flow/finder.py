"""Finds the flow files of packages, by name and by path (section 7)."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dfm.errors import FlowError, Place, UsageError
from dfm.flow import plugins
from dfm.flow.document import Document, Where
from dfm.flow.fields import Reader
from dfm.flow.find import CANDIDATES
from dfm.flow.package_map import Expand, read_map
from dfm.flow.reading import read


class Source(NamedTuple):
    """Where a package is said to be."""

    path: str  # absolute; a flow file, or a folder
    is_installed: bool = False  # by a plugin


class Finder:
    """What names of packages mean: pins, maps of flow files, maps of the command line and of the
    environment, plugins, DV_FLOW_PATH, in this order."""

    def __init__(self, reader: Reader, environ: Mapping[str, str], maps: Sequence[str]) -> None:
        """`maps` are those of the command line. Raises UsageError for one that is not there."""
        for file in maps:
            _check_map(file, "--package-map")
        self._reader = reader
        self._pins: dict[str, str] = {}
        self._maps: list[dict[str, str]] = []
        self._outer_maps: dict[str, str] | None = None  # read when they are wanted
        self._outer_files = [("--package-map", file) for file in maps]
        self._outer_files += [
            ("DV_FLOW_PACKAGE_MAP", file) for file in _paths(environ, "DV_FLOW_PACKAGE_MAP")
        ]
        self._folders = _paths(environ, "DV_FLOW_PATH")
        self._documents: dict[str, Document | None] = {}  # by their files, without links

    def pin(self, name: str, path: str) -> str | None:
        """Says where a package is; returns another place that was said before."""
        known = self._pins.setdefault(name, path)
        return None if known == path else known

    def add_map(self, file: str, where: Where, expand: Expand) -> None:
        """A map that a flow file names."""
        if not os.path.isfile(file):
            self._reader.problems.add(where, f"no package map {file}")
            return
        try:
            self._maps.append(read_map(self._reader, file, expand))
        except FlowError as error:
            self._reader.problems.take(error)

    def named(self, name: str, expand: Expand) -> Source | None:
        """The package of this name. Raises UsageError for a map that is not there."""
        for known in (self._pins, *self._maps):
            if name in known:
                return Source(known[name])
        if self._outer_maps is None:
            self._outer_maps = self._read_outer(expand)
        if name in self._outer_maps:
            return Source(self._outer_maps[name])
        brought = plugins.find().packages
        if name in brought:
            return Source(os.path.abspath(brought[name]), is_installed=True)
        for folder in self._folders:
            path = os.path.join(folder, name)
            if os.path.isdir(path):
                return Source(path)
        return None

    def names(self) -> list[str]:
        """All that are known; those of folders are not listed."""
        known = [*self._pins, *(name for one in self._maps for name in one)]
        return [*known, *(self._outer_maps or ()), *plugins.find().packages]

    def _read_outer(self, expand: Expand) -> dict[str, str]:
        found: dict[str, str] = {}
        for origin, file in self._outer_files:
            _check_map(file, origin)
            for name, path in read_map(self._reader, os.path.abspath(file), expand).items():
                found.setdefault(name, path)
        return found

    def package_at(self, path: str, where: Where) -> Document | None:
        """The flow file there, or in the folder there, or below it; None after the fault is said."""
        if not os.path.isdir(path):
            document = self._read(path, where)
            if document is not None and not _has_package(document):
                self._reader.problems.add(where, f"{path} is no package: it has no `package:`")
                return None
            return document
        level = [path]
        while level:
            found = [document for folder in level if (document := self._in(folder, where))]
            if found:
                if len(found) > 1:
                    others = ", ".join(document.file for document in found[1:])
                    what = f"{found[0].file} is taken; there are also {others}"
                    self._reader.problems.warn(where, what)
                return found[0]
            if any(self._is_unreadable(folder) for folder in level):
                return None  # it was said
            level = [inner for folder in level for inner in _folders_in(folder)]
        self._reader.problems.add(where, f"no package in {path} or below it")
        return None

    def _in(self, folder: str, where: Where) -> Document | None:
        for name in CANDIDATES:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                document = self._read(path, where)
                if document is not None and _has_package(document):
                    return document
        return None

    def _is_unreadable(self, folder: str) -> bool:
        files = (os.path.realpath(os.path.join(folder, name)) for name in CANDIDATES)
        return any(self._documents.get(file, self) is None for file in files)

    def _read(self, path: str, where: Where) -> Document | None:
        real = os.path.realpath(path)
        if real not in self._documents:
            try:
                self._documents[real] = read(path)
            except FlowError as error:
                if error.problems[0].place == Place(path):  # not of the text
                    self._reader.problems.add(where, f"{path}: {error.problems[0].what}")
                else:
                    self._reader.problems.take(error)
                self._documents[real] = None
        return self._documents[real]

    def take(self, document: Document) -> None:
        """A flow file that was read already."""
        self._documents[os.path.realpath(document.file)] = document


def _paths(environ: Mapping[str, str], name: str) -> list[str]:
    return [os.path.abspath(path) for path in environ.get(name, "").split(":") if path]


def _check_map(file: str, origin: str) -> None:
    if not os.path.isfile(file):
        raise UsageError(f"no package map {file}", hint=f"{origin} names it")


def _has_package(document: Document) -> bool:
    return isinstance(document.data, dict) and "package" in document.data


def _folders_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.path
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []
