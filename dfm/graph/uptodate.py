"""Whether a node is up to date by its record: pure (section 33).

Beside upstream's rules a record says which execution of each need it has seen. A need that executed
again and changed, in this run or in one that was interrupted before the node could follow, makes
the node stale, whatever its items look like.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dfm.graph.node import Node


class Facts(NamedTuple):
    """What is true of a node now, to be held against what its record says."""

    signature: Sequence[Mapping[str, Any]]  # of all incoming items: src, seq, type, hash
    run_hash: str  # "": nothing to compare
    executions: Mapping[str, str]  # of its needs, by name: the last one that changed anything


def why_stale(node: Node, record: Mapping[str, Any] | None, facts: Facts) -> str | None:
    """Why the record does not make this node up to date, in words for its user; None if it does."""
    if node.uptodate is False:
        return "it always runs"
    if record is None:
        return "it has no record"
    if record["result"]["status"] != 0:
        return "it failed the last time"
    seen = record.get("needs_executions", {})
    for need, execution in facts.executions.items():
        if seen.get(need, execution) != execution:
            return f"{need} has changed"
    if record["params"] != node.params:
        return "its parameters have changed"
    if record["inputs_signature"] != list(facts.signature):
        return "what comes in has changed"
    if facts.run_hash and record.get("run_hash", facts.run_hash) != facts.run_hash:
        return "its script has changed"
    return None
