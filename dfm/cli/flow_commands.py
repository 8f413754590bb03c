"""The commands that look at a flow and run nothing of it: declared here, each in a file of its own."""

from typing import Annotated

import typer

from dfm.cli.options import Configuration, Define, Json, ParamFile, Root


def declare(app: typer.Typer, util: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command("validate")(validate_command)


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
