"""The one exception hierarchy. A class per reaction, not per place; each has its exit code.

DfmError                 3   printed as `dfm: what`, then the hint; everything else is a bug of ours
├── UsageError           2   the command line
├── NotFound             1   what was asked about is not there
├── ConfigError          2   a configuration layer
├── FlowError            2   a flow file, or a graph that cannot be built from it
├── RunnerError          3   a scheduler or the local host refused
├── DaemonError          3   no daemon, a lost daemon, a daemon that says no
│   └── CredentialsError 3   credentials that cannot be used: asking again is of no use
└── ProtocolError        3   a peer sent what no peer of ours sends
"""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple, Self


class Place(NamedTuple):
    """Where in a file; line and column count from 1, 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return (
            f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        )


class Problem(NamedTuple):
    """One fault of a file, as a user meets it."""

    what: str
    place: Place | None = None
    hint: str = ""
    kind: str = "ParseError"  # what `dfm validate --json` calls it
    tasks: tuple[str, ...] = ()  # of a circle: its members, the first one once more at the end

    def __str__(self) -> str:
        text = f"{self.place}: {self.what}" if self.place else self.what
        return text + "".join(f"\n     {line}" for line in self.hint.splitlines())


class DfmError(Exception):
    """What happened (with its place), and what to do. `problems` holds every fault found at once."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, place: Place | None = None, hint: str = "") -> None:
        super().__init__(what)
        self.problems: tuple[Problem, ...] = (Problem(what, place, hint),)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """One error for all faults of a file or a configuration. There must be at least one."""
        found = tuple(problems)
        assert found, "an error needs a problem"
        error = cls(found[0].what)
        error.problems = found
        return error

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class UsageError(DfmError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class NotFound(DfmError):
    """Somebody asks about a task, type or package that the flow does not have."""

    exit_code = 1


class ConfigError(DfmError):
    """A configuration layer cannot be read or says something impossible."""

    exit_code = 2


class FlowError(DfmError):
    """A flow file is wrong; nothing was run."""

    exit_code = 2


class RunnerError(DfmError):
    """A runner cannot do its work here. `retryable`: the same may work later, unchanged."""

    retryable = False

    @classmethod
    def later(cls, what: str, *, hint: str = "") -> Self:
        """One that is retryable."""
        error = cls(what, hint=hint)
        error.retryable = True
        return error


class DaemonError(DfmError):
    """There is no daemon to talk to, or it cannot do what was asked."""


class CredentialsError(DaemonError):
    """The project's credentials are not there, or not whole."""


class ProtocolError(DfmError):
    """Bytes that no peer of ours sends: the connection is closed."""
