"""What runs are told about the workers that there are."""

from collections.abc import Collection, Iterable

from dfm_daemon.core import actions as do
from dfm_daemon.core.actions import Action
from dfm_daemon.core.state import Pool, RunId


class News:
    """Tells each run when it joins, and all of them each change once."""

    def __init__(self) -> None:
        self._told = (0, 0, "", "")  # to all runs but the newcomers
        self._newcomers: list[RunId] = []

    def welcome(self, run: RunId) -> None:
        self._newcomers.append(run)

    def tell(self, runs: Collection[RunId], pools: Collection[Pool]) -> Iterable[Action]:
        serving = sum(pool.serving for pool in pools)
        coming = sum(pool.coming for pool in pools)
        problem = next((pool.last_error for pool in pools if pool.last_error), "")
        waits = ""
        if coming and not serving:
            waits = next((pool.pend_reason for pool in pools if pool.pend_reason), "")
        newcomers, self._newcomers = self._newcomers, []
        if (serving, coming, problem, waits) != self._told:
            self._told = (serving, coming, problem, waits)
            newcomers = list(runs)
        for run in dict.fromkeys(newcomers):
            if run in runs:
                yield do.TellWorkers(run, serving, coming, problem, waits)
