"""The tables of fields as the tree that a configuration file is held against."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dfm.config.fields import (
    CLASS_FIELDS,
    CLASSES,
    LIMIT,
    LIMITS,
    OPTIONAL,
    SETTINGS,
    SYNONYMS,
    Field,
    Section,
)


class Group(NamedTuple):
    """A mapping whose keys are known."""

    members: dict[str, "Member"]


class Named(NamedTuple):
    """A mapping whose keys the user invents, each with a value of one shape."""

    entry: Field | Group


Member = Field | Group | Named


class Schema(NamedTuple):
    """Every key that has a meaning here, and the runners that are installed."""

    root: Group
    runners: tuple[str, ...]


def build_schema(sections: Mapping[str, Section]) -> Schema:
    root = Group({})
    for field in SETTINGS:
        _put(root, field.key, field)
    _put(root, CLASSES, Named(_group(CLASS_FIELDS)))
    _put(root, LIMITS, Named(LIMIT))
    for synonym, key in SYNONYMS.items():
        _put(root, synonym, next(field for field in SETTINGS if field.key == key))
    runner = root.members["runner"]
    assert isinstance(runner, Group)
    for name, section in sections.items():
        # A package may call its runner `pool`; the setting of that name stays reachable.
        runner.members.setdefault(name, _group((*section.fields, OPTIONAL)))
    return Schema(root, tuple(sections))


def paths(group: Group, prefix: str = "") -> Iterable[str]:
    """The dotted path of every known key below `group`."""
    for name, member in group.members.items():
        yield prefix + name
        if isinstance(member, Group):
            yield from paths(member, f"{prefix}{name}.")


def _group(fields: Iterable[Field]) -> Group:
    return Group({field.key: field for field in fields})


def _put(root: Group, path: str, member: Member) -> None:
    *parents, name = path.split(".")
    group = root
    for parent in parents:
        below = group.members.setdefault(parent, Group({}))
        assert isinstance(below, Group), f"{path}: {parent} is a field"
        group = below
    group.members[name] = member
