"""The tasks that a project offers, as `dfm run` and `dfm graph` list them without one."""

from dfm.flow.load import Flow


def list_tasks(flow: Flow) -> None:
    """The root tasks of the root package (section 21)."""
    package = flow.program.root
    print(package.name)  # noqa: T201
    provided = [task for task in package.tasks.values() if flow.is_provided(task)]
    tasks = [task for task in provided if "root" in task.scopes]
    if not tasks and provided:
        print("no root task; all tasks of the package:")  # noqa: T201
        tasks = provided
    width = max((len(task.name) for task in tasks), default=0)
    for task in tasks:
        notes = "" if flow.is_implemented(task) else " [unimplemented]"
        for axis, values in flow.axes(task).items():
            notes += f" [{axis}: {', '.join(map(str, values))}]"
        print(f"{task.name:<{width}} - {flow.description(task) or '<no description>'}{notes}")  # noqa: T201
    if any(variable.cli is not None for variable in package.params.values()):
        from dfm.cli.run_help import option_lines

        print("\n".join(["project options:", *option_lines(flow.project_options())]))  # noqa: T201
