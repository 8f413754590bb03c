"""What is written of a log is what `tail` would write of it, whatever the bytes."""

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterable
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


def shown(log: TaskLog, said: list[str], changes: Iterable[Callable[[Path], object]]) -> bytes:
    """What comes out while a log changes."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
    tail = Tail(log, writer, None, said.append)
    try:
        for change in changes:
            change(Path(log.path))
            tail.go_on()
    finally:
        os.close(writer)
    with open(reader, "rb") as pipe:
        return pipe.read()


def test_a_log_that_has_changed_before_what_was_read_is_another_one(log: TaskLog) -> None:
    texts = (b"one\n", b"one\ntwo\n", b"other\nlonger\n", b"o", b"o", b"")
    said: list[str] = []
    changes = [lambda path, text=text: path.write_bytes(text) for text in texts]
    text = shown(log, said, [*changes, lambda path: path.unlink()])
    assert text == b"one\ntwo\nother\nlonger\no"
    assert said == ["p.t has started anew"] * 3


def test_a_long_log_that_is_cut_in_its_middle_goes_on_at_its_end(
    log: TaskLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_LARGE", 1000)
    whole = b"".join(b"line %d\n" % number for number in range(1000))
    said: list[str] = []

    def cut(path: Path) -> None:
        path.write_bytes(whole[:800] + b"[dfm: a part is left out]\n" + whole[-1200:] + b"new\n")

    assert shown(log, said, [lambda path: path.write_bytes(whole), cut]) == whole + b"new\n"
    assert not said


def test_what_was_left_out_as_a_hole_is_not_printed(log: TaskLog) -> None:
    with open(log.path, "wb") as file:
        file.write(b"head\n".ljust(4096))
        file.seek(1 << 30)
        file.write(b"tail\n")
    assert printed(log, None).replace(b" ", b"") == b"head\ntail\n"


def printed(log: TaskLog, lines: int | None) -> bytes:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
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
