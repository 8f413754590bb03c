"""All packages of a flow: the root's, what it imports, and so on (section 7).

An import is worked off after all that were written before it; nothing is loaded twice.
"""

import os
from collections import deque
from collections.abc import Iterable

from dfm.flow import plugins
from dfm.flow.declarations import Configuration, Import, Package
from dfm.flow.document import Document, Where
from dfm.flow.fields import Reader
from dfm.flow.finder import Finder, Source
from dfm.flow.import_expressions import Expansion, Outside
from dfm.flow.parse_package import parse_package
from dfm.flow.problems import did_you_mean
from dfm.flow.references import may_mean, unanswered
from dfm.flow.shapes import Merged, variable
from dfm.flow.wanted import Wanted


class Packages:
    """Loads packages. Faults are collected; what has one is left out."""

    def __init__(self, reader: Reader, finder: Finder, outside: Outside) -> None:
        self.by_name: dict[str, Package] = {}
        self.wanted: dict[str, Wanted] = {}
        self.problems = reader.problems
        self.root: Package
        self._reader = reader
        self._finder = finder
        self._outside = outside
        self._files: dict[str, Package] = {}  # by their files, without links
        self._todo: deque[tuple[Package, Import]] = deque()
        self._unseen: deque[Package] = deque()  # whose references were not looked through
        self._aliases: dict[tuple[str, str], Where] = {}
        self._named_outside: list[str] = []

    def begin(self, document: Document, std: Package, names: Iterable[str] = ()) -> Package:
        """The root package. What it imports is not loaded yet; the command line has these `names` of
        tasks, too."""
        self._named_outside = list(names)
        self.by_name[std.name] = std
        self._finder.take(document)
        package = self.root = parse_package(self._reader, document)
        if package.name == std.name:
            what = f"`{std.name}` is the name of the standard library"
            self.problems.add(package.where.at("name"), what)
            self.problems.raise_any()
        self._add(package, document)
        return package

    def import_for(
        self, package: Package, imports: Iterable[Import], chosen: Iterable[Configuration]
    ) -> None:
        """Queues imports of a package; its variables have the values of these configurations."""
        imports = list(imports)
        expansion = self._expansion(package, chosen)
        for one in imports:
            expand, where, context = expansion.expand, one.where, one.context
            one.text = expand(one.text, where, context)
            one.name = expand(one.name, where.at("name"), context)
            one.path = expand(one.path, where.at("from"), context)
            if one.name and one.path:
                self._pin(one)
        for listed in package.maps:
            path = expansion.of_package(listed.path, listed.where)
            if path:
                file = os.path.normpath(os.path.join(listed.folder, path))
                self._finder.add_map(file, listed.where, expansion.of_package)
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
        package = self._find(importer, one)
        if package is None:
            return
        if one.name and one.path and package.name != one.name:
            what = f"`{one.name}` is said to be in {package.where.document.file}"
            what += f", which has the package `{package.name}`"
            self.problems.add(one.where.at("name"), what)
            return
        if one.alias:
            self._name(importer, one, package)
        self.wanted.setdefault(package.name, Wanted()).take(package, one, self.problems)

    def _find(self, importer: Package, one: Import) -> Package | None:
        name = "" if one.path else one.name or one.text
        if name in self.by_name and (name == "std" or self.by_name[name].is_installed):
            return self.by_name[name]
        source = self._finder.named(name, self._of_root) if name else None
        if source is not None and (os.path.exists(source.path) or not one.text):
            return self._load(source, one.where.at("name") if one.name else one.where, name)
        where = one.where.at("from") if one.path else one.where
        for folder in self._folders(one) if one.path or one.text else ():
            path = os.path.normpath(os.path.join(folder, one.path or one.text))
            if os.path.exists(path):
                return self._load(Source(path, importer.is_installed), where)
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

    # Plugins

    def _bring(self, package: Package) -> None:
        """Packages of plugins need no import: it is enough to refer to them."""
        more = self._named_outside if package is self.root else ()
        unknown = unanswered(package, self.by_name, more)
        if not unknown:
            return
        for name, path in plugins.find().packages.items():
            if name not in self.by_name and any(may_mean(text, name) for text in unknown):
                self._load(Source(os.path.abspath(path), is_installed=True), package.where, name)
        if any("${{" not in name for name in unanswered(package, self.by_name)):
            self._report_broken()

    def _report_broken(self) -> None:
        """Something is missing: a plugin that is broken may have had it."""
        for text in plugins.find().broken:
            self.problems.remark(text)

    # Expressions in names and paths

    def _of_root(self, text: str, where: Where) -> str:
        return self._expansion(self.root, ()).of_package(text, where)

    def _expansion(self, package: Package, chosen: Iterable[Configuration]) -> Expansion:
        writings = [one for configuration in chosen for one in configuration.params.values()]
        if package.name in self.wanted:
            writings += self.wanted[package.name].params.values()
        variables = self.variables(package)
        return Expansion(package, variables, writings, self._outside, self.problems)
