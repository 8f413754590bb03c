"""The commands that look at a flow and run nothing of it: declared here, each in a file of its own."""

from typing import Annotated

import typer

from dfm.cli import show_commands
from dfm.cli.options import Configuration, Define, Json, ParamFile, Root


def declare(app: typer.Typer, util: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command("validate")(validate_command)
    app.command("graph")(graph_command)
    show_commands.declare(app)


def validate_command(
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
    from dfm.flow.load import Options

    raise typer.Exit(validate(Options(file or root, config, define, param_file), as_json=json))


def graph_command(
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
    from dfm.flow.load import Options

    options = Options(root, config, define, param_file)
    raise typer.Exit(
        graph(options, task, form=form, output=output, as_json=json, with_params=show_params)
    )
