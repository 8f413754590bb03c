"""A declaration at one place of the graph, and the bodies that it stands in."""

from dataclasses import dataclass, field

from dfm.flow.body import Body
from dfm.flow.declarations import Task


@dataclass(slots=True)
class Level:
    """The tasks of one body, or of one cell of a matrix, and those of the bodies around it."""

    outer: "Level | None"
    members: dict[str, "Instance"] = field(default_factory=dict)  # by short name
    feeders: dict[int, list[int]] = field(default_factory=dict)  # of each number that is fed

    def find(self, short: str, asking: "Instance") -> "Instance | None":
        """What a name means to a task here: none means itself, as long as another has its name."""
        level: Level | None = self
        while level is not None:
            found = level.members.get(short)
            if found is not None and found is not asking:
                return found
            level = level.outer
        return None


@dataclass(slots=True)
class Instance:
    """One task of the graph while that is built. Paths are relative to the run directory."""

    number: int  # -1: only its needs are wanted
    task: Task
    name: str
    folder: str  # its own
    rundir: str  # where it runs: its own, or that of the compound around it
    inside: str = ""  # the folder that those of its siblings lie in
    body: Body | None = None  # around it
    level: Level | None = None
    compound: "Instance | None" = None  # around it
    scope: int | None = None
    needs: list[int] | None = None  # once known
    bodies: frozenset[int] = frozenset()  # the declared bodies that it stands in, by identity
    gate: int | None = None  # the nearest that it stands behind
    family: "Instance | None" = None  # of a variant
    declared: Task | None = None  # of one that Python has made anew: what the flow file says
    stem: str | None = None  # of its files; None: its name
    is_copy: bool = False  # others may have its name: it stands in a body that is there repeatedly

    @property
    def is_cell(self) -> bool:
        """Whether it belongs to a cell of a matrix; the tasks of its own body do not say which."""
        return self.name != self.task.name

    def depth(self) -> int:
        """How many bodies it stands in."""
        count, around = 0, self.compound
        while around is not None:
            count, around = count + 1, around.compound
        return count
