"""Names of executions: a record says which execution of each need its node has seen."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any


class Executions:
    """Those of one run."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(8)
        self._last = 0

    def name(self, record: Mapping[str, Any] | None, *, changed: bool) -> str:
        """A new name for an execution that changed something, else the name of the last that did,
        which the record has."""
        before: str = record.get("execution", "") if record else ""
        if before and not changed:
            return before
        self._last += 1
        return f"{self._run}-{self._last}"


def digest(executions: Mapping[str, str]) -> str:
    """One name for the executions of all needs; empty if there are none."""
    if not executions:
        return ""
    text = " ".join(executions.values())
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
