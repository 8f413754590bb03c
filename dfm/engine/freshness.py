"""Whether a node has to be executed: its record, its products and its script against what is now
(section 33)."""

import functools
import os
import sys
from typing import Any

from dfm.engine import library, records
from dfm.engine.digests import Digests
from dfm.engine.incoming import View
from dfm.engine.signatures import FILE_SET, texts
from dfm.graph.node import Compound, Library, Node, Script
from dfm.graph.uptodate import Facts, why_stale


class Freshness:
    """Looks at the records of one run directory."""

    def __init__(self, rundir: str, digests: Digests, *, force: bool) -> None:
        self._rundir = rundir
        self._digests = digests
        self._force = force

    def record(self, node: Node) -> dict[str, Any] | None:
        """What is known of the node's last execution; nothing if that is not to count."""
        return None if self._force else records.read(self._rundir, node)

    def why_stale(self, node: Node, view: View, record: dict[str, Any] | None) -> str | None:
        """Why the node has to be executed; None if it is up to date, but for what its own
        `uptodate` function may say."""
        if record is None:
            return "it has no record"
        facts = Facts(view.signature(), self.run_hash(node), view.executions)
        reason = why_stale(node, record, facts)
        if reason is not None:
            return reason
        work = node.work
        if isinstance(work, Library) and not library.is_current(work.function, node, record):
            return "the files that it finds have changed"
        if not _products_exist(record, node.name):
            return "a product of it is gone"
        return None

    def run_hash(self, node: Node) -> str:
        """Of what the node runs; empty if there is nothing that could change."""
        match node.work:
            case Script() as script:
                return self._script_hash(script)
            case Compound(on_error=Script() as script):
                return self._script_hash(script)
            case Library(function):
                return f"{function} {library.VERSION}"
            case _:
                return ""

    def _script_hash(self, script: Script) -> str:
        if script.language != "python":
            return script.run_hash
        file = python_file(script)
        return f"{script.run_hash} {self._digests.of(file)}" if file else script.run_hash


def _products_exist(record: dict[str, Any], name: str) -> bool:
    for item in records.own_items(record, name):
        if item["type"] == FILE_SET:
            base = str(item.get("basedir") or "")
            if not all(
                os.path.exists(os.path.join(base, file)) for file in texts(item.get("files"))
            ):
                return False
    return True


def python_file(script: Script) -> str | None:
    """The file that holds the function of a Python task; None for a body, or if there is none."""
    line = script.text.strip()
    if "\n" in line or " " in line or "(" in line:
        return None
    if "::" in line:
        return os.path.join(script.srcdir, line.rpartition("::")[0])
    module = line.partition(":")[0] if ":" in line else line.rpartition(".")[0]
    return _file_of_module(module, script.srcdir)


@functools.lru_cache(1024)
def _file_of_module(module: str, srcdir: str) -> str | None:
    """As the task's process finds it: the flow file's directory leads the path."""
    inside = module.replace(".", "/")
    for folder in (srcdir, *sys.path):
        for file in (f"{folder}/{inside}.py", f"{folder}/{inside}/__init__.py"):
            if os.path.isfile(file):
                return file
    return None
