"""A run directory that another run has filled: what succeeded there counts as done (section 35)."""

import os
from typing import Any

from dfm.engine import records
from dfm.errors import UsageError
from dfm.graph.node import Node


class Base:
    """Reads the records of a base run directory. Raises UsageError if there is none."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        if not os.path.isdir(self.path):
            raise UsageError(f"--base-rundir {path}: there is no such directory")

    def record(self, node: Node) -> dict[str, Any] | None:
        """That of a node which succeeded there, with its paths where they are now."""
        record = records.read(self.path, node)
        if record is None or record["result"]["status"] != 0:
            return None
        was = str(record.get("rundir", "")).removesuffix(f"/{node.rundir}")
        if was and was != self.path:
            for item in record["output"]["output"]:
                _move(item, was, self.path)
        return record


def _move(item: dict[str, Any], was: str, now: str) -> None:
    basedir = item.get("basedir")
    if isinstance(basedir, str) and (basedir == was or basedir.startswith(f"{was}/")):
        item["basedir"] = now + basedir.removeprefix(was)
