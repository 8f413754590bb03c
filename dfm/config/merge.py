"""Puts the layers' settings on top of each other, and finds the faults that only show then.

Scalars: the last layer wins, field by field. Lists: the layers' elements, in layer order; a default
list holds only if no layer has one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dfm.config.fields import CLASS_FIELDS, CLASSES, SETTINGS, Field, Section, Value
from dfm.config.settings import FileSettings, Setting
from dfm.errors import Place, Problem

DEFAULT = "default"
Origin = Place | str  # where a value was set: in a file, or by what (DEFAULT, "--runner-opt")


class Merged(NamedTuple):
    """Values and origins by dotted key; an element of a list has its origin at `key[0]`, `key[1]`..."""

    values: dict[str, Value]
    origins: dict[str, Origin]
    classes: list[str]


def merge(files: Sequence[FileSettings], sections: Mapping[str, Section]) -> Merged:
    """`files` lowest precedence first; unset values come from the tables' defaults."""
    classes = dict.fromkeys(name for file in files for name in file.classes)
    merged = Merged({}, {}, list(classes))
    _fill(merged, SETTINGS, "")
    for name, section in sections.items():
        _fill(merged, section.fields, f"runner.{name}.")
    for name in classes:
        _fill(merged, CLASS_FIELDS, f"{CLASSES}.{name}.")
    for file in files:
        for key, setting in file.settings.items():
            _put(merged, key, setting)
    return merged


def absent_runners(files: Iterable[FileSettings]) -> list[Problem]:
    """Sections of runners that are not installed, but for those that some layer made optional."""
    absent = [section for file in files for section in file.absent]
    said = {section.name: section.optional for section in absent if section.optional is not None}
    return [section.problem for section in absent if not said.get(section.name)]


def contradictions(merged: Merged, files: Iterable[FileSettings]) -> list[Problem]:
    """Values that are fine alone and impossible together."""
    low, high = "runner.pool.min_workers", "runner.pool.max_workers"
    least, most = merged.values[low], merged.values[high]
    assert isinstance(least, int)
    assert isinstance(most, int)
    # A faulty value was left out, so what was merged without it says nothing.
    if least <= most or any(file.faulty & {low, high} for file in files):
        return []
    place = merged.origins[low]
    assert isinstance(place, Place), "the defaults fit together"
    what = f"`{low}` is {least} ({place}), more than `{high}`, which is {most} ({merged.origins[high]})"
    return [Problem(what, place)]


def _fill(merged: Merged, fields: Iterable[Field], prefix: str) -> None:
    for field in fields:
        key = prefix + field.key
        if field.default is not None:
            merged.values[key] = field.default
            merged.origins[key] = DEFAULT


def _put(merged: Merged, key: str, setting: Setting) -> None:
    value, values, origins = setting.value, merged.values, merged.origins
    if setting.elements is not None:
        below = values.get(key) if origins.get(key, DEFAULT) != DEFAULT else ()
        assert isinstance(below, tuple)
        assert isinstance(value, tuple)
        for number, place in enumerate(setting.elements, len(below)):
            origins[f"{key}[{number}]"] = place
        value = (*below, *value)
    values[key] = value
    origins[key] = setting.place
