"""The commands that look at a flow and run nothing of it: declared here, each in a file of its own."""

from typing import Annotated

import typer

from dfm.cli import show_commands
from dfm.cli.options import Configuration, Define, Json, ParamFile, Root, flow_options


def declare(app: typer.Typer, util: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command("validate")(validate_command)
    app.command("graph")(graph_command)
    show_commands.declare(app)
    app.command("context")(context_command)
    app.command("complete")(complete_command)
    util.command("workspace")(util_workspace)
    cache = typer.Typer(
        rich_markup_mode=None, help="The cache of finished tasks.", invoke_without_command=True
    )
    app.add_typer(cache, name="cache")
    cache.callback()(cache_main)
    cache.command("init")(cache_init)


def validate_command(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="the flow file; without: the one of this folder")
    ] = "",
    json: Json = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006 - typer copies it
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """Load and check a flow, and run nothing. Exit status: 0 no errors, 1 errors."""
    from dfm.cli.validate import validate

    raise typer.Exit(
        validate(flow_options(context, file or root, config, define, param_file), as_json=json)
    )


def graph_command(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="[TASK]", help="without one: lists the tasks")
    ] = "",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="write it there")
    ] = "",
    form: Annotated[
        str, typer.Option("-f", "--format", metavar="dot", help="in this form")
    ] = "dot",
    json: Annotated[bool, typer.Option("--json", help='as {"graph": TEXT}, between marks')] = False,
    show_params: Annotated[
        bool, typer.Option("--show-params", help="with the values of parameters")
    ] = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """Print the graph of a task as DOT, for Graphviz."""
    from dfm.cli.graph import graph

    options = flow_options(context, root, config, define, param_file)
    raise typer.Exit(
        graph(options, task, form=form, output=output, as_json=json, with_params=show_params)
    )


def cache_main(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(1)


def cache_init(
    folder: Annotated[str, typer.Argument(metavar="DIR")],
    shared: Annotated[bool, typer.Option("--shared", help="for the group, too")] = False,
) -> None:
    """Prepare a directory as a cache, which $DV_FLOW_CACHE then names."""
    from dfm.cli.cache import init

    raise typer.Exit(init(folder, is_shared=shared))


def context_command(
    context: typer.Context,
    json: Json = False,
    imports: Annotated[
        bool, typer.Option("--imports", help="of the project's other packages, too")
    ] = False,
    installed: Annotated[
        bool, typer.Option("--installed", help="of std and the packages of plugins, too")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="with documentation and parameters")
    ] = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """Print everything about the project at once, for a tool."""
    from dfm.cli.context import context as say_all

    options = flow_options(context, root, config, define, param_file)
    raise typer.Exit(
        say_all(options, as_json=json, imports=imports, installed=installed, verbose=verbose)
    )


def complete_command(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="how it begins")] = "",
    task: Annotated[str, typer.Option("--task", metavar="T", help="the options of this task")] = "",
    flag: Annotated[
        str, typer.Option("--flag", metavar="F", help="with --task: the values of this option")
    ] = "",
    root: Root = "",
) -> None:
    """Print what may stand next, for the completion of shells. One word per line."""
    from dfm.cli.complete import complete

    raise typer.Exit(complete(flow_options(context, root), prefix, task=task, flag=flag))


def util_workspace(context: typer.Context, root: Root = "") -> None:
    """Print where packages and tasks stand, and what is wrong: JSON for editors."""
    from dfm.cli.workspace import workspace

    raise typer.Exit(workspace(flow_options(context, root)))
