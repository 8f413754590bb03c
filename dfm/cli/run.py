"""`dfm run`."""

import gc
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dfm.cli.display.cut_off import CUT_OFF, drop_output
from dfm.cli.display.display import Display
from dfm.cli.display.lines import Lines
from dfm.cli.display.summary import summary
from dfm.cli.listing import list_tasks
from dfm.cli.resources import Resources
from dfm.config.options import apply_options
from dfm.config.selection import select_runner
from dfm.engine import library
from dfm.engine.base import Base
from dfm.engine.outcome import Ending, Outcome
from dfm.engine.run import Run
from dfm.engine.specs import Places, RunContext
from dfm.errors import DfmError, UsageError
from dfm.flow.load import Flow, Options, SummaryFunction, load
from dfm.flow.trials import Runner
from dfm.graph.names import file_name
from dfm.graph.node import Graph, Node, Said
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
    needs: Sequence[str]
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
        self.outcomes: list[Outcome] | None = None  # all of them, for what wants them
        self.display = display
        self._trace_path = trace_path
        self._began = began
        self._trace: Trace | None = None

    def started(self, node: Node, where: str) -> None:
        self.display.started(node, where)

    def ended(self, outcome: Outcome) -> None:
        if self.outcomes is not None:
            self.outcomes.append(outcome)
        if outcome.ending in _FAILED:
            self.failures.append(outcome)
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


_RUN_ID = re.compile(r"(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]*")
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
    if request.run_id and not _RUN_ID.fullmatch(request.run_id):
        raise UsageError(f"--run-id {request.run_id}: a name of letters, digits, `.`, `_` and `-`")
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
    graph = flow.graph(flow.goals, rundir, request.needs)
    _warn(flow)
    if all(isinstance(node.work, Said) for node in graph.nodes):
        return _say(graph, rundir)
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
        places, os.environ, graph.types, config.task_log_limit_bytes,
        base.path if base else "", request.run_id, _again(request, flow),
    )  # fmt: skip
    trace = f"{rundir}/log/{file_name(graph.package)}.trace.json"
    watch = Watch(_display(request, graph), trace, began)
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
    summaries = [] if request.no_summary else flow.summaries(graph)
    if summaries or flow.runners:
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
        watch.close()
        engine.close()
    status = _status(engine, caught)

    tests = _tests(flow.runners, graph, engine, watch, context)

    def task_summary() -> str:
        text = summary(engine.counts, watch.failures, time.monotonic() - began)
        return "\n".join([*tests, text])

    if summaries:
        _print_own(summaries, graph, engine, watch, status, task_summary, verbose=request.verbose)
    elif not request.no_summary:
        print(task_summary())  # noqa: T201
    _write_reports(request, graph, engine, watch, task_summary())
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


def _tests(
    runners: Sequence[Runner], graph: Graph, engine: Run, watch: Watch, context: RunContext
) -> list[str]:
    """What is to be said of the tests of the run; writes the logs of evaluations. Raises RunnerError."""
    said: list[str] = []
    for runner in runners:
        from dfm.cli.verdicts import cases, lines  # few flows have tests

        found = cases(runner, engine, watch.outcomes or ())
        said += lines(runner, found)
        if "epochs" in runner.params:
            from dfm.cli.evaluation import write_logs

            run_id = context.environment["DFM_RUN_ID"]
            write_logs(runner, found, graph, context.places.rundir, run_id)
    return said


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


def _again(request: Request, flow: Flow) -> dict[str, object]:
    """What runs tasks of the same flow in the same way, in whatever folder a task works."""
    files = [
        text if text.lstrip().startswith("{") else os.path.abspath(text)
        for text in request.parameter_files
    ]
    options = Options(
        flow.file, request.configuration, request.definitions, files,
        request.overrides, [os.path.abspath(path) for path in request.package_maps],
    )  # fmt: skip
    return {"options": options, "force": request.force}


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
    warnings = flow.warnings()
    if not warnings:
        return
    from dfm.cli.faults import shortened

    for problem in warnings:
        print(f"warning: {shortened(problem)}", file=sys.stderr)  # noqa: T201


def _say(graph: Graph, rundir: str) -> int:
    """Tasks that only say what was worked out by now: for programs to read, nothing else is printed."""
    for node in graph.nodes:
        assert isinstance(node.work, Said)
        done = library.say(node.work, f"{rundir}/{node.rundir}")
        for marker in done.markers:
            print(f"{node.name}: {marker.message}", file=sys.stderr)  # noqa: T201
        if done.status:
            return done.status
        print(done.console)  # noqa: T201
    return 0


def _remove(rundir: str) -> None:
    try:
        shutil.rmtree(rundir)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UsageError(f"--clean cannot remove {rundir}: {error}") from None
