"""`dfm run`."""

import gc
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dfm.cli.display.display import Display
from dfm.cli.display.lines import Lines
from dfm.cli.display.summary import summary
from dfm.cli.resources import Resources
from dfm.config.options import apply_options
from dfm.config.selection import select_runner
from dfm.engine.outcome import Ending, Outcome
from dfm.engine.run import Run
from dfm.engine.specs import Places, RunContext
from dfm.errors import DfmError, UsageError
from dfm.flow.load import Flow, Options, SummaryFunction, load
from dfm.graph.node import Graph, Node
from dfm.runners.registry import LOCAL, choose, configuration

_FAILED = (Ending.FAILED, Ending.LOST, Ending.CANCELLED)
_UIS = ("log", "progress", "progressbar", "tui")


class Request(NamedTuple):
    """The command line of one `dfm run`."""

    tasks: Sequence[str]
    jobs: int | None
    keep_going: bool
    force: bool
    clean: bool
    verbose: bool
    configuration: str
    root: str
    definitions: Sequence[str]
    parameter_files: Sequence[str]
    runner: str | None
    runner_options: Sequence[str]
    resource_class: str | None
    ui: str
    no_summary: bool


class Watch:
    """Passes everything on to a display, and keeps what the summary needs."""

    def __init__(self, display: Display) -> None:
        self.failures: list[Outcome] = []
        self.outcomes: list[Outcome] | None = None  # all of them, for a summary that wants them
        self.display = display

    def started(self, node: Node, where: str) -> None:
        self.display.started(node, where)

    def ended(self, outcome: Outcome) -> None:
        if self.outcomes is not None:
            self.outcomes.append(outcome)
        if outcome.ending in _FAILED:
            self.failures.append(outcome)
        self.display.ended(outcome)

    def said(self, text: str) -> None:
        self.display.said(text)

    def notice(self, text: str) -> None:
        self.display.notice(text)


INTERRUPTED = 128 + signal.SIGINT


def run(request: Request) -> int:
    """Runs tasks; returns the exit status. Raises DfmError for what keeps them from being run."""
    try:
        return _run(request)
    except KeyboardInterrupt:  # before anything had to be executed
        return INTERRUPTED


def _run(request: Request) -> int:
    began = time.monotonic()
    if request.ui and request.ui not in _UIS:
        raise UsageError(f"-u {request.ui}: not one of {', '.join(_UIS)}")
    gc.disable()  # all that is made until the graph stands is there to stay: 3 times as fast
    flow = load(
        Options(request.root, request.configuration, request.definitions, request.parameter_files),
        os.environ,
    )
    if not request.tasks:
        _warn(flow)
        _list_tasks(flow)
        return 0
    rundir = os.path.join(os.getcwd(), "rundir")
    graph = flow.graph(request.tasks, rundir)
    _warn(flow)
    gc.freeze()
    gc.enable()
    return _run_graph(request, flow, graph, rundir, began)


def _run_graph(request: Request, flow: Flow, graph: Graph, rundir: str, began: float) -> int:
    config = configuration(flow.folder, os.environ, with_runners=bool(request.runner_options))
    selection = select_runner(config, os.environ, request.runner)
    if selection.name != LOCAL or request.runner_options:
        choose(selection)
    config = apply_options(config, selection.name, request.runner_options)
    resources = Resources(graph, config, request.resource_class, flow.place_of_request)
    resources.check(selection, flow.folder)
    if request.clean:  # not before everything is known to be in order
        _remove(rundir)
    places = Places(rundir, flow.folder, os.getcwd())
    context = RunContext(places, os.environ, graph.types, config.task_log_limit_bytes)
    watch = Watch(_display(request, graph))
    engine = Run(
        graph,
        context,
        watch,
        keep_going=request.keep_going or config.keep_going,
        force=request.force,
    )
    summaries = [] if request.no_summary else flow.summaries(graph)
    if summaries:
        watch.outcomes = []
    caught: signal.Signals | None = None
    try:
        engine.begin()
        while engine.advance(sys.maxsize):
            pass
        if not engine.is_over():
            from dfm.cli.execute import Means, execute  # asyncio, which a rerun can do without

            means = Means(
                context, config, resources, selection, request.runner_options, request.jobs,
                watch.display,
            )  # fmt: skip
            caught = execute(engine, means)
    finally:
        watch.display.close()
        engine.close()
    status = _status(engine, caught)

    def task_summary() -> str:
        return summary(engine.counts, watch.failures, time.monotonic() - began)

    if summaries:
        _print_own(summaries, graph, engine, watch, status, task_summary, verbose=request.verbose)
    elif not request.no_summary:
        print(task_summary())  # noqa: T201
    return status


def _print_own(
    summaries: Sequence[SummaryFunction], graph: Graph, engine: Run, watch: Watch, status: int,
    task_summary: Callable[[], str], *, verbose: bool,
) -> None:  # fmt: skip
    """What the functions of the tasks say; the built-in summary in place of one that fails."""
    from dfm.cli.task_summary import Report, own_summary  # few flows have one
    from dfm.flow.user_code import UserCodeError

    for function in summaries:
        report = Report(
            graph, function.root, engine, watch.outcomes or (), status, task_summary,
            verbose=verbose,
        )  # fmt: skip
        try:
            text = own_summary(function, report)
        except UserCodeError as error:
            print(f"warning: {error}", file=sys.stderr)  # noqa: T201
            text = task_summary()
        if text is not None:
            print(text)  # noqa: T201


def _status(engine: Run, caught: signal.Signals | None) -> int:
    """Section 9 of the runners' contract."""
    if caught is not None:
        return 128 + caught
    if engine.counts[Ending.LOST]:
        return DfmError.exit_code
    return 0 if engine.succeeded() else 1


def _display(request: Request, graph: Graph) -> Display:
    is_live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and request.ui != "log"
    if not is_live:
        return Lines(verbose=request.verbose)
    from dfm.cli.display.live import LiveDisplay

    total = sum(node.is_task for node in graph.nodes)
    return LiveDisplay(total, verbose=request.verbose)


def _warn(flow: Flow) -> None:
    for problem in flow.warnings():
        print(f"warning: {problem}", file=sys.stderr)  # noqa: T201


def _list_tasks(flow: Flow) -> None:
    """`dfm run` without a task: the root tasks of the root package (section 21)."""
    package = flow.program.root
    print(package.name)  # noqa: T201
    provided = [task for task in package.tasks.values() if flow.is_provided(task)]
    tasks = [task for task in provided if "root" in task.scopes]
    if not tasks and provided:
        print("no root task; all tasks of the package:")  # noqa: T201
        tasks = provided
    width = max((len(task.name) for task in tasks), default=0)
    for task in tasks:
        notes = "" if flow.is_implemented(task) else " [unimplemented]"
        for axis, values in flow.axes(task).items():
            notes += f" [{axis}: {', '.join(map(str, values))}]"
        print(f"{task.name:<{width}} - {flow.description(task) or '<no description>'}{notes}")  # noqa: T201


def _remove(rundir: str) -> None:
    try:
        shutil.rmtree(rundir)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"--clean cannot remove {rundir}: {error}") from None
