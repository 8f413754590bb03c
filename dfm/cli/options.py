"""Options that several commands have alike."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dfm.flow.load import Options

Root = Annotated[
    str,
    typer.Option(
        "--root", metavar="PATH", help="flow file or folder to start from, not the current folder"
    ),
]
Define = Annotated[
    list[str],
    typer.Option(
        "-D", metavar="NAME=VALUE", help="value of a package variable or of TASK.PARAMETER"
    ),
]
ParamFile = Annotated[
    list[str],
    typer.Option(
        "-P", "--param-file", metavar="FILE", help="JSON file (or text) with values of parameters"
    ),
]
PackageMap = Annotated[
    list[str],
    typer.Option(
        "--package-map", metavar="FILE", help="says where packages are that flows import by name"
    ),
]
Configuration = Annotated[
    str, typer.Option("-c", "--config", metavar="NAME", help="a configuration of the flow")
]
Json = Annotated[bool, typer.Option("--json", help="for programs")]


def flow_options(
    context: typer.Context, root: str, config: str = "", define: Sequence[str] = (),
    param_file: Sequence[str] = (),
) -> "Options":  # fmt: skip
    """What a command says about the flow, after what stands before the command."""
    from dfm.flow.load import Options

    early_define, early_file, early_map = context.find_root().obj
    return Options(
        root, config, [*early_define, *define], [*early_file, *param_file], package_maps=early_map
    )
