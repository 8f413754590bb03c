"""The end-of-run report of a task that has a function of its own for it (section 26 of the language)."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from dfm.engine.outcome import Outcome
from dfm.engine.run import Run
from dfm.errors import Problem
from dfm.flow.load import SummaryFunction
from dfm.flow.user_code import UserCodeError, call
from dfm.graph.node import Graph


class Report:
    """What the function is called with."""

    def __init__(
        self,
        graph: Graph,
        root: int,
        engine: Run,
        outcomes: Sequence[Outcome],
        status: int,
        task_summary: Callable[[], str],
        *,
        verbose: bool,
    ) -> None:
        self.root = graph.nodes[root]
        self.status = status
        self.verbose = verbose
        self.output = [_seen(item.fields) for item in engine.output_of(root)]
        # A node ends after all that it needs: that is the order of dependencies.
        self.tasks = [(one.node, _result(one)) for one in outcomes]
        self._task_summary = task_summary

    def markers(self) -> list[Any]:
        return [marker for _, result in self.tasks for marker in result.markers]

    def task_summary(self) -> str:
        """The built-in one."""
        return self._task_summary()


def own_summary(function: SummaryFunction, report: Report) -> str | None:
    """What the function makes of a run; None if it wants nothing printed. Raises UserCodeError, with
    a Problem in its text, if it cannot be called."""
    subject = f"`summary` of {report.root.name}"
    try:
        text = call(function.reference, subject, function.srcdir, report)
    except UserCodeError as error:
        problem = Problem(f"{subject} failed: {error}", function.place, error.frames)
        raise UserCodeError(str(problem)) from None
    return None if text is None else str(text)


def _result(outcome: Outcome) -> SimpleNamespace:
    return SimpleNamespace(
        status=outcome.status,
        ending=outcome.ending.value,
        wall_ms=outcome.wall_ms,
        rundir=outcome.folder,
        markers=[
            SimpleNamespace(
                task=outcome.node.name, msg=marker.message, severity=marker.severity,
                loc=marker.location,
            )
            for marker in outcome.markers
        ],
    )  # fmt: skip


def _seen(fields: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**fields)
