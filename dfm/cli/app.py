"""The command line: which commands there are, and how their errors are said.

The commands are imported when one of them runs; what is here is paid for by `dfm --help`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from dfm.cli import daemon_commands, flow_commands, site_commands
from dfm.cli.options import Define, PackageMap, ParamFile, Root
from dfm.errors import DfmError, Problem
from dfm.version import VERSION

app = typer.Typer(
    name="dfm",
    no_args_is_help=False,
    rich_markup_mode=None,  # help as plain text: 80 ms less
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
util = typer.Typer(rich_markup_mode=None, help="For editors and scripts.", no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dfm {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("-V", "--version", is_eager=True, callback=_version, help="print the version"),
    ] = False,
    define: Define = [],  # noqa: B006 - typer copies it
    param_file: ParamFile = [],  # noqa: B006
    package_map: PackageMap = [],  # noqa: B006
    log_level: Annotated[
        str, typer.Option("--log-level", metavar="NONE|INFO|DEBUG", help="what dfm says of itself")
    ] = "NONE",
) -> None:
    """Runs task graphs of chip verification: locally, or on workers of a daemon."""
    if log_level not in ("NONE", "INFO", "DEBUG"):
        raise typer.BadParameter(f"{log_level}: not one of NONE, INFO, DEBUG")
    if log_level != "NONE":
        import logging

        logging.basicConfig(level=log_level, format="%(levelname)s %(name)s: %(message)s")
    context.obj = (define, param_file, package_map)


@app.command(
    "run",
    context_settings={
        "allow_interspersed_args": True,
        "ignore_unknown_options": True,  # the flow may declare them
        "help_option_names": [],
    },
)
def run_command(
    context: typer.Context,
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK]...", help="without one: lists the tasks")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("-j", min=1, metavar="N", help="most tasks at once on the local runner"),
    ] = None,
    keep_going: Annotated[
        bool,
        typer.Option("-k", "--keep-going", help="after a failure, run what does not depend on it"),
    ] = False,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="run what is up to date, too")
    ] = False,
    clean: Annotated[bool, typer.Option("--clean", help="remove rundir/ first")] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="show tasks that are up to date, too")
    ] = False,
    config: Annotated[
        str, typer.Option("-c", "--config", metavar="NAME", help="a configuration of the flow")
    ] = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
    package_map: PackageMap = [],  # noqa: B006
    override: Annotated[
        list[str],
        typer.Option(
            "--override", metavar="TASK=OTHER", help="build another task wherever one is needed"
        ),
    ] = [],  # noqa: B006
    needs: Annotated[
        list[str], typer.Option("--needs", metavar="TASK", help="one more need of the task")
    ] = [],  # noqa: B006
    runner: Annotated[
        str | None,
        typer.Option("--runner", metavar="NAME", help="where tasks run: local, or another runner"),
    ] = None,
    runner_opt: Annotated[
        list[str],
        typer.Option(
            "--runner-opt", metavar="KEY=VALUE", help="an option of the runner, for this run"
        ),
    ] = [],  # noqa: B006
    resource_class: Annotated[
        str | None,
        typer.Option("--resource-class", metavar="NAME", help="class of tasks without a tag"),
    ] = None,
    ui: Annotated[
        str, typer.Option("-u", "--ui", metavar="log|progress", help="lines, or a live display")
    ] = "",
    no_summary: Annotated[bool, typer.Option("--no-summary", help="print no summary")] = False,
    base_rundir: Annotated[
        str,
        typer.Option(
            "--base-rundir", metavar="PATH", help="a run directory: what succeeded there is done"
        ),
    ] = "",
    report: Annotated[
        str, typer.Option("--report", metavar="DIR", help="write a report with all logs there")
    ] = "",
    summary_file: Annotated[
        str, typer.Option("--summary-file", metavar="PATH", help="write the summary there, too")
    ] = "",
    run_id: Annotated[
        str,
        typer.Option("--run-id", metavar="ID", help="name of rundir/out/ID, where tasks publish"),
    ] = "",
    wants_help: Annotated[
        bool, typer.Option("-h", "--help", help="with TASK: what it is, and options of its own")
    ] = False,
) -> None:
    """Run tasks with all that they need, but for what is up to date.

    Exit status: 0 all done, 1 a task failed, 2 wrong usage, configuration or flow (nothing ran),
    3 the infrastructure failed, 130 interrupted.
    """
    early_define, early_file, early_map = context.obj
    if wants_help:
        if not tasks:
            typer.echo(context.get_help())
            return
        from dfm.cli.run_help import print_help
        from dfm.flow.load import Options

        options = Options(
            root, config, [*early_define, *define], [*early_file, *param_file],
            override, [*early_map, *package_map],
        )  # fmt: skip
        print_help(options, tasks)
        return
    from dfm.cli.run import Request, run

    request = Request(
        tasks=tasks or [],
        jobs=jobs,
        keep_going=keep_going,
        force=force,
        clean=clean,
        verbose=verbose,
        configuration=config,
        root=root,
        definitions=[*early_define, *define],
        parameter_files=[*early_file, *param_file],
        package_maps=[*early_map, *package_map],
        overrides=override,
        needs=needs,
        runner=runner,
        runner_options=runner_opt,
        resource_class=resource_class,
        ui=ui,
        run_id=run_id,
        no_summary=no_summary,
        base_rundir=base_rundir,
        report=report,
        summary_file=summary_file,
    )
    raise typer.Exit(run(request))


@app.command("why")
def why_command(
    task: Annotated[
        str, typer.Argument(metavar="[TASK]", help="any end of a full name; without: all that wait")
    ] = "",
    root: Root = "",
) -> None:
    """Say why tasks wait that the daemon has.

    Exit status: 0, 1 no run has such a task, 3 no daemon runs.
    """
    from dfm.cli.why import why

    raise typer.Exit(why(task, root))


@app.command("logs")
def logs_command(
    task: Annotated[str, typer.Argument(metavar="TASK", help="full name, or a unique end of it")],
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="go on until the task has ended")
    ] = False,
    tail: Annotated[
        int | None, typer.Option("-n", "--tail", min=0, metavar="LINES", help="the last lines only")
    ] = None,
    root: Root = "",
) -> None:
    """Print the log of a task. The run directory is the one here, else that of the project."""
    from dfm.cli.logs import logs

    raise typer.Exit(logs(task, root, follows=follow, lines=tail))


@app.command("ping")
def ping_command(root: Root = "") -> None:
    """Print how long the daemon of this project takes to answer. Exit status 3 if none runs."""
    from dfm.cli.ping import ping

    raise typer.Exit(ping(root))


@app.command("worker", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker_command(context: typer.Context) -> None:
    """Run tasks for a daemon: what a batch job runs. The daemon launches its workers itself."""
    from dfm_worker.__main__ import main as worker  # a plain `dfm worker` comes by a shorter way

    raise typer.Exit(worker(context.args))


@util.command("schema")
def util_schema(
    of: Annotated[
        str, typer.Argument(metavar="[flow|config]", help="of which file; default: flow")
    ] = "flow",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="write it there")
    ] = "",
) -> None:
    """Print the JSON schema of a configuration or of flow.yaml, for editors."""
    from dfm.cli.schema import show

    raise typer.Exit(show(of, output))


flow_commands.declare(app, util)
site_commands.declare(app)
app.add_typer(daemon_commands.daemon, name="daemon")
app.add_typer(util, name="util")


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; returns the exit status. Errors of ours are printed, others raised."""
    try:
        app(args=list(arguments), prog_name="dfm", standalone_mode=True)
    except DfmError as error:
        sys.stdout.flush()
        print("\n".join(map(_said, error.problems)), file=sys.stderr)  # noqa: T201
        return error.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BrokenPipeError:  # `dfm run | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _said(problem: Problem) -> str:
    """`FILE:LINE:COLUMN: what` for a fault in a file, `dfm: what` for any other; then the hint."""
    if problem.place is None:
        return f"dfm: {problem}"
    from dfm.cli.faults import said

    return said(problem)
