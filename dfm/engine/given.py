"""What a node was given that is being executed."""

from typing import Any

from dfm.engine.incoming import View
from dfm.engine.records import Input, Marker
from dfm.wire.task import Requirements


class Given:
    """One node, until it has ended."""

    __slots__ = ("input", "is_question", "markers", "record", "requirements", "view")

    def __init__(self, view: View, given: Input, record: dict[str, Any] | None) -> None:
        self.view = view
        self.input = given
        self.record = record  # of its last execution
        self.requirements: Requirements | None = None  # of one that is submitted
        self.markers: list[Marker] = []
        self.is_question = False  # its `uptodate` function runs, not the task
