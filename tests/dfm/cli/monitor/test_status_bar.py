"""The four lines say what the daemon counts, within any width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.cli.monitor.lines import Look
from dfm.cli.monitor.status_bar import clock, first_line, number_lines
from dfm.wire.client import PoolCounts
from tests.dfm.cli.monitor.conftest import OK, snapshot

WORKERS = {"total": 9, "busy": 4, "idle": 2, "pending": 1, "draining": 0, "lost": 2}
TASKS = {
    "running": 4, "completed": 12_340, "failed": 5, "queued": 1_234_567, "cancelled": 0, "retried": 3,
}  # fmt: skip
BACKOFF = PoolCounts("large", "slurm", "backoff", 0, 4, "sbatch:\n  invalid partition `fast`")


def test_the_numbers_are_those_of_the_daemon() -> None:
    workers, tasks, pools = number_lines(
        snapshot(workers=WORKERS, tasks=TASKS), 987.4, width=100, ellipsis="…"
    )
    assert workers.text == "workers  9 total, 4 busy, 2 idle, 1 pending, 2 lost"
    assert tasks.text == (
        "tasks    4 running, 12,345 completed (5 failed), 987/s, 1,234,567 queued, 3 retried"
    )
    assert pools.text == "pools    1c ok 2/4   no error"


def test_a_pool_in_trouble_comes_first_with_its_error() -> None:
    *_, pools = number_lines(snapshot(pools=[OK, BACKOFF]), 0.0, width=100, ellipsis="…")
    assert pools.look is Look.BAD
    assert pools.text == (
        "pools    large backoff 0/4, 1c ok 2/4   error: sbatch: invalid partition `fast`"
    )


def test_the_last_trouble_has_its_age() -> None:
    said = snapshot(trouble="worker=w3 lost with 1 tasks: killed by signal 9", trouble_age_s=12.7)
    *_, pools = number_lines(said, 0.0, width=100, ellipsis="…")
    assert pools.text == (
        "pools    1c ok 2/4   12 s ago: worker=w3 lost with 1 tasks: killed by signal 9"
    )


@given(st.integers(20, 250), st.integers(0, 40), st.text(max_size=300))
def test_no_line_is_longer_than_the_screen_is_wide(width: int, count: int, error: str) -> None:
    pools = [BACKOFF._replace(name=f"pool{number}", last_error=error) for number in range(count)]
    said = snapshot(workers=WORKERS, tasks=TASKS, pools=pools, trouble=error)
    lines = number_lines(said, 1.0, width, "…")
    lines += [
        first_line(3.0, "local, pid 1", error, trouble, width, "…") for trouble in ("", error)
    ]
    assert all(len(line.text) <= width for line in lines)
    assert all("\n" not in line.text for line in lines)


def test_a_long_path_leaves_room_for_whose_it_is_and_how_to_leave() -> None:
    line = first_line(1.0, "local, pid 7", "/" + "p" * 90 + "/end", "", 80, "…").text
    assert line.startswith("uptime   0:01   local, pid 7   …ppp")
    assert line.endswith("/end  q: detach")
    assert first_line(1.0, "", "/p", "THE DAEMON IS GONE", 80, "…").text.endswith("  q: detach")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0:00"), (67, "1:07"), (3725, "1:02:05"), (3 * 86400 + 61, "3 d 0:01:01")],
)
def test_a_clock_reads_as_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
