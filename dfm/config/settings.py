"""What one configuration file says, between checking it and merging it with the others."""

from typing import NamedTuple

from dfm.config.fields import Value
from dfm.errors import Place, Problem


class Setting(NamedTuple):
    """A value and where it is; of a list also where each element is (None: not a list)."""

    value: Value
    place: Place
    elements: tuple[Place, ...] | None = None


class AbsentRunner(NamedTuple):
    """A section whose runner is not installed: the fault it is, unless it turns out `optional`."""

    name: str
    optional: bool | None  # None: this file does not say
    problem: Problem


class FileSettings(NamedTuple):
    """Settings by dotted key, the resource classes that occur, and every fault of the file."""

    settings: dict[str, Setting]
    classes: list[str]
    absent: list[AbsentRunner]
    faulty: set[str]  # keys that are set, but to nothing usable
    problems: list[Problem]
