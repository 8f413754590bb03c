"""The commands about what holds for this project and this host: `dfm config ...`, `runners`, `doctor`."""

from typing import Annotated

import typer

from dfm.cli.options import Root

config = typer.Typer(
    rich_markup_mode=None,
    help="The configuration: what holds for this project, and who says so.",
    no_args_is_help=True,
)


def declare(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command("runners")(runners_command)
    app.command("doctor")(doctor_command)
    app.add_typer(config, name="config")


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


def runners_command(root: Root = "") -> None:
    """List the runners, and why some cannot be used here. Also where from, and their options."""
    from dfm.cli.runners import show

    raise typer.Exit(show(root))


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
