"""`dfm context`: everything about a project in one answer, for tools and assistants (section 37.5)."""

import json
import os

from dfm.cli.show import entries
from dfm.cli.show.entries import Entry
from dfm.cli.show.show import skills
from dfm.cli.show.text import details, listed
from dfm.flow.declarations import Task
from dfm.flow.load import Flow, Options, load
from dfm.graph.values import Value


def context(
    options: Options, *, as_json: bool, imports: bool, installed: bool, verbose: bool
) -> int:
    """Prints it: of the root package; with `imports` of the project's other packages too, with
    `installed` also of those that come with dfm and with plugins."""
    flow = load(options, os.environ)
    found = _collect(flow, imports=imports, installed=installed, verbose=verbose)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))  # noqa: T201
        return 0
    lines = details(found["project"])
    for part in ("tasks", "types", "configs", "skills"):
        if found[part]:
            lines += [
                "",
                f"{part}:",
                *(f"  {line}" for line in listed(found[part], verbose=verbose)),
            ]
    if found["imports"]:
        lines += ["", "imports:", *(f"  {_import(one)}" for one in found["imports"])]
    print("\n".join(lines))  # noqa: T201
    return 0


def _collect(flow: Flow, *, imports: bool, installed: bool, verbose: bool) -> Entry:
    catalog = flow.catalog
    root = catalog.program.root
    packages = [
        package
        for package in catalog.program.packages.values()
        if package is root or (installed if package.is_installed else imports)
    ]
    tasks = [task for package in packages for task in package.tasks.values()]
    return {
        "project": {
            "name": root.name,
            "basedir": root.context.srcdir,
            "params": catalog.variables(root.name),
        },
        "tasks": [_task(flow, task, verbose=verbose) for task in tasks],
        "types": [
            entries.type_entry(catalog, kind)
            for package in packages
            for kind in package.types.values()
        ],
        "configs": [{"name": one.name, "desc": one.desc} for one in root.configurations.values()],
        "imports": entries.imports(root),
        "skills": [
            entry for entry in skills(flow) if entry["package"] in {one.name for one in packages}
        ],
    }


def _task(flow: Flow, task: Task, *, verbose: bool) -> Entry:
    catalog = flow.catalog
    entry: Entry = {
        "name": task.name,
        "short_name": task.short,
        "desc": catalog.desc(task),
        "scope": entries.scopes(task),
        "needs": entries.names(catalog.needs(task)),
        "uses": catalog.uses(task),
    }
    if verbose:
        entry["doc"] = catalog.doc(task)
        entry["params"] = flow.parameter_values(task)
    return entry


def _import(written: Value) -> str:
    """`uart from libs/uart as u`."""
    if not isinstance(written, dict):
        return str(written)
    parts = [f"{key} {written[key]}" for key in ("from", "as", "config") if key in written]
    return " ".join([*([str(written["name"])] if "name" in written else []), *parts])
