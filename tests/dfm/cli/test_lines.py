"""The run as lines."""

import io

from dfm.cli.display.lines import Lines
from dfm.engine.outcome import Ending, Outcome
from dfm.engine.records import Marker, Usage
from dfm.graph.node import Node, Nothing


def node(number: int, name: str) -> Node:
    return Node(number, name, name, "/s", Nothing())


def test_lines_tell_starts_ends_and_markers() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    a, b = node(0, "p.a"), node(1, "p.b")
    lines.started(a, "")
    lines.started(b, "host (w1)")
    place = {"path": "a.v", "line": 3, "pos": -1}
    lines.ended(
        Outcome(a, Ending.DONE, wall_ms=1210.0, markers=[Marker("warning", "care\0ful", place)])
    )
    lines.ended(Outcome(b, Ending.FAILED, 2, folder="/x/rundir/p.b", log_tail="oops"))
    lines.ended(Outcome(node(2, "p.c"), Ending.UP_TO_DATE))
    lines.ended(Outcome(node(3, "p.d"), Ending.DONE, wall_ms=1.0))
    lines.said("text of a task\n")
    lines.close()
    assert stream.getvalue().split("\n") == [
        ">> [1] Task p.a",
        ">> [2] Task p.b on host (w1)",
        "<< [2] Task p.a 1.21 s",
        "  W p.a: careful",
        "    a.v:3",
        "<< [1] Task p.b FAILED: status 2, see /x/rundir/p.b/p.b.log",
        "<< [1] Task p.d 1 ms",
        "text of a task",
        "",
    ]


def test_verbose_lines_tell_what_was_not_executed_and_what_the_rest_took() -> None:
    stream = io.StringIO()
    lines = Lines(stream, verbose=True)
    lines.ended(Outcome(node(0, "p.a"), Ending.UP_TO_DATE))
    lines.ended(Outcome(node(1, "p.b"), Ending.SKIPPED, why="p.x failed"))
    used = Usage(1.21, 0.3, 40_960)
    lines.ended(Outcome(node(2, "p.c"), Ending.DONE, wall_ms=1210.0, usage=used))
    assert stream.getvalue().split("\n") == [
        "-- Task p.a (up-to-date)",
        "-- Task p.b (skipped: p.x failed)",
        "<< [1] Task p.c 1.21 s, cpu 300 ms, peak 40 MiB",
        "",
    ]


def test_a_reason_that_all_tasks_of_a_pool_have_is_said_once() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    for number, why in enumerate(("q: no such queue\nNot submitted.",) * 3 + ("w1 is gone",)):
        lines.ended(Outcome(node(number, f"p.t{number}"), Ending.LOST, why=why))
    assert stream.getvalue().split("\n") == [
        "<< [1] Task p.t0 FAILED: infrastructure: q: no such queue",
        "<< [1] Task p.t1 FAILED: infrastructure, as the one before",
        "<< [1] Task p.t2 FAILED: infrastructure, as the one before",
        "<< [1] Task p.t3 FAILED: infrastructure: w1 is gone",
        "",
    ]
