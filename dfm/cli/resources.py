"""What the tasks of a run ask of whoever executes them, held against the configuration before anything
starts."""

import functools
import os
from collections.abc import Callable, Sequence

from dfm.config.config import Config
from dfm.config.resources import Fault, Resolve, find_faults, resolve, unknown_class
from dfm.config.selection import Selection
from dfm.config.state_folder import StateFolder
from dfm.errors import FlowError, Place, Problem, UsageError
from dfm.graph.node import Graph
from dfm.graph.resources import Request
from dfm.runners.registry import LOCAL

_NAMED = 3  # tasks of one fault


class Resources:
    """The requests of one run's tasks; `place` says where a node asks for a field."""

    def __init__(
        self,
        graph: Graph,
        config: Config,
        resource_class: str | None,
        place: Callable[[int, str], Place | None],
    ) -> None:
        """`resource_class` is that of tasks without a tag. Raises UsageError if there is none such."""
        self._graph = graph
        self._config = config
        self._untagged = Request(resource_class=resource_class)
        self._place = place
        if resource_class is not None and resource_class not in config.resource_classes:
            fault = unknown_class(resource_class, config)
            raise UsageError(f"--resource-class: {fault.what}", hint=fault.hint)

    def check(self, selection: Selection, folder: str) -> None:
        """Raises FlowError with all that cannot be met by whoever is going to execute the tasks."""
        if self._untagged != Request() or any(node.request for node in self._graph.nodes):
            self.on(runner_of(selection, folder))

    def on(self, runner: str | None, options: Sequence[str] = ()) -> Resolve:
        """What requests come to on workers of this runner; None: in this process. `options` are those
        of the command line for a daemon that serves others, too.

        Raises FlowError with all that cannot be met there.
        """
        self._raise_faults(runner)
        given = tuple(sorted((key, value) for key, _, value in (o.partition("=") for o in options)))

        return functools.cache(
            lambda request: resolve(request or self._untagged, self._config, runner, given)
        )

    def _raise_faults(self, runner: str | None) -> None:
        @functools.cache
        def faults(request: Request) -> tuple[Fault, ...]:
            return tuple(find_faults(request, self._config, runner))

        found: dict[Fault, list[int]] = {}
        for node in self._graph.nodes:
            if node.is_task:
                for fault in faults(node.request or self._untagged):
                    found.setdefault(fault, []).append(node.number)
        if found:
            problems = [self._problem(fault, numbers) for fault, numbers in found.items()]
            raise FlowError.of(sorted(problems, key=lambda problem: problem.place or Place("")))

    def _problem(self, fault: Fault, numbers: list[int]) -> Problem:
        names = [self._graph.nodes[number].name for number in numbers[:_NAMED]]
        more = len(numbers) - len(names)
        asking = ", ".join(names) + (f" and {more} more tasks" if more else "")
        place = self._place(numbers[0], fault.field)
        return Problem(f"{asking}: {fault.what}", place, fault.hint)


def runner_of(selection: Selection, folder: str) -> str | None:
    """The runner on whose workers tasks of the project in `folder` are executed; None: none is, but
    this process. Section 1 of the runners' contract."""
    if selection.is_explicit:
        return None if selection.name == LOCAL else selection.name
    state = StateFolder(folder)
    if not os.path.exists(state.daemon_json):
        return None
    from dfm.client.find import find, is_locked

    found = find(state)
    if found is None or (found.is_here and not is_locked(state)):
        return None
    return found.runner
