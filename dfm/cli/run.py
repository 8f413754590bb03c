"""`dfm run`."""

import gc
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dfm.cli.display.cut_off import CUT_OFF, drop_output
from dfm.cli.display.display import Display
from dfm.cli.display.lines import Lines
from dfm.cli.display.summary import summary
from dfm.cli.listing import list_tasks
from dfm.cli.resources import Resources
from dfm.config.options import apply_options
from dfm.config.selection import select_runner
from dfm.engine.base import Base
from dfm.engine.outcome import Ending, Outcome
from dfm.engine.run import Run
from dfm.engine.specs import Places, RunContext
from dfm.errors import DfmError, UsageError
from dfm.flow.load import Flow, Options, load
from dfm.graph.node import Graph, Node
from dfm.runners.registry import LOCAL, choose, configuration

if TYPE_CHECKING:
    from dfm.engine.cache import Cache
    from dfm.engine.trace import Trace

_FAILED = (Ending.FAILED, Ending.LOST, Ending.CANCELLED)
_EXECUTED = (Ending.DONE, Ending.FAILED, Ending.CANCELLED)
_UIS = ("log", "progress", "progressbar", "tui")


class Request(NamedTuple):
    """The command line of one `dfm run`."""

    tasks: Sequence[str]  # and what follows them of options that the flow declares
    jobs: int | None
    keep_going: bool
    force: bool
    clean: bool
    verbose: bool
    configuration: str
    root: str
    definitions: Sequence[str]
    parameter_files: Sequence[str]
    package_maps: Sequence[str]
    overrides: Sequence[str]
    runner: str | None
    runner_options: Sequence[str]
    resource_class: str | None
    ui: str
    no_summary: bool
    base_rundir: str = ""
    report: str = ""
    summary_file: str = ""
    run_id: str = ""


class Watch:
    """Passes everything on to a display and to the trace, and keeps what the summary needs."""

    def __init__(self, display: Display, trace_path: str, began: float) -> None:
        self.failures: list[Outcome] = []
        self.outcomes: list[Outcome] | None = None  # all of them, if a report wants them
        self.display = display
        self._trace_path = trace_path
        self._began = began
        self._trace: Trace | None = None

    def started(self, node: Node, where: str) -> None:
        self.display.started(node, where)

    def ended(self, outcome: Outcome) -> None:
        if outcome.ending in _FAILED:
            self.failures.append(outcome)
        if self.outcomes is not None:
            self.outcomes.append(outcome._replace(inputs=(), output=()))
        if outcome.ending in _EXECUTED:
            self._to_trace(outcome)
        self.display.ended(outcome)

    def said(self, text: str) -> None:
        self.display.said(text)

    def notice(self, text: str) -> None:
        self.display.notice(text)

    def close(self) -> None:
        self.display.close()
        if self._trace is not None:
            try:
                self._trace.close()
            except OSError as error:
                self.notice(f"cannot write {self._trace_path}: {error.strerror}")

    def _to_trace(self, outcome: Outcome) -> None:
        """A run in which nothing is executed leaves the trace of the last one."""
        if not self._trace_path:
            return
        try:
            if self._trace is None:
                from dfm.engine.trace import Trace

                self._trace = Trace(self._trace_path, self._began)
            self._trace.ended(outcome)
        except OSError as error:
            self.notice(f"cannot write {self._trace_path}: {error.strerror}")
            self._trace_path = ""


INTERRUPTED = 128 + signal.SIGINT


def run(request: Request) -> int:
    """Runs tasks; returns the exit status. Raises DfmError for what keeps them from being run."""
    try:
        status = _run(request)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:  # before anything had to be executed
        return INTERRUPTED
    except BrokenPipeError:
        drop_output(sys.stdout)
        return CUT_OFF


def _run(request: Request) -> int:
    began = time.monotonic()
    if request.ui and request.ui not in _UIS:
        raise UsageError(f"-u {request.ui}: not one of {', '.join(_UIS)}")
    layout = os.environ.get("DV_FLOW_RUNDIR_LAYOUT", "")
    if layout not in ("", "legacy"):
        raise UsageError(
            f"DV_FLOW_RUNDIR_LAYOUT={layout}: the layout `leaf` is not there yet",
            hint="unset it, or say `legacy`",
        )
    gc.disable()  # all that is made until the graph stands is there to stay: 3 times as fast
    options = Options(
        request.root, request.configuration, request.definitions, request.parameter_files,
        request.overrides, request.package_maps, request.tasks,
    )  # fmt: skip
    flow = load(options, os.environ)
    if not flow.goals:
        _warn(flow)
        list_tasks(flow)
        return 0
    rundir = os.path.join(os.getcwd(), "rundir")
    graph = flow.graph(flow.goals, rundir)
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
    base = Base(request.base_rundir) if request.base_rundir else None
    if request.clean and base is not None and f"{base.path}/".startswith(f"{rundir}/"):
        raise UsageError(f"--clean would remove the base run directory {base.path}")
    if request.clean:  # not before everything is known to be in order
        _remove(rundir)
    places = Places(rundir, flow.folder, os.getcwd())
    context = RunContext(
        places,
        os.environ,
        graph.types,
        config.task_log_limit_bytes,
        base.path if base else "",
        request.run_id,
    )
    watch = Watch(_display(request, graph), f"{rundir}/log/{graph.package}.trace.json", began)
    if request.report or request.summary_file:
        watch.outcomes = []
    engine = Run(
        graph,
        context,
        watch,
        keep_going=request.keep_going or config.keep_going,
        force=request.force,
        base=base,
        cache=_cache(),
    )
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
        watch.close()
        engine.close()
    text = summary(engine.counts, watch.failures, time.monotonic() - began)
    if not request.no_summary:
        print(text)  # noqa: T201
    _write_reports(request, graph, engine, watch, text)
    return _status(engine, caught)


def _cache() -> "Cache | None":
    """What the environment names. Raises ConfigError."""
    if not os.environ.get("DV_FLOW_CACHE"):
        return None
    from dfm.cli.cache import find_cache

    return find_cache(os.environ)


def _write_reports(
    request: Request, graph: Graph, engine: Run, watch: Watch, summary_text: str
) -> None:
    """What is wanted in files, also of a run that failed. Raises RunnerError."""
    if not (request.report or request.summary_file):
        return
    from dfm.cli.report import write_report, write_summary

    outcomes = watch.outcomes or []
    if request.report:
        write_report(request.report, graph.package, outcomes, engine.counts)
    if request.summary_file:
        write_summary(request.summary_file, summary_text, engine.counts, outcomes)


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


def _remove(rundir: str) -> None:
    try:
        shutil.rmtree(rundir)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"--clean cannot remove {rundir}: {error}") from None
