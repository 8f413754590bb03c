"""Counted tokens that all runs share, licences mostly: a task holds them while a worker has it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from dfm_daemon.core.state import RunId

Tokens = tuple[tuple[str, int], ...]  # how many of each name


class Limits:
    """How many tokens there are, and who holds how many."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self.totals = dict(totals)
        self.used = dict.fromkeys(totals, 0)
        self._holders: dict[str, Counter[RunId]] = {name: Counter() for name in totals}

    def unmeetable(self, tokens: Tokens) -> str | None:
        """Why a task that wants these can never have them; None if it can."""
        for name, count in tokens:
            if name not in self.totals:
                known = ", ".join(sorted(self.totals)) or "none"
                return f"the daemon knows no limit `{name}` (known: {known})"
            if count > self.totals[name]:
                return f"it wants {count} of `{name}`, of which there are {self.totals[name]}"
        return None

    def short(self, tokens: Tokens) -> list[str]:
        """The names of which there are not enough now."""
        return [name for name, count in tokens if self.used[name] + count > self.totals[name]]

    def take(self, run: RunId, tokens: Tokens) -> None:
        for name, count in tokens:
            self.used[name] += count
            self._holders[name][run] += count

    def give_back(self, run: RunId, tokens: Tokens) -> None:
        for name, count in tokens:
            self.used[name] -= count
            self._holders[name][run] -= count
            if not self._holders[name][run]:
                del self._holders[name][run]

    def holders(self, name: str) -> Mapping[RunId, int]:
        """Which runs hold how many tokens of a name."""
        return self._holders[name]

    def check(self, held: Iterable[tuple[RunId, Tokens]]) -> None:
        """Asserts that what is used is what tasks that a worker has (`held`) hold."""
        used: Counter[tuple[str, RunId]] = Counter()
        for run, tokens in held:
            used.update({(name, run): count for name, count in tokens})
        for name, holders in self._holders.items():
            assert self.used[name] == sum(holders.values()), name
            assert all(used[name, run] == count for run, count in holders.items()), name
            assert self.used[name] == sum(n for (of, _), n in used.items() if of == name), name
