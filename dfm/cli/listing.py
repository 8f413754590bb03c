"""The tasks that a project offers, as `dfm run` and `dfm graph` list them without one."""

from dfm.flow.load import Flow


def list_tasks(flow: Flow) -> None:
    """The root tasks of the root package (section 21)."""
    package = flow.program.root
    print(package.name)  # noqa: T201
    tasks = [task for task in package.tasks.values() if "root" in task.scopes]
    if not tasks and package.tasks:
        print("no root task; all tasks of the package:")  # noqa: T201
        tasks = list(package.tasks.values())
    width = max((len(task.name) for task in tasks), default=0)
    for task in tasks:
        print(f"{task.name:<{width}} - {flow.description(task) or '<no description>'}")  # noqa: T201
    if any(variable.cli is not None for variable in package.params.values()):
        from dfm.cli.run_help import option_lines

        print("\n".join(["project options:", *option_lines(flow.project_options())]))  # noqa: T201
