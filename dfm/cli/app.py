"""The command line: which commands there are, and how their errors are said.

The commands are imported when one of them runs; what is here is paid for by `dfm --help`.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from dfm.cli import flow_commands
from dfm.cli.options import Define, PackageMap, ParamFile, Root
from dfm.errors import DfmError, Problem, UsageError
from dfm.version import VERSION

app = typer.Typer(
    name="dfm",
    no_args_is_help=False,
    rich_markup_mode=None,  # help as plain text: 80 ms less
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
daemon = typer.Typer(
    rich_markup_mode=None,
    help="The daemon of a project: it keeps workers warm and hands tasks to them.",
    invoke_without_command=True,
)
app.add_typer(daemon, name="daemon")
service = typer.Typer(
    rich_markup_mode=None,
    help="The daemon as a service of systemd, so that it is there after a reboot.",
    no_args_is_help=True,
)
daemon.add_typer(service, name="service")
config = typer.Typer(
    rich_markup_mode=None,
    help="The configuration: what holds for this project, and who says so.",
    no_args_is_help=True,
)
app.add_typer(config, name="config")
util = typer.Typer(rich_markup_mode=None, help="For editors and scripts.", no_args_is_help=True)
app.add_typer(util, name="util")


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
    """Run tasks, with all that they need; what is up to date is skipped.

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


@daemon.callback()
def daemon_main(
    context: typer.Context,
    monitor: Annotated[
        bool, typer.Option("--monitor", help="watch it until `q`: as `dfm daemon monitor`")
    ] = False,
    root: Root = "",
) -> None:
    if context.invoked_subcommand is not None:
        if monitor or root:
            raise UsageError("an option of `dfm daemon` stands behind the command, or without one")
    elif monitor:
        daemon_monitor(root)
    else:
        typer.echo(context.get_help())


@daemon.command("start")
def daemon_start(
    root: Root = "",
    runner: Annotated[
        str | None, typer.Option("--runner", metavar="NAME", help="where its workers run")
    ] = None,
    pool_size: Annotated[
        int | None, typer.Option("--pool-size", min=1, metavar="N", help="most workers")
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="stay here, and log to standard error")
    ] = False,
    monitor: Annotated[
        bool, typer.Option("--monitor", help="watch it, once it runs, until `q`")
    ] = False,
) -> None:
    """Start the daemon of this project; it is ready when this command ends.

    Exit status: 0 it runs (or ran already), 1 it could not be started.
    """
    from dfm.cli.daemon import start

    if monitor and foreground:
        raise UsageError("--foreground and --monitor both want this terminal: take one")
    status = start(root, runner, pool_size, foreground=foreground)
    if status or not monitor:
        raise typer.Exit(status)
    daemon_monitor(root)


@daemon.command("monitor")
def daemon_monitor(root: Root = "") -> None:
    """Watch the daemon of this project: what runs, what has ended, workers. `q` or Ctrl-C leaves it.

    Exit status: 0, or 3 if no daemon runs.
    """
    from dfm.cli.daemon import project_folder
    from dfm.cli.monitor.monitor import monitor
    from dfm.config.state_folder import StateFolder

    raise typer.Exit(monitor(StateFolder(project_folder(root))))


@daemon.command("stop")
def daemon_stop(
    root: Root = "",
    drain: Annotated[bool, typer.Option("--drain", help="let running tasks end first")] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="S", help="seconds to wait for its end")
    ] = None,
) -> None:
    """End the daemon of this project with its workers. Exit status 0, also when none runs."""
    from dfm.cli.daemon import stop

    raise typer.Exit(stop(root, drain=drain, timeout_s=timeout))


@daemon.command("gc")
def daemon_gc(
    root: Root = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only list what is left")] = False,
) -> None:
    """End what daemons of this project have left that were killed: jobs, and files in .dfm/.

    Nothing of a daemon that runs is touched. Exit status: 0, 1 something could not be ended.
    """
    from dfm.cli.daemon_gc import collect

    raise typer.Exit(collect(root, dry_run=dry_run))


