"""Which nodes this run has in hand, and which it has to wait for because another run has them."""

from dfm.engine.locks import Locks
from dfm.engine.outcome import Observer
from dfm.graph.node import Node


class Claims:
    """The locks of one run, by node."""

    def __init__(self, rundir: str, observer: Observer) -> None:
        """Makes the run directory. Raises RunnerError if it cannot be written."""
        self._locks = Locks(rundir)
        self._observer = observer
        self._blocked: list[int] = []  # nodes that another run holds
        self._holders: dict[int, int] = {}  # of a node that was blocked: the pid of that run

    def begin(self) -> None:
        if not self._locks.work:
            self._observer.notice(
                "this file system has no locks: two runs in one folder may execute a task both"
            )

    def take(self, node: Node) -> bool:
        """Whether this run has the node now; if not, the node is blocked."""
        holder = self._locks.take(_key(node))
        if holder is None:
            return True
        if self._holders.get(node.number) != holder:
            self._observer.notice(f"{node.name} waits for another run in this folder, pid {holder}")
        self._holders[node.number] = holder
        self._blocked.append(node.number)
        return False

    def may_be_news(self, node: Node) -> bool:
        """Whether another run may have executed a node just before this run took it."""
        return self._holders.pop(node.number, None) is not None or self._locks.others_run()

    def release(self, node: Node) -> None:
        self._locks.release(_key(node))

    def is_blocked(self) -> bool:
        return bool(self._blocked)

    def take_blocked(self) -> list[int]:
        """The nodes to be tried again."""
        blocked, self._blocked = self._blocked, []
        return blocked

    def close(self) -> None:
        self._locks.close()


def _key(node: Node) -> str:
    return f"{node.rundir}/{node.name}"
