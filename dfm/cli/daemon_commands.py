"""`dfm daemon ...` as it is typed."""

from typing import Annotated

import typer

from dfm.cli.options import Root
from dfm.errors import UsageError

daemon = typer.Typer(
    rich_markup_mode=None,
    help="The daemon of a project, which keeps workers warm.",
    invoke_without_command=True,
)
service = typer.Typer(
    rich_markup_mode=None,
    help="The daemon as a service of systemd, so that it is there after a reboot.",
    no_args_is_help=True,
)
daemon.add_typer(service, name="service")


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
    """End the daemon of this project with its workers.

    Exit status: 0, also when none runs, 1 jobs are left that it could not end.
    """
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
