"""The fragments of a package: more files of it (section 6)."""

import os
from collections import deque
from collections.abc import Iterable, Iterator

from dfm.errors import FlowError
from dfm.flow.declarations import Context, Listed, Package
from dfm.flow.document import Document, Where, describe
from dfm.flow.fields import Reader
from dfm.flow.find import CANDIDATES
from dfm.flow.language import FRAGMENT
from dfm.flow.parse_contents import read_contents
from dfm.flow.reading import read


def add_fragments(reader: Reader, package: Package, paths: Iterable[Listed]) -> None:
    """Reads fragments and those that they list, each file once."""
    todo = deque(paths)
    while todo:
        for document in _documents(reader, todo.popleft(), package):
            todo += _add(reader, document, package)


def _documents(reader: Reader, entry: Listed, package: Package) -> Iterator[Document]:
    """The fragments that a path stands for."""
    path = os.path.normpath(os.path.join(entry.folder, entry.path))
    if os.path.isdir(path):
        files = list(_below(path))
    elif os.path.exists(path):
        files = [path]
    else:
        reader.problems.add(entry.where, f"no fragment `{entry.path}`: there is no {path}")
        return
    for file in files:
        if os.path.realpath(file) in package.files:
            continue
        try:
            document = read(file)
        except FlowError as error:
            reader.problems.take(error)
            continue
        if isinstance(document.data, dict) and "fragment" in document.data:
            package.files.add(os.path.realpath(file))
            yield document
        elif file == path:
            what = f"`{entry.path}` is no fragment: there is no `fragment:` in it"
            reader.problems.add(entry.where, what)
        else:
            reader.problems.warn(entry.where, f"{file} is no fragment, and is passed over")


def _below(folder: str) -> Iterator[str]:
    """The flow files of a folder and of those in it, in the order of their names."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        yield from (os.path.join(place, name) for name in CANDIDATES if name in files)


def _add(reader: Reader, document: Document, package: Package) -> list[Listed]:
    """Takes what a fragment declares into the package; returns the fragments that it lists."""
    assert isinstance(document.data, dict), "it was looked at"
    where = Where(document, ("fragment",))
    fields = document.data["fragment"]
    if not isinstance(fields, dict):
        if fields is not None:
            reader.problems.add(where, f"`fragment` must be a map, not {describe(fields)}")
        return []
    reader.only_known(where, fields, FRAGMENT, "a fragment")
    full_name = ""
    if "name" in fields:
        name = reader.name(where.at("name"), fields["name"])
        if name in package.fragments:
            reader.problems.add(
                where.at("name"), f"fragment `{name}` of package {package.name} is there twice",
                hint=f"first at {package.fragments[name].place()}",
            )  # fmt: skip
        elif name:
            package.fragments[name] = where.at("name")
        full_name = f"{package.name}.{name}" if name else ""
    context = Context(package.name, document.directory, full_name, package.context.base)
    return read_contents(reader, where, fields, package, context)
