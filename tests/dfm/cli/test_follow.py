"""What is written of a log is what `tail` would write of it, whatever the bytes."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.cli import follow
from dfm.cli.follow import Tail, print_log
from dfm.engine.task_logs import TaskLog

TEXT = st.lists(st.sampled_from([b"\n", b"a", b"\xff\x00", b"a long line", b"\r"]), max_size=40)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> TaskLog:
    return TaskLog("p.t", str(tmp_path_factory.mktemp("p.t")))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs longer than a block are seen without writing megabytes."""
    monkeypatch.setattr(follow, "_BLOCK", 7)


def test_a_log_that_has_changed_before_what_was_read_is_another_one(log: TaskLog) -> None:
    said: list[str] = []
    reader, writer = os.pipe()
    tail = Tail(log, writer, None, said.append)
    try:
        for data in (b"one\n", b"one\ntwo\n", b"other\nlonger\n", b"o", b"o", b""):
            Path(log.path).write_bytes(data)
            tail.go_on()
        Path(log.path).unlink()
        tail.go_on()
    finally:
        os.close(writer)
    with open(reader, "rb") as pipe:
        assert pipe.read() == b"one\ntwo\nother\nlonger\no"
    assert said == ["p.t has started anew"] * 3


def printed(log: TaskLog, lines: int | None) -> bytes:
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe:
        try:
            print_log(log, writer, lines)
        finally:
            os.close(writer)
        return pipe.read()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXT, st.integers(0, 12))
def test_the_last_lines_are_those_of_tail(
    log: TaskLog, small_blocks: None, text: list[bytes], lines: int
) -> None:
    data = b"".join(text)
    Path(log.path).write_bytes(data)
    tail = subprocess.run(["tail", "-n", str(lines), log.path], capture_output=True, check=True)
    assert printed(log, lines) == tail.stdout
    assert printed(log, None) == data
