"""The jobs of all runners that the daemon has pools for: its own, and those that runs have asked for.

A runner takes its settings when it is made, so there is one for each set of options that runs give.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dfm.config.config import Config
from dfm.config.options import apply_options
from dfm.config.selection import Selection
from dfm.errors import DfmError, RunnerError
from dfm.runners.abandoned import end_submissions
from dfm.runners.base import Runner, WorkerRequest
from dfm.runners.registry import choose, make
from dfm_daemon.core import events
from dfm_daemon.core.events import Event
from dfm_daemon.core.settings import Survivor
from dfm_daemon.core.state import Shape, WorkerName
from dfm_daemon.shell.jobs import Jobs
from dfm_daemon.shell.journal import Journal

log = logging.getLogger(__name__)

_Kind = tuple[str, tuple[tuple[str, str], ...]]  # of a runner: its name and its options


class Fleet:
    """Which runner has which worker's job. What happens to jobs goes to `tell`."""

    def __init__(
        self,
        config: Config,
        own: tuple[str, Runner],
        group: asyncio.TaskGroup,
        tell: Callable[[Event], None],
        journal: Journal,
        log_folder: str,
    ) -> None:
        self._config = config
        self._own, runner = own
        self._group = group
        self._tell = tell
        self._journal = journal
        self._log_folder = log_folder
        self._of_runners: dict[_Kind, Jobs] = {
            (self._own, ()): Jobs(runner, group, self._forward, journal)
        }
        self._of_workers: dict[WorkerName, Jobs] = {}

    def launch(self, shape: Shape, requests: Sequence[WorkerRequest]) -> None:
        names = tuple(WorkerName(request.worker) for request in requests)
        try:
            jobs = self._jobs(shape)
        except DfmError as error:
            self._journal.over(names)
            self._tell(events.LaunchFailed(names, str(error)))
            return
        self._of_workers.update(dict.fromkeys(names, jobs))
        jobs.launch(requests)

    async def take_over(self, survivors: Iterable[Survivor]) -> list[Survivor]:
        """The jobs that a daemon before this one has submitted, with those of which it was not told."""
        found: list[Survivor] = []
        for survivor in survivors:
            try:
                self._of_workers[survivor.name] = self._jobs(survivor.shape)
            except DfmError as error:
                log.warning("worker=%s cannot be asked about: %s", survivor.name, error)
            found.append(survivor)
        if any(not survivor.job for survivor in found):
            end_submissions(self._journal.mark)
        unknown = await self._find([survivor for survivor in found if not survivor.job])
        found = [
            replace(survivor, job=survivor.job or unknown.get(survivor.name, ""))
            for survivor in found
        ]
        for survivor in found:
            if survivor.job:
                self.adopt(survivor.name, survivor.job)
        return found

    async def _find(self, survivors: Sequence[Survivor]) -> dict[WorkerName, str]:
        found: dict[WorkerName, str] = {}
        for jobs in self._of_runners.values():
            names = [s.name for s in survivors if self._of_workers.get(s.name) is jobs]
            found.update(await jobs.find(names))
        if found:
            self._journal.launched_as(list(found), list(found.values()))
            self._journal.flush()
        return found

    def adopt(self, worker: WorkerName, job: str) -> None:
        """The job of a worker whose submission was never confirmed."""
        jobs = self._of_workers.get(worker)
        if jobs is not None:
            jobs.adopt(worker, job, self._log_folder)

    def watch(self, worker: WorkerName) -> None:
        if worker in self._of_workers:
            self._of_workers[worker].watch(worker)

    def trust(self, worker: WorkerName) -> None:
        if worker in self._of_workers:
            self._of_workers[worker].trust(worker)

    def ask_end(self, worker: WorkerName) -> None:
        if worker in self._of_workers:
            self._of_workers[worker].ask_end(worker)

    def end(self, worker: WorkerName) -> None:
        jobs = self._of_workers.get(worker)
        if jobs is not None:
            jobs.end(worker)
            self._forget(worker)

    def _forget(self, worker: WorkerName) -> None:
        """But for one that may come yet."""
        if not self._of_workers[worker].may_come(worker):
            del self._of_workers[worker]

    async def end_all(self) -> bool:
        """Returns when every job that may live is ended, and whether all could be."""
        return all(await asyncio.gather(*(jobs.end_all() for jobs in self._of_runners.values())))

    def _jobs(self, shape: Shape) -> Jobs:
        """Raises DfmError if the runner cannot be used."""
        name = shape.runner or self._own
        kind = (name, shape.options)
        if kind not in self._of_runners:
            given = [f"{key}={value}" for key, value in shape.options]
            config = apply_options(self._config, name, given)
            runner = make(choose(Selection(name, "a run", True)), config)
            reason = runner.unusable()
            if reason:
                raise RunnerError(f"the runner `{name}` cannot be used by the daemon: {reason}")
            self._of_runners[kind] = Jobs(runner, self._group, self._forward, self._journal)
        return self._of_runners[kind]

    def _forward(self, event: Event) -> None:
        if isinstance(event, events.JobGone):
            self._of_workers.pop(event.worker, None)
        elif isinstance(event, events.LaunchFailed):
            for worker in event.workers:
                self._forget(worker)
        self._tell(event)
