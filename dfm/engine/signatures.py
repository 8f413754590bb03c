"""The signature of what comes in to a node: its items with a digest of each one's content (33.5)."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from dfm.engine import verilog
from dfm.engine.digests import Digests
from dfm.graph.dataflow import Item
from dfm.graph.values import Fields, Value

FILE_SET = "std.FileSet"
_HASHED = ("filetype", "files", "incdirs", "defines", "attributes", "params")
_MADE_BY_DFM = frozenset({"src", "seq"})


class Signatures:
    """Signs items. An item is hashed once, but for Verilog file sets: what they include is looked
    for in all file sets that come in with them."""

    def __init__(self, digests: Digests) -> None:
        self._digests = digests
        self._of_items: dict[tuple[int, int], str] = {}

    def of(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        """{src, seq, type, hash} of each item, in order."""
        folders: list[str] | None = None
        signature = []
        for item in items:
            digest = self._of_items.get(item.identity)
            if digest is None:
                if _is_verilog(item):
                    if folders is None:
                        folders = list(dict.fromkeys(_include_folders(items)))
                    digest = self._digest_of_verilog(item.fields, folders)
                else:
                    digest = self._of_items[item.identity] = self._digest(item)
            fields = item.fields
            signature.append(
                {"src": fields["src"], "seq": fields["seq"], "type": item.type, "hash": digest}
            )
        return signature

    def _digest(self, item: Item) -> str:
        if item.type == FILE_SET:
            return self._digest_of_files(item.fields, _paths(item.fields))
        content = {key: value for key, value in item.fields.items() if key not in _MADE_BY_DFM}
        return _hash([json.dumps(content, sort_keys=True)])

    def _digest_of_verilog(self, fields: Fields, folders: list[str]) -> str:
        files = _paths(fields)
        own = list(_folders(fields))
        reached = verilog.follow(files, [*own, *folders], self._digests.includes)
        return self._digest_of_files(fields, [*files, *sorted(reached)])

    def _digest_of_files(self, fields: Fields, files: Iterable[str]) -> str:
        head = json.dumps({key: fields.get(key) for key in _HASHED}, sort_keys=True)
        return _hash([head, *(self._digests.of(path) for path in files)])


def _hash(parts: Iterable[str]) -> str:
    text = "\n".join(parts).encode(errors="surrogateescape")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _is_verilog(item: Item) -> bool:
    return item.type == FILE_SET and item.fields.get("filetype") in verilog.FILETYPES


def texts(value: Value) -> list[str]:
    """A field that is a list of texts, or one text."""
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [element for element in value if isinstance(element, str)]
    return []


def _paths(fields: Fields) -> list[str]:
    """Paths of all files of a file set."""
    base = str(fields.get("basedir") or "")
    return [_below(base, name) for name in texts(fields.get("files"))]


def _folders(fields: Fields) -> list[str]:
    """Paths of the include directories of a file set."""
    base = str(fields.get("basedir") or "")
    return [_below(base, name) for name in texts(fields.get("incdirs"))]


def _below(base: str, name: str) -> str:
    return name if name.startswith("/") or not base else f"{base}/{name}"


def _include_folders(items: Iterable[Item]) -> Iterable[str]:
    """Where the file sets that come in have their headers."""
    for item in items:
        filetype = item.fields.get("filetype")
        if item.type != FILE_SET or (
            filetype not in verilog.FILETYPES and filetype != verilog.INCDIR_TYPE
        ):
            continue
        folders = _folders(item.fields)
        if not folders and filetype in verilog.INCLUDE_TYPES:
            folders = [str(item.fields.get("basedir") or "")]
        yield from folders
