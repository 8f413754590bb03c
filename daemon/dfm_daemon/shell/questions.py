"""Answers `dfm why`: from the scheduler for what it has, from the runs for what waits in their graphs.

The answer is `{"tasks": [{task, run, state, why}], "groups": [{run, why, count, tasks}]}`: `tasks` are
those that were asked about, `groups` put together whatever waits for the same thing, with a few of
their names.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.state import RunId, Task, TaskState
from dfm_daemon.core.why import why

MOST_TASKS = 50  # that are told about one by one
EXAMPLES = 3
_PATIENCE_S = 2.0  # with runs that are asked
_WORDS = {TaskState.ASSIGNED: "sent to a worker", TaskState.RUNNING: "running"}

Document = dict[str, list[dict[str, Any]]]


class Questions:
    """All that are open. `ask_run` sends a question to a run."""

    def __init__(
        self,
        core: Scheduler,
        ask_run: Callable[[RunId, int, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._core = core
        self._ask_run = ask_run
        self._clock = clock
        self._open: dict[int, _Open] = {}
        self._count = 0

    def ask(self, task: str, reply: Callable[[bytes], None]) -> None:
        """`reply` gets the answer: at once, or when the runs have said what they know."""
        document = (
            _of_one(self._core, task, self._clock()) if task else _of_all(self._core, self._clock())
        )
        self._count += 1
        number = self._count
        self._open[number] = opened = _Open(document, set(self._core.runs), reply)
        opened.timer = asyncio.get_running_loop().call_later(_PATIENCE_S, self._close, number)
        for run in list(opened.runs):
            self._ask_run(run, number, task)
        self._close_if_complete(number)

    def answered(self, run: RunId, number: int, answer: bytes) -> None:
        """What a run says. An answer that nobody waits for any more is let go."""
        opened = self._open.get(number)
        if opened is None or run not in opened.runs:
            return
        opened.runs.discard(run)
        for key, found in json.loads(answer).items():
            for entry in found:
                opened.document[key].append({**entry, "run": run})
        self._close_if_complete(number)

    def run_left(self, run: RunId) -> None:
        for number, opened in list(self._open.items()):
            opened.runs.discard(run)
            self._close_if_complete(number)

    def _close_if_complete(self, number: int) -> None:
        if not self._open[number].runs:
            self._close(number)

    def _close(self, number: int) -> None:
        opened = self._open.pop(number)
        assert opened.timer is not None
        opened.timer.cancel()
        opened.reply(json.dumps(opened.document).encode())


class _Open:
    """A question with what is known so far, and the runs that have not answered."""

    __slots__ = ("document", "reply", "runs", "timer")

    def __init__(
        self, document: Document, runs: set[RunId], reply: Callable[[bytes], None]
    ) -> None:
        self.document = document
        self.runs = runs
        self.reply = reply
        self.timer: asyncio.TimerHandle | None = None


def _of_one(core: Scheduler, name: str, now: float) -> Document:
    """The tasks that the daemon has by this name, or any end of their name."""
    found = [
        task
        for run in core.runs.values()
        for task in run.tasks.values()
        if task.state is not TaskState.DONE
        and (task.name == name or task.name.endswith(f".{name}"))
    ]
    return {"tasks": [_entry(core, task, now) for task in found[:MOST_TASKS]], "groups": []}


def _entry(core: Scheduler, task: Task, now: float) -> dict[str, Any]:
    entry: dict[str, Any] = {"task": task.name, "run": task.run.id}
    if task.state is TaskState.WAITING:
        reason = why(core, task, now)
        if before := task.pool.queue.before(task):
            reason += f"; {before} tasks of its run come first"
        return {**entry, "state": "waiting", "why": reason}
    assert task.worker is not None
    where = f"on worker {task.worker.name}, host {task.worker.host}"
    return {**entry, "state": _WORDS[task.state], "why": where}


def _of_all(core: Scheduler, now: float) -> Document:
    groups: dict[tuple[RunId, str], dict[str, Any]] = {}
    for pool in core.pools.values():
        for task in pool.queue.tasks():
            reason = why(core, task, now)
            group = groups.setdefault(
                (task.run.id, reason), {"run": task.run.id, "why": reason, "count": 0, "tasks": []}
            )
            group["count"] += 1
            if len(group["tasks"]) < EXAMPLES:
                group["tasks"].append(task.name)
    return {"tasks": [], "groups": list(groups.values())}
