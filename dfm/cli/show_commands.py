"""`dfm show ...` as it is typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from dfm.cli.options import Configuration, Define, Json, ParamFile, Root, flow_options
from dfm.errors import UsageError

if TYPE_CHECKING:
    from dfm.cli.show.choice import Choice
    from dfm.cli.show.show import Show

Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="more of each")]
Search = Annotated[
    str, typer.Option("--search", metavar="WORD", help="in name, description and documentation")
]
Regex = Annotated[str, typer.Option("--regex", metavar="RE", help="the same as an expression")]
Tag = Annotated[
    str, typer.Option("--tag", metavar="T[:FIELD=VALUE]", help="what has a tag of this type")
]
InPackage = Annotated[str, typer.Option("--package", metavar="NAME", help="of this package only")]


def declare(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    show = typer.Typer(
        rich_markup_mode=None, help="What a flow declares.", invoke_without_command=True
    )
    app.add_typer(show, name="show")
    show.callback()(show_main)
    for name, command in _SHOWN.items():
        show.command(name)(command)


def show_main(context: typer.Context) -> None:
    """Exit status: 0, 1 no such task or package."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _show(
    context: typer.Context,
    config: str,
    root: str,
    define: list[str],
    param_file: list[str],
    *,
    json: bool,
    verbose: bool,
) -> "Show":
    from dfm.cli.show.show import Show

    options = flow_options(context, root, config, define, param_file)
    return Show(options, as_json=json, verbose=verbose)


def _choice(search: str, regex: str, tag: str, package: str) -> "Choice":
    from dfm.cli.show.choice import Choice

    return Choice(search, regex, tag, package)


def show_tasks(
    context: typer.Context,
    scope: Annotated[
        str, typer.Option("--scope", metavar="root|export|local", help="of this scope only")
    ] = "",
    produces: Annotated[
        str, typer.Option("--produces", metavar="K=V,...", help="declared to emit this")
    ] = "",
    search: Search = "",
    regex: Regex = "",
    tag: Tag = "",
    package: InPackage = "",
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """List the tasks of all packages."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    choice = _choice(search, regex, tag, package)
    shown.tasks(choice, scope, produces)


def show_task(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="NAME [DEPTH]")],
    needs: Annotated[
        bool, typer.Option("--needs", help="the needs of its needs too, DEPTH levels or all")
    ] = False,
    usage: Annotated[bool, typer.Option("--usage", help="who needs it, and who uses it")] = False,
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """Show all about one task."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    name, depth = _name_and_depth(words, follows=needs)
    shown.task(name, depth, usage=usage)


def show_packages(
    context: typer.Context,
    search: Search = "",
    regex: Regex = "",
    tag: Tag = "",
    package: InPackage = "",
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """List the packages that are loaded."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    choice = _choice(search, regex, tag, package)
    shown.packages(choice)


def show_package(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """Show all about one package."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    shown.package(name)


def show_project(
    context: typer.Context,
    imports: Annotated[bool, typer.Option("--imports", help="its imports, too")] = False,
    configs: Annotated[bool, typer.Option("--configs", help="its configurations, too")] = False,
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """Show the project: its tasks, types and variables."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    shown.project(imports=imports, configs=configs)


def show_types(
    context: typer.Context,
    tags_only: Annotated[bool, typer.Option("--tags-only", help="types of tags")] = False,
    data_items_only: Annotated[
        bool, typer.Option("--data-items-only", help="types of data items")
    ] = False,
    search: Search = "",
    regex: Regex = "",
    tag: Tag = "",
    package: InPackage = "",
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """List the types."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    choice = _choice(search, regex, tag, package)
    shown.types(choice, tags_only=tags_only, data_only=data_items_only)


def show_tags(
    context: typer.Context,
    search: Search = "",
    regex: Regex = "",
    tag: Tag = "",
    package: InPackage = "",
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """List the types of tags, and how often each is used."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    choice = _choice(search, regex, tag, package)
    shown.tags(choice)


def show_skills(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="of one; without: all")] = "",
    json: Json = False,
    verbose: Verbose = False,
    config: Configuration = "",
    root: Root = "",
    define: Define = [],  # noqa: B006
    param_file: ParamFile = [],  # noqa: B006
) -> None:
    """List the skills that the packages have for agents."""
    shown = _show(context, config, root, define, param_file, json=json, verbose=verbose)
    shown.skills(name)


def _name_and_depth(words: list[str], *, follows: bool) -> tuple[str, int | None]:
    """`--needs` may be followed by a number, which comes as a word of its own."""
    depths = [word for word in words if word.isdecimal()] if follows else []
    names = [word for word in words if word not in depths]
    if len(names) != 1 or len(depths) > 1:
        raise UsageError(f"one task is shown at a time, not {' '.join(words)}")
    if not follows:
        return names[0], None
    return names[0], int(depths[0]) if depths else -1


_SHOWN: dict[str, Callable[..., None]] = {
    "tasks": show_tasks,
    "task": show_task,
    "packages": show_packages,
    "package": show_package,
    "project": show_project,
    "types": show_types,
    "tags": show_tags,
    "skills": show_skills,
}
