"""Options that several commands have alike."""

from typing import Annotated

import typer

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
