"""What a run takes from the cache and puts into it: the part that knows a node's inputs."""

from typing import TYPE_CHECKING

from dfm.engine.freshness import Freshness
from dfm.engine.incoming import View
from dfm.engine.outcome import Observer
from dfm.engine.records import Result
from dfm.graph.dataflow import inputs_of
from dfm.graph.node import Node

if TYPE_CHECKING:  # archives and temporary folders: few runs have a cache
    from dfm.engine.cache import Cache, Hit


class Caching:
    """Without a cache, nothing is there and nothing is kept."""

    def __init__(
        self, cache: "Cache | None", rundir: str, freshness: Freshness, observer: Observer
    ) -> None:
        self._cache = cache
        self._rundir = rundir
        self._freshness = freshness
        self._observer = observer

    def has(self, node: Node, view: View) -> bool:
        if self._cache is None or not _takes_part(node):
            return False
        return self._cache.has(node, self._key(self._cache, node, view))

    def restore(self, node: Node, view: View) -> "Hit | None":
        """Puts what is kept into the node's run directory; None if it cannot be read after all."""
        assert self._cache is not None
        key = self._key(self._cache, node, view)
        return self._cache.restore(node, key, f"{self._rundir}/{node.rundir}")

    def keep(self, node: Node, view: View, result: Result) -> None:
        """A task was executed."""
        if self._cache is None or not _takes_part(node) or result.status:
            return
        try:
            key = self._key(self._cache, node, view)
            self._cache.store(node, key, f"{self._rundir}/{node.rundir}", result)
        except OSError as error:
            self._observer.notice(f"cannot keep {node.name} in the cache: {error}")

    def _key(self, cache: "Cache", node: Node, view: View) -> str:
        wanted = {item.identity for item in inputs_of(node, view.items)}
        pairs = zip(view.items.items, view.signature(), strict=True)
        consumed = [signature for item, signature in pairs if item.identity in wanted]
        return cache.key(node, consumed, self._freshness.run_hash(node))


def _takes_part(node: Node) -> bool:
    return node.cache is not None and not node.inherits_rundir
