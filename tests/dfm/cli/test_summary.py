"""What is printed at the end, and how things are written."""

import pytest

from dfm.cli.display.summary import summary
from dfm.cli.display.words import duration, log_lines, memory, title, usage, verdict
from dfm.engine.outcome import Ending, Outcome
from dfm.engine.records import Marker, Usage
from dfm.graph.node import Node, Nothing


def outcome(name: str, ending: Ending = Ending.FAILED, **more: object) -> Outcome:
    node = Node(0, name, name, "/s", Nothing(), bindings={"seed": 3} if "sim" in name else {})
    return Outcome(node, ending, folder=f"/nowhere/else/rundir/{name}", **more)  # type: ignore[arg-type]


def counts(**given: int) -> dict[Ending, int]:
    return dict.fromkeys(Ending, 0) | {Ending(name): count for name, count in given.items()}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.0124, "12 ms"), (0.9999, "1.00 s"), (3.417, "3.42 s"), (59.99, "59.99 s"),
     (60, "1:00 min"), (125.4, "2:05 min"), (3725, "1:02:05 h")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_titles_have_the_axis_values() -> None:
    assert title(outcome("p.sim_0").node) == "p.sim_0 (seed=3)"
    assert title(outcome("p.t").node) == "p.t"


def test_what_was_lost_for_one_reason_is_said_together() -> None:
    counts = dict.fromkeys(Ending, 0) | {Ending.LOST: 3}
    why = "q: no such queue\nNot submitted."
    lost = [outcome(f"t{number}", Ending.LOST, why=why) for number in range(2)]
    alone = outcome("u", Ending.LOST, why="w1 is gone")
    assert summary(counts, [*lost, alone], 1.0).split("\n")[:4] == [
        "FAILED 2 tasks: infrastructure: q: no such queue",
        "       Not submitted.",
        f"       {title(lost[0].node)}, {title(lost[1].node)}",
        f"FAILED {title(alone.node)}: infrastructure: w1 is gone",
    ]


def test_verdicts() -> None:
    assert verdict(outcome("t", status=3)) == "status 3"
    assert verdict(outcome("t", status=-9)) == "killed by SIGKILL (signal 9)"
    assert verdict(outcome("t", status=139)) == "status 139 (128 + SIGSEGV)"
    assert verdict(outcome("t", status=-40)) == "killed by signal 40"
    assert verdict(outcome("t", status=255)) == "status 255"
    assert verdict(outcome("t", Ending.CANCELLED, status=-15)) == "interrupted"
    assert verdict(outcome("t", Ending.LOST, why="w1 is gone")) == "infrastructure: w1 is gone"


@pytest.mark.parametrize(
    ("kib", "text"),
    [(640, "640 KiB"), (1024, "1 MiB"), (12_345, "12 MiB"), (3_565_158, "3.4 GiB")],
)
def test_memory(kib: int, text: str) -> None:
    assert memory(kib) == text


def test_what_a_task_took() -> None:
    used = Usage(3.42, 6.1, 1_258_291)
    assert usage(outcome("t", wall_ms=3420.0, usage=used)) == "3.42 s, cpu 6.10 s, peak 1.2 GiB"
    assert usage(outcome("t", wall_ms=3420.0)) == "3.42 s"
    assert usage(outcome("t")) == ""


def test_the_end_of_a_log_does_no_harm_to_a_terminal() -> None:
    tail = "zero\n\x1b[31mred\x1b[0m\a\x00\ttab\x1b[2J\n" + "x" * 5000 + "end\n\0\0"
    lines = log_lines(tail, 2)
    assert lines[0] == "red\ttab"
    assert (lines[1][:4], lines[1][-4:], len(lines[1])) == ("...x", "xend", 400)


def test_nothing_to_do_is_one_line() -> None:
    found = summary(counts(**{"up-to-date": 1}), [], 0.02)
    assert found == "nothing to do: 1 task up to date (20 ms)"


def test_failures_come_first_with_their_reasons_and_logs() -> None:
    markers = [Marker("error", "the reason"), Marker("info", "chatter"),
               Marker("error", "Command failed: status 1")]  # fmt: skip
    failed = outcome("p.sim_0", status=1, wall_ms=1500.0, markers=markers, log_tail="a\nb\n")
    assert summary(counts(done=2, failed=1), [failed], 2.0).split("\n") == [
        "FAILED p.sim_0 (seed=3): status 1, 1.50 s",
        "       the reason",
        "       log: /nowhere/else/rundir/p.sim_0/p.sim_0.log",
        "       | a",
        "       | b",
        "total  done  up-to-date  failed  skipped    time",
        "    3     2           0       1        0  2.00 s",
    ]


def test_many_failures_are_listed_in_short() -> None:
    failures = [outcome(f"p.t{i}", status=1, log_tail="x\n" * 50) for i in range(25)]
    text = summary(counts(failed=25, lost=1), failures, 1.0)
    assert text.count("FAILED p.t") == 20
    assert "FAILED 5 more:" in text
    assert "p.t24: /nowhere/else/rundir/p.t24/p.t24.log" in text
    assert text.count("       | x") == 20
    assert "lost" in text.split("\n")[-2]