@daemon.command("status")
def daemon_status(
    root: Root = "",
    json: Annotated[bool, typer.Option("--json", help="schema dfm-daemon-status/1")] = False,
) -> None:
    """Show what the daemon of this project does.

    Exit status: 0 it runs, 3 none runs, 1 only its files are there.
    """
    from dfm.cli.daemon import status

    raise typer.Exit(status(root, as_json=json))


@app.command("why")
def why_command(
    task: Annotated[
        str, typer.Argument(metavar="[TASK]", help="any end of a full name; without: all that wait")
    ] = "",
    root: Root = "",
) -> None:
    """Say why tasks wait that were given to the daemon of this project.

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
    """Print the log of a task, from the run directory here or in the project."""
    from dfm.cli.logs import logs

    raise typer.Exit(logs(task, root, follows=follow, lines=tail))


@app.command("ping")
def ping_command(root: Root = "") -> None:
    """Print how long the daemon of this project takes to answer. Exit status 3 if none runs."""
    from dfm.cli.ping import ping

    raise typer.Exit(ping(root))


@app.command("worker", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker_command(context: typer.Context) -> None:
    """Run tasks for a daemon, which launches its workers itself: what a batch job runs."""
    from dfm_worker.__main__ import main as worker  # a plain `dfm worker` comes by a shorter way

    raise typer.Exit(worker(context.args))


SystemWide = Annotated[
    bool, typer.Option("--system", help="a service of the host, not of a user's manager; for root")
]


@service.command("install")
def service_install(
    root: Root = "",
    system: SystemWide = False,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="with --system: whom it runs as")
    ] = "",
) -> None:
    """Write the unit of this project's daemon, enable and start it. Exit status 0."""
    from dfm.cli.service import install

    raise typer.Exit(install(root, system=system, user=user))


@service.command("show")
def service_show(
    root: Root = "",
    system: SystemWide = False,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="with --system: whom it runs as")
    ] = "",
) -> None:
    """Print the unit as it is installed, or as it would be. Exit status 0."""
    from dfm.cli.service import show

    raise typer.Exit(show(root, system=system, user=user))


@service.command("uninstall")
def service_uninstall(root: Root = "", system: SystemWide = False) -> None:
    """Stop the service and remove its unit. Exit status 0, also when there is none."""
    from dfm.cli.service import uninstall

    raise typer.Exit(uninstall(root, system=system))


@config.command("show")
def config_show(
    root: Root = "",
    origin: Annotated[
        bool, typer.Option("--origin", help="say behind each value who set it")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="schema dfm-config/1")] = False,
) -> None:
    """Print the merged configuration; as YAML it is a configuration file itself.

    Exit status: 0, 2 it has faults.
    """
    from dfm.cli.config import show

    raise typer.Exit(show(root, with_origin=origin, as_json=json))


@config.command("check")
def config_check(root: Root = "") -> None:
    """Check every layer. Exit status: 0 right, 2 it has faults, which are all printed."""
    from dfm.cli.config import check

    raise typer.Exit(check(root))


@config.command("path")
def config_path(root: Root = "") -> None:
    """Print where the layers of the configuration are, and which exist. Exit status 0."""
    from dfm.cli.config import path

    raise typer.Exit(path(root))


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


@app.command("runners")
def runners_command(root: Root = "") -> None:
    """List the runners: from where, usable here or why not, and their options."""
    from dfm.cli.runners import show

    raise typer.Exit(show(root))


@app.command("doctor")
def doctor_command(
    root: Root = "",
    runner: Annotated[
        str | None, typer.Option("--runner", metavar="NAME", help="the runner to look at")
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="submit a worker, and follow it until it is back")
    ] = False,
) -> None:
    """Check what dfm needs on this host. Exit status: 0 all is well, 1 something is wrong."""
    from dfm.cli.doctor.command import examine

    raise typer.Exit(examine(root, runner, with_probe=probe))


flow_commands.declare(app, util)


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
    from dfm.cli.faults import shortened

    return str(shortened(problem))
