"""The trace of a run (section 36)."""

import json
from pathlib import Path
from typing import Any

import pytest

from dfm.engine.outcome import Ending, Outcome
from dfm.engine.trace import Trace
from dfm.graph.values import Fields
from tests.dfm.engine.conftest import node


class Traced:
    """A trace in a folder, with a clock that tests set."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("dfm.engine.trace.time.monotonic", lambda: self.now)
        self.path = folder / "log" / "p.trace.json"
        self.trace = Trace(str(self.path), 0.0)

    def end(self, number: int, now: float, took_s: float, **more: Any) -> None:
        made = node(f"t{number}", needs=more.pop("needs", ()), params={"k": number})
        made.number = number
        self.now = now
        self.trace.ended(Outcome(made, Ending.DONE, wall_ms=took_s * 1000, **more))

    def events(self, phases: str = "BE") -> list[dict[str, Any]]:
        events = json.loads(self.path.read_text())["traceEvents"]
        return [event for event in events if event["ph"] in phases]


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traced:
    return Traced(tmp_path, monkeypatch)


def test_a_task_is_a_pair_of_events(traced: Traced) -> None:
    item: Fields = {"type": "p.Note", "src": "p.x", "seq": 0}
    traced.end(1, 2.0, 0.5, inputs=[item], output=[item], changed=True, status=3)
    traced.trace.close()
    assert traced.events() == [
        {"name": "p.t1", "cat": "task", "ph": "B", "ts": 1_500_000, "pid": 1, "tid": 1,
         "args": {"params": {"k": 1}, "inputs": [item]}},
        {"name": "p.t1", "cat": "task", "ph": "E", "ts": 2_000_000, "pid": 1, "tid": 1,
         "args": {"status": 3, "changed": True, "output": [item]}},
    ]  # fmt: skip


def test_tasks_that_overlap_have_lanes_of_their_own(traced: Traced) -> None:
    traced.end(1, 2.0, 1.0)
    traced.end(2, 2.5, 2.0)
    traced.end(3, 3.0, 0.4)
    traced.trace.close()
    assert [event["tid"] for event in traced.events("B")] == [1, 2, 2]


def test_arrows_go_from_needs_that_were_executed(traced: Traced) -> None:
    traced.end(1, 2.0, 1.0)
    traced.end(2, 4.0, 1.0, needs=[1, 0])
    traced.trace.close()
    begin, end = traced.events("sf")
    assert (begin["ts"], end["ts"], begin["id"]) == (2_000_000, 3_000_000, end["id"])


def test_it_is_whole_at_any_moment(traced: Traced) -> None:
    assert traced.events() == []
    for number in range(2000):
        traced.end(number, number / 10, 0.05)
        assert len(traced.events()) % 2 == 0
    traced.trace.close()
    assert len(traced.events()) == 4000


def test_much_input_is_named_only(traced: Traced) -> None:
    items: list[Fields] = [
        {"type": "T", "src": f"p.{n}", "seq": 0, "x": "y" * 100} for n in range(500)
    ]
    traced.end(1, 1.0, 1.0, inputs=items)
    traced.trace.close()
    inputs = traced.events("B")[0]["args"]["inputs"]
    assert inputs[0] == {"type": "T", "src": "p.0", "seq": 0}
    assert len(inputs) == 100
