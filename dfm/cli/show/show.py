"""`dfm show ...`: what a flow declares (section 37.4)."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence

from dfm.cli.show import entries
from dfm.cli.show.choice import Choice, parse_pairs, produces_all
from dfm.cli.show.entries import Entry
from dfm.cli.show.task import task_details
from dfm.cli.show.text import details, listed
from dfm.errors import NotFound, UsageError
from dfm.flow.declarations import Package
from dfm.flow.load import Flow, Options, load
from dfm.flow.names import find_goal
from dfm.flow.problems import did_you_mean

_SCOPES = ("root", "export", "local")


class Show:
    """One `dfm show`, over the flow that is loaded for it."""

    def __init__(self, options: Options, *, as_json: bool, verbose: bool) -> None:
        self._flow: Flow = load(options, os.environ)
        self._configuration = options.configuration
        self._catalog = self._flow.catalog
        self._as_json = as_json
        self._verbose = verbose

    def tasks(self, choice: Choice, scope: str, produces: str) -> None:
        """Raises UsageError."""
        if scope and scope not in _SCOPES:
            raise UsageError(f"--scope {scope}: not one of {', '.join(_SCOPES)}")
        tasks = [task for task in self._catalog.tasks() if not scope or scope in task.scopes]
        if produces:
            pairs = parse_pairs(produces)
            tasks = [t for t in tasks if produces_all(self._flow.products(t) or (), pairs)]
        found = [entries.task_entry(self._catalog, task) for task in tasks]
        self._list("tasks", found, choice, scope=scope, produces=produces)

    def task(self, name: str, depth: int | None, *, usage: bool) -> None:
        """`depth` of the needs that are followed; None: none, -1: all. Raises NotFound."""
        try:
            task = find_goal(self._catalog.program, name)
        except UsageError as error:
            raise NotFound.of(error.problems) from None
        self._one(task_details(self._flow, task, depth, usage=usage))

    def packages(self, choice: Choice) -> None:
        packages = self._catalog.program.packages.values()
        found = [entries.package_entry(self._catalog, package) for package in packages]
        self._list("packages", found, choice)

    def package(self, name: str) -> None:
        """Raises NotFound."""
        self._one(entries.package_details(self._catalog, self._package(name)))

    def project(self, *, imports: bool, configs: bool) -> None:
        root = self._catalog.program.root
        entry = entries.project_details(self._catalog, configuration=self._configuration)
        if imports:
            entry["imports"] = entries.imports(root)
        if configs:
            entry["configs"] = [
                {"name": one.name, "desc": one.desc} for one in root.configurations.values()
            ]
        self._one(entry)

    def types(self, choice: Choice, *, tags_only: bool, data_only: bool) -> None:
        bases = ["std.Tag"] * tags_only + ["std.DataItem"] * data_only
        found = [
            entries.type_entry(self._catalog, kind)
            for kind in self._catalog.types()
            if not bases or any(self._catalog.shapes.is_a(kind, base) for base in bases)
        ]
        self._list("types", found, choice)

    def tags(self, choice: Choice) -> None:
        used = self._tag_uses()
        found = [
            {**entries.type_entry(self._catalog, kind), "usage_count": used[kind.name]}
            for kind in self._catalog.types()
            if self._catalog.shapes.is_a(kind, "std.Tag") and kind.name != "std.Tag"
        ]
        self._list("tags", found, choice)

    def skills(self, name: str) -> None:
        """The tasks that agents are told of. Raises NotFound."""
        found = skills(self._flow)
        if not name:
            self._list("skills", found, Choice())
            return
        for entry in found:
            if name in (entry["name"], entry["short_name"]):
                self._one(entry)
                return
        known = (entry["short_name"] for entry in found)
        raise NotFound(f"no skill `{name}`", hint=did_you_mean(name, known))

    def _package(self, name: str) -> Package:
        packages = self._catalog.program.packages
        if name not in packages:
            raise NotFound(f"no package `{name}` is loaded", hint=did_you_mean(name, packages))
        return packages[name]

    def _tag_uses(self) -> Counter[str]:
        catalog = self._catalog
        return Counter(
            catalog.tag_type(tag, package.name)
            for package in catalog.program.packages.values()
            for tags in (
                package.tags,
                *(kind.tags for kind in package.types.values()),
                *(task.tags for task in package.tasks.values()),
            )
            for tag in tags
        )

    def _list(self, command: str, found: Sequence[Entry], choice: Choice, **more: str) -> None:
        chosen = choice.of(found, self._catalog.program.packages)
        if self._as_json:
            report = {"command": f"show {command}", "filters": choice.filters(**more),
                      "results": chosen, "count": len(chosen)}  # fmt: skip
            _print([json.dumps(report, indent=2, ensure_ascii=False)])
        else:
            _print(listed(chosen, verbose=self._verbose))

    def _one(self, entry: Entry) -> None:
        if self._as_json:
            _print([json.dumps(entry, indent=2, ensure_ascii=False)])
        else:
            _print(details(entry))


def skills(flow: Flow) -> list[Entry]:
    """Tasks with a tag of type `AgentSkillTag`, and those that emit a `std.AgentSkill`."""
    catalog = flow.catalog
    found = []
    for task in catalog.tasks():
        entry = entries.task_entry(catalog, task)
        end = catalog.shapes.of(task).item_type
        is_skill = end is not None and catalog.shapes.is_a(end, "std.AgentSkill")
        if is_skill or any(tag["name"] == "std.AgentSkillTag" for tag in entry["tags"]):
            found.append(entry)
    return found


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201
