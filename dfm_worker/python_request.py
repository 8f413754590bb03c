"""What the process of a Python task is told, in an anonymous file."""

from typing import NamedTuple

from dfm.wire.codec import Record
from dfm.wire.task import TaskSpec


class Request(NamedTuple):
    """The place and the variables are for a process that was forked; others are started with them."""

    spec: TaskSpec  # with its inputs
    cwd: str
    variables: dict[str, str]


REQUEST = Record(Request)
