"""What daemons of one project have left that were killed: finds it, and ends it.

Jobs are known by the journal of the daemon that submitted them: by their ids, and where it was killed
before it had the answer, by their names, which have its mark. Nobody else's jobs are looked at.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from dfm.config.config import Config
from dfm.config.options import apply_options
from dfm.config.selection import Selection
from dfm.config.state_folder import StateFolder
from dfm.errors import DfmError, RunnerError
from dfm.runners.abandoned import end_submissions
from dfm.runners.base import BatchRunner, JobId, JobState, Runner
from dfm.runners.registry import choose, make
from dfm_daemon.core.settings import Survivor
from dfm_daemon.shell import identity
from dfm_daemon.shell.journal import Journal

EPHEMERAL = "run-"  # folders of daemons that served one run, beside the state of the project's own
_YOUNG_S = 120.0  # the folder of a run whose daemon may not have begun yet
_ANSWER_S = 120.0  # that a scheduler has for each question
_LIVES = (JobState.PENDING, JobState.RUNNING, JobState.SUSPENDED)
Answer = TypeVar("Answer")
_Kind = tuple[str, tuple[tuple[str, str], ...]]  # of a runner: its name and its options


class Leftover(NamedTuple):
    """A job that lives, as its scheduler says."""

    job: str
    worker: str
    runner: str
    words: str


def states(project: str) -> Iterator[StateFolder]:
    """Of the project's daemon, and of those that served single runs."""
    own = StateFolder(project)
    yield own
    try:
        names = sorted(os.listdir(own.path))
    except FileNotFoundError:
        return
    for name in names:
        path = os.path.join(own.path, name)
        if name.startswith(EPHEMERAL) and os.path.isdir(path):
            state = StateFolder(project, path)
            if os.path.exists(state.journal) or time.time() - os.stat(path).st_mtime > _YOUNG_S:
                yield state


class Leftovers:
    """Those of one daemon, which does not run: its lock is held by us. Used within `with`."""

    def __init__(self, state: StateFolder, config: Config) -> None:
        """Raises DaemonError if it runs."""
        self._state = state
        self._config = config
        self._lock = identity.Lock(state)
        self._journal = Journal(state.journal) if os.path.exists(state.journal) else None
        self._runners: dict[_Kind, Runner] = {}
        self._known: dict[_Kind, list[JobId]] = {}
        self.troubles: list[str] = []  # what could not be asked or ended

    def __enter__(self) -> "Leftovers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._journal is not None:
            self._journal.close()
        self._lock.release()

    @property
    def files(self) -> list[str]:
        """What is there of its state; logs are no leftovers."""
        state = self._state
        paths = [state.daemon_json, state.journal, state.credentials]
        if os.path.basename(state.path).startswith(EPHEMERAL):
            paths = [state.path]
        return [path for path in paths if os.path.exists(path)]

    def stop_submitting(self) -> None:
        """What is still being submitted will not be: nobody would find it later."""
        if self._journal is not None:
            end_submissions(self._journal.mark)

    async def jobs(self) -> list[Leftover]:
        """Those that live, as their schedulers say."""
        found: list[Leftover] = []
        for kind, survivors in self._by_kind().items():
            try:
                runner = self._runner(kind)
                known = await self._find(runner, survivors)
                statuses = await _answer(runner.poll(list(known)))
            except DfmError as error:
                self.troubles.append(str(error))
                continue
            self._known[kind] = list(known)
            for job, survivor in known.items():
                status = statuses.get(job)
                if status is not None and status.state in _LIVES:
                    words = status.reason or status.state.value
                    found.append(Leftover(job, survivor.name, kind[0], words))
        return found

    async def end(self) -> None:
        """Ends all that `jobs` has found, those that are not listed too: a list may lag behind. Then
        its state goes, but for the journal if a job could not be ended: nobody else knows of it."""
        for kind, jobs in self._known.items():
            try:
                await _answer(self._runner(kind).cancel(jobs))
            except DfmError as error:
                self.troubles.append(str(error))
        self._remove()

    async def _find(self, runner: Runner, survivors: Sequence[Survivor]) -> dict[JobId, Survivor]:
        """By the ids that were noted, and by name where none was."""
        assert self._journal is not None
        known = {JobId(survivor.job): survivor for survivor in survivors if survivor.job}
        unknown = {survivor.name: survivor for survivor in survivors if not survivor.job}
        if unknown and isinstance(runner, BatchRunner):
            found = await _answer(runner.find(self._journal.mark, list(unknown)))
            known |= {
                job: survivor for name, survivor in unknown.items() if (job := found.get(name))
            }
        return known

    def _by_kind(self) -> dict[_Kind, list[Survivor]]:
        kinds: dict[_Kind, list[Survivor]] = {}
        for survivor in self._journal.survivors(own="") if self._journal else ():
            kinds.setdefault((survivor.shape.runner, survivor.shape.options), []).append(survivor)
        return kinds

    def _runner(self, kind: _Kind) -> Runner:
        """Raises DfmError if it cannot be used."""
        if kind not in self._runners:
            name, options = kind
            config = apply_options(self._config, name, [f"{key}={value}" for key, value in options])
            runner = make(choose(Selection(name, "the journal", True)), config)
            reason = runner.unusable()
            if reason:
                raise RunnerError(f"the runner `{name}` cannot be used here: {reason}")
            self._runners[kind] = runner
        return self._runners[kind]

    def _remove(self) -> None:
        """Without credentials workers that live in spite of all end, too."""
        is_own = not os.path.basename(self._state.path).startswith(EPHEMERAL)
        if is_own or self.troubles:
            socket = os.path.join(self._state.path, "daemon.sock")
            identity.remove(self._state, socket, keep_journal=bool(self.troubles))
        else:
            shutil.rmtree(self._state.path, ignore_errors=True)


async def _answer(asked: Awaitable[Answer]) -> Answer:
    """Raises DfmError."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await asked
    except TimeoutError:
        raise RunnerError(f"the scheduler did not answer in {_ANSWER_S:.0f} s") from None
