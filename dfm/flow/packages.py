"""All packages of a flow: the root's, what it imports, and so on (section 7).

An import is worked off after all that were written before it; nothing is loaded twice.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dfm.flow import plugins
from dfm.flow.command_line import variables_of
from dfm.flow.declarations import (
    MISSING,
    Configuration,
    Context,
    Import,
    Package,
    Parameter,
    Program,
)
from dfm.flow.document import Document, Where
from dfm.flow.expressions import ExpressionError, as_text
from dfm.flow.fields import Reader
from dfm.flow.finder import Finder, Source
from dfm.flow.names import NEEDS_OF
from dfm.flow.parse_package import parse_package
from dfm.flow.problems import did_you_mean
from dfm.flow.references import mentioned
from dfm.flow.shapes import Merged, variable
from dfm.flow.templates import evaluate, has_expressions, report
from dfm.flow.world import BadValue, Scope, World
from dfm.graph.values import Value


class Wanted(NamedTuple):
    """What imports of a package say about it, with the places."""

    configuration: list[tuple[str, Where]]
    params: dict[str, Parameter]


class Packages:
    """Loads packages. Faults are collected; what has one is left out."""

    def __init__(
        self, reader: Reader, finder: Finder, environ: Mapping[str, str], definitions: Iterable[str]
    ) -> None:
        self.by_name: dict[str, Package] = {}
        self.wanted: dict[str, Wanted] = {}
        self._reader = reader
        self.problems = reader.problems
        self._finder = finder
        self._environ = environ
        self._definitions = list(definitions)
        self._files: dict[str, Package] = {}
        self._todo: deque[tuple[Package, Import]] = deque()
        self._unseen: deque[Package] = deque()  # whose references were not looked through
        self._aliases: dict[tuple[str, str], Where] = {}
        self._broken: int = 0  # plugins that were reported
        self.root: Package

    def begin(self, document: Document, std: Package) -> Package:
        """The root package. What it imports is not loaded yet."""
        self.by_name[std.name] = std
        self._finder.take(document)
        package = self.root = parse_package(self._reader, document)
        if package.name == std.name:
            what = f"`{std.name}` is the name of the standard library"
            self.problems.add(package.where.at("name"), what)
            self.problems.raise_any()
        self._add(package, document)
        return package

    def import_for(self, package: Package, imports: Iterable[Import], chosen: Iterable[Configuration]) -> None:  # fmt: skip
        """Queues imports of a package; its variables have the values of these configurations."""
        imports = list(imports)
        world = self._world(package, chosen)
        for one in imports:
            for field, where in (("name", one.where.at("name")), ("path", one.where.at("from")),
                                 ("text", one.where)):  # fmt: skip
                setattr(one, field, self._expand(getattr(one, field), where, one.context, world))
            if one.name and one.path:
                self._pin(one)
        for listed in package.maps:
            path = self._expand(listed.path, listed.where, package.context, world)
            if path:
                self._finder.add_map(
                    os.path.normpath(os.path.join(listed.folder, path)),
                    listed.where,
                    lambda text, where: self._expand(text, where, package.context, world),
                )
        package.maps = []
        self._todo += [(package, one) for one in imports]

    def settle(self) -> None:
        """Loads what is imported, and packages of plugins that something refers to."""
        while self._todo or self._unseen:
            while self._todo:
                self._import(*self._todo.popleft())
            if self._unseen:
                self._bring(self._unseen.popleft())

    def look_through(self, package: Package) -> None:
        """Its references have changed."""
        self._unseen.append(package)

    def named(self, name: str, where: Where) -> Package | None:
        """A package by its name, loaded if it was not; None if nobody knows it."""
        if name not in self.by_name:
            source = self._finder.named(name, self._of_root)
            if source is not None:
                self._load(source, where, name)
                self.settle()
        return self.by_name.get(name)

    def variables(self, package: Package) -> dict[str, Merged]:
        """With those that it inherits, the base's first."""
        made: dict[str, Merged] = {}
        for layer in (*package.inherited, package.params):
            for name, writing in layer.items():
                if name in made:
                    made[name] = made[name].changed_by(writing)
                elif writing.kind is not None:
                    made[name] = variable(writing)
                elif layer is not package.params or not package.uses or package.inherited:
                    self.problems.add(
                        writing.where.key(), f"the package variable `{name}` needs a `type`",
                        hint="write {type: str, value: ...}",
                    )  # fmt: skip
        return made

    # One package

    def _add(self, package: Package, document: Document) -> None:
        self.by_name[package.name] = package
        self._files[os.path.realpath(document.file)] = package
        self._unseen.append(package)

    def _load(self, source: Source, where: Where, name: str = "") -> Package | None:
        """The package there; None after the fault is said. `name` is what it is thought to be."""
        document = self._finder.package_at(source.path, where)
        if document is None:
            return None
        known = self._files.get(os.path.realpath(document.file))
        if known is not None:
            return known
        package = parse_package(self._reader, document)
        if not package.name:
            return None  # it was said
        package.is_installed = source.is_installed
        other = self.by_name.get(package.name)
        if other is not None:
            what = f"package `{package.name}` is in {document.file} and in another file"
            first = other.where.at("name").place()
            self.problems.add(where, what, hint=f"first at {first}")
            return None
        if name and package.name != name:
            what = f"package `{name}` is said to be in {document.file}, which has `{package.name}`"
            self.problems.warn(where, what)
        self._add(package, document)
        self.import_for(package, package.imports, ())
        return package

    # One import

    def _import(self, importer: Package, one: Import) -> None:
        package = self._find(one)
        if package is None:
            return
        if one.name and one.path and package.name != one.name:
            what = f"`{one.name}` is said to be in {package.where.document.file}"
            what += f", which has the package `{package.name}`"
            self.problems.add(one.where.at("name"), what)
            return
        if one.alias:
            self._name(importer, one, package)
        self._want(package, one)

    def _find(self, one: Import) -> Package | None:
        if one.path:
            for folder in self._folders(one):
                path = os.path.normpath(os.path.join(folder, one.path))
                if os.path.exists(path):
                    return self._load(Source(path), one.where.at("from"))
            self._not_found(one)
            return None
        name = one.name or one.text
        if name in self.by_name and (name == "std" or self.by_name[name].is_installed):
            return self.by_name[name]
        source = self._finder.named(name, self._of_root) if name else None
        if source is not None and (os.path.exists(source.path) or not one.text):
            return self._load(source, one.where.at("name") if one.name else one.where, name)
        for folder in self._folders(one) if one.text else ():
            path = os.path.normpath(os.path.join(folder, one.text))
            if os.path.exists(path):
                return self._load(Source(path), one.where)
        self._not_found(one)
        return None

    def _folders(self, one: Import) -> list[str]:
        """What a path is relative to."""
        return list(dict.fromkeys((one.context.srcdir, self.root.context.srcdir)))

    def _not_found(self, one: Import) -> None:
        if not one.shown:
            return  # the fault of its expression was said
        self._report_broken()
        field = "name" if one.name and not one.path else "from"
        where = one.where if one.text else one.where.at(field)
        shown = one.text or (one.path if field == "from" else one.name)
        looked = "no such file or folder in " + " or ".join(self._folders(one))
        names = did_you_mean(shown, self._finder.names()) if field == "name" or one.text else ""
        hint = "\n".join(filter(None, (names, looked if field == "from" or one.text else "")))
        self.problems.add(where, f"import `{shown}` not found", hint=hint)

    def _pin(self, one: Import) -> None:
        folders = [folder for folder in self._folders(one)
                   if os.path.exists(os.path.join(folder, one.path))]  # fmt: skip
        if folders:
            path = os.path.normpath(os.path.join(folders[0], one.path))
            if other := self._finder.pin(one.name, path):
                what = f"package `{one.name}` is pinned to {path} here, and to {other} elsewhere"
                self.problems.add(one.where.at("from"), what)

    def _name(self, importer: Package, one: Import, package: Package) -> None:
        where = one.where.at("as")
        first = self._aliases.setdefault((importer.name, one.alias), where)
        if first != where:
            what = f"two imports have the alias `{one.alias}`"
            self.problems.add(where, what, hint=f"first at {first.place()}")
        importer.aliases[one.alias] = package.name

    def _want(self, package: Package, one: Import) -> None:
        """What an import says of configuration and variables; two must not contradict each other."""
        wanted = self.wanted.setdefault(package.name, Wanted([], {}))
        if one.configuration:
            where = one.where.at("config")
            if wanted.configuration and wanted.configuration[0][0] != one.configuration:
                first, place = wanted.configuration[0]
                what = f"package {package.name} is imported with configuration"
                what += f" `{one.configuration}` here, and with `{first}` elsewhere"
                self.problems.add(where, what, hint=f"first at {place.place()}")
            wanted.configuration.append((one.configuration, where))
        for name, writing in one.params.items():
            other = wanted.params.setdefault(name, writing)
            if other is not writing and other.parts() != writing.parts():
                what = f"two imports give `{name}` of package {package.name} different values"
                self.problems.add(writing.where.key(), what, hint=f"first at {other.where.place()}")

    # Plugins

    def _bring(self, package: Package) -> None:
        """Packages of plugins need no import: it is enough to refer to them."""
        unknown = [name for name in mentioned(package) if not self._is_known(name, package)]
        if not unknown:
            return
        for name, path in plugins.find().packages.items():
            if name not in self.by_name and any(_may_mean(text, name) for text in unknown):
                self._load(Source(os.path.abspath(path), is_installed=True), package.where, name)
        if any("${{" not in name for name in unknown):
            self._report_broken()

    def _is_known(self, name: str, package: Package) -> bool:
        wanted = {name, name.removesuffix(NEEDS_OF)}
        for head in _heads(name):
            if head in package.aliases:
                return True
            known = self.by_name.get(head)
            if known and any(one in known.tasks or one in known.types for one in wanted):
                return True
        return False

    def _report_broken(self) -> None:
        """Something is missing: a plugin that is broken may have had it."""
        for text in plugins.find().broken:
            self.problems.remark(text)

    # Expressions in names and paths

    def _of_root(self, text: str, where: Where) -> str | None:
        return self._expand(text, where, self.root.context, self._world(self.root, ()))

    def _world(self, package: Package, chosen: Iterable[Configuration]) -> World:
        """What expressions of imports see: the environment, and the package's own variables."""
        variables = self.variables(package)
        for configuration in chosen:
            for name, writing in configuration.params.items():
                if name in variables:
                    variables[name] = variables[name].changed_by(writing)
        wanted = self.wanted.get(package.name)
        for name, writing in (wanted.params if wanted else {}).items():
            if name in variables and not any(map(has_expressions, writing.parts())):
                variables[name] = variables[name].changed_by(writing)
        return World(
            Program(package, {package.name: package}, {}, {}), self.problems, environ=self._environ,
            root_file=self.root.where.document.file, variables={package.name: variables},
            overrides={package.name: variables_of(package.name, variables, self._definitions)},
        )  # fmt: skip

    def _expand(self, text: str, where: Where, context: Context, world: World) -> str:
        """The text with its expressions replaced; empty after the fault is said."""
        if "${{" not in text:
            return text
        value: Value = MISSING
        try:
            value = evaluate(text, Scope(world, context))
        except ExpressionError as error:
            report(error, where, text, self.problems, f"import `{text}`")
        except BadValue:
            pass
        return "" if value is MISSING else as_text(value)


def _heads(name: str) -> Iterator[str]:
    """What the package of a full name may be."""
    end = name.find(".")
    while end > 0:
        yield name[:end]
        end = name.find(".", end + 1)


def _may_mean(text: str, package: str) -> bool:
    """Whether a reference, perhaps with expressions in it, may be of this package."""
    fixed, marker, _ = text.partition("${{")
    return fixed.startswith(f"{package}.") or (bool(marker) and f"{package}.".startswith(fixed))
