"""Holds one file against the known keys: settings with their places, and every fault at once.

It knows one file; what only shows when the layers are put together is found in `merge`.
"""

from dfm.config.fields import CLASSES, OPTIONAL, SYNONYMS, Field, Kind, Value
from dfm.config.reading import Entry, Node, shorten
from dfm.config.schema import Group, Member, Named, Schema, paths
from dfm.config.settings import AbsentRunner, FileSettings, Setting
from dfm.config.spelling import nearest
from dfm.config.values import Unfit, from_node
from dfm.errors import Place, Problem


def check(document: Node, schema: Schema) -> FileSettings:
    """Everything the document says. Raises nothing."""
    walk = _Walk(schema)
    walk.document(document)
    return walk.found


class _Walk:
    def __init__(self, schema: Schema) -> None:
        self.found = FileSettings({}, [], [], set(), [])
        self._schema = schema
        self._is_bare = False  # the file leaves `runner:` out

    def document(self, node: Node) -> None:
        root = self._schema.root
        entries = self._entries(node, "")
        if any(entry.key.text == "runner" for entry in entries):
            self._members(entries, "", root)
            return
        self._is_bare = True
        runner = root.members["runner"]
        assert isinstance(runner, Group)
        self._members([entry for entry in entries if entry.key.text == "run"], "", root)
        self._members([entry for entry in entries if entry.key.text != "run"], "runner", runner)

    def _entries(self, node: Node, path: str) -> list[Entry]:
        """A mapping's entries, each key once. Nothing counts as an empty mapping: `pool:`."""
        if node.shape == "nothing":
            return []
        if node.shape != "mapping":
            self._problem(f"{_subject(path)} must be a mapping, not {node}", node.place)
            return []
        first: dict[str, Entry] = {}
        for entry in node.entries():
            key, place = entry.key, entry.key.place
            if key.shape in ("list", "mapping", "tagged"):
                self._problem(f"a key of {_subject(path)} must be text, not {key}", place)
            elif key.text in first:
                line = first[key.text].key.place.line
                self._problem(
                    f"`{_join(path, key.text)}` is set twice, first on line {line}", place
                )
            else:
                first[key.text] = entry
        return list(first.values())

    def _members(self, entries: list[Entry], path: str, group: Group) -> None:
        for entry in entries:
            member = group.members.get(entry.key.text)
            if member is None:
                self._unknown(entry, path, group)
            else:
                self._member(entry, _join(path, entry.key.text), member)

    def _member(self, entry: Entry, path: str, member: Member) -> None:
        match member:
            case Field():
                self._field(entry, path, member)
            case Group():
                self._members(self._entries(entry.value, path), path, member)
            case Named():
                for named in self._entries(entry.value, path):
                    self._named(named, path, member)

    def _named(self, entry: Entry, path: str, member: Named) -> None:
        name = entry.key.text
        if not name or not name.isprintable():
            what = f"a name in `{path}` must be printable and not empty"
            self._problem(what, entry.key.place)
            return
        if path == CLASSES:
            self.found.classes.append(name)
        self._member(entry, _join(path, name), member.entry)

    def _field(self, entry: Entry, path: str, field: Field) -> None:
        setting = self._setting(entry, path, field)
        key = SYNONYMS.get(path, path)
        if setting is None:
            self.found.faulty.add(key)
            return
        known = self.found.settings.setdefault(key, setting)
        if known.value != setting.value:  # only a synonym comes here a second time
            what = f"`{path}` is {setting.value!r}, but its synonym on line {known.place.line} is {known.value!r}"
            self._problem(what, setting.place, hint=f"keep `{key}` alone")

    def _setting(self, entry: Entry, path: str, field: Field) -> Setting | None:
        node, place = entry.value, entry.key.place
        if field.kind is not Kind.TEXTS:
            value = self._value(node, path, field)
            return None if value is None else Setting(value, place)
        if node.shape == "nothing" or (node.shape == "text" and not node.text):
            return Setting((), place, ())
        if node.shape in ("mapping", "tagged"):
            self._problem(f"`{path}` must be a list of texts, not {node}", node.place)
            return None
        elements = node.items() if node.shape == "list" else [node]
        texts = []
        for number, element in enumerate(elements):
            key = f"{path}[{number}]" if node.shape == "list" else path
            text = self._value(element, key, field._replace(minimum=1))
            if text is not None:
                texts.append(str(text))
        if len(texts) < len(elements):
            return None
        return Setting(tuple(texts), place, tuple(element.place for element in elements))

    def _value(self, node: Node, path: str, field: Field) -> Value | None:
        try:
            return from_node(field, node)
        except Unfit as unfit:
            self._problem(f"`{path}` must be {unfit}, not {node}", node.place, hint=unfit.hint)
            return None

    def _unknown(self, entry: Entry, path: str, group: Group) -> None:
        name = entry.key.text
        known = {member: _join(path, member) for member in group.members}
        key = _join(path, shorten(name))
        if self._is_bare and path == "runner":  # perhaps `runner` itself is misspelt
            known |= {member: member for member in self._schema.root.members}
            key = shorten(name)
        elsewhere = [one for one in paths(self._schema.root) if one.endswith(f".{name}")]
        near = nearest(name, known)
        meant = elsewhere or ([known[near]] if near else [])
        hint = f"did you mean {' or '.join(f'`{one}`' for one in meant)}?" if meant else ""
        if path == "runner" and entry.value.shape == "mapping":
            self._absent(entry, key, hint)
        else:
            known_here = f"known here: {', '.join(group.members)}"
            self._problem(f"unknown key `{key}`", entry.key.place, hint=hint or known_here)

    def _absent(self, entry: Entry, key: str, hint: str) -> None:
        """A mapping below `runner` that nobody here knows may be meant for another host."""
        name, optional = entry.key.text, None
        for inner in self._entries(entry.value, f"runner.{name}"):
            if inner.key.text == OPTIONAL.key:
                optional = self._value(inner.value, f"runner.{name}.{OPTIONAL.key}", OPTIONAL)
        runners = ", ".join(self._schema.runners) or "none"
        skip = f"installed: {runners}; `optional: true` skips the section where its runner is not"
        what = f"unknown key `{key}`: no runner `{shorten(name)}` is installed here"
        problem = Problem(_printable(what), entry.key.place, f"{hint}\n{skip}".strip())
        is_optional = optional if isinstance(optional, bool) else None
        self.found.absent.append(AbsentRunner(name, is_optional, problem))

    def _problem(self, what: str, place: Place, *, hint: str = "") -> None:
        self.found.problems.append(Problem(_printable(what), place, hint))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _subject(path: str) -> str:
    return f"`{path}`" if path else "the file"


def _printable(text: str) -> str:
    """Keys come from a file, and end on a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
