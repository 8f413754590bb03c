"""The log of a task that writes too much: what is kept of it, and when the rest is given back."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm_worker import log_limit
from dfm_worker.log_limit import Log, LogWatch
from dfm_worker.loop import Loop
from tests.dfm_worker.host import Host

K, M = 1024, 1024**2


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_limit, "_INTERVAL_S", 0.01)


@pytest.fixture
def ramfs(tmp_path: Path) -> Iterator[Path]:
    """A filesystem whose files have no holes."""
    if os.getuid() != 0:
        pytest.fail("this test mounts a ramfs: it needs root")
    place = tmp_path / "ramfs"
    place.mkdir()
    subprocess.run(["mount", "-t", "ramfs", "none", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def seq(count: int) -> str:
    return f"seq -f 'line %09.0f' {count}"


def test_a_log_within_its_limit_is_left_alone(host: Host) -> None:
    for limit in (0, 1500):
        result = host.run(seq(100), log_limit=limit)
        assert result.warnings == []
        assert host.log().count("\n") == 100


def test_of_a_log_that_is_too_long_head_and_tail_are_kept(host: Host) -> None:
    result = host.run(f"{seq(100_000)}; exit 3", log_limit=100 * K)
    lines = host.log().split("\n")
    (mark,) = [line for line in lines if not line.startswith("line ") and line]
    position = lines.index(mark)
    head, tail = lines[:position], lines[position + 1 : -1]
    assert head == [f"line {number:09}" for number in range(1, len(head) + 1)]
    assert tail == [f"line {number:09}" for number in range(100_001 - len(tail), 100_001)]
    assert 49 * K < len("\n".join(head)) <= 50 * K >= len("\n".join(tail)) > 49 * K
    dropped = 15 * (100_000 - len(head) - len(tail))
    assert (
        mark
        == f"[dfm: {dropped} bytes of this log are left out here: runner.task_log_limit is 100K]"
    )
    assert result.warnings == [
        f"the log was too long: {dropped} bytes between its head and its tail are left out"
        " (runner.task_log_limit: 100K)"
    ]
    assert result.status == 3
    assert result.log_tail.endswith(b"line 000100000\n")


@pytest.mark.parametrize("size", range(1000, 1600, 37))
def test_one_that_is_just_too_long_is_as_whole(host: Host, size: int) -> None:
    for script in (f"yes 123456789 | head -c {size}", f"tr '\\0' x < /dev/zero | head -c {size}"):
        result = host.run(script, log_limit=1000)
        assert bool(result.warnings) == (size > 1000)
        assert len(host.log()) <= 1000 + 200
        assert (size > 1000) == ("[dfm: " in host.log())


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_tiny_limit_harms_nobody(host: Host, limit: int) -> None:
    result = host.run(seq(1000), log_limit=limit)
    assert result.status == 0
    assert len(result.warnings) == 1
    assert len(host.log()) < limit + 400


@pytest.mark.usefixtures("often")
def test_while_the_task_runs_the_disk_holds_the_limit_and_little_more(host: Host) -> None:
    said, go_on = host.signal(), host.signal("go-on")
    chunk = f"head -c {8 * M} /dev/zero | tr '\\0' x"
    script = "".join(f"{chunk}; echo > {said}; read < {go_on}\n" for _ in range(4))
    ticket = host.start(host.spec(f"echo first\n{script}echo last\n", log_limit=M))
    file = host.folder / "demo.t" / "demo.t.log"

    def used() -> int:
        return file.stat().st_blocks * 512

    for number in range(1, 5):
        host.wait_for(said)
        assert file.stat().st_size == 8 * M * number + 6
        while used() > M + 128 * K:
            host.loop.call_later(0.01, host.loop.stop)
            host.loop.run()
        go_on.say()
    result = host.result(ticket)
    assert f": {31 * M + 11} bytes between" in result.warnings[0]
    log = file.read_bytes()
    assert log.startswith(b"first\nxxx")
    assert log.endswith(b"xxxlast\n")
    assert b"\0" not in log
    assert len(log) < M + 300


@pytest.mark.usefixtures("often")
def test_where_files_have_no_holes_the_log_is_bounded_as_well(host: Host, ramfs: Path) -> None:
    said, go_on = host.signal(), host.signal("go-on")
    script = "".join(f"{seq(100_000)}; echo > {said}; read < {go_on}\n" for _ in range(3))
    ticket = host.start(
        host.spec(f"{script}echo last\n", rundir=f"{ramfs}/demo.t", log_limit=200 * K)
    )
    file = ramfs / "demo.t" / "demo.t.log"
    for _ in range(3):
        host.wait_for(said)
        while file.stat().st_size > 200 * K:
            host.loop.call_later(0.01, host.loop.stop)
            host.loop.run()
        go_on.say()
    result = host.result(ticket)
    assert len(result.warnings) == 1
    log = file.read_text()
    assert log.startswith("line 000000001\n")
    assert log.endswith("line 000100000\nlast\n")
    assert log.count("[dfm: ") == 1
    said_dropped = int(result.warnings[0].split("at least ")[1].split()[0])
    assert 0 < said_dropped <= 15 * (300_000 - log.count("line ")) + 15


@pytest.mark.usefixtures("often")
def test_a_log_without_any_newline_and_a_line_of_64_mib_hurt_nobody(host: Host) -> None:
    script = "head -c 67108864 /dev/zero; echo; head -c 67108864 /dev/zero | tr '\\0' y; exit 1"
    result = host.run(script, log_limit=16 * M)
    log = (host.folder / "demo.t" / "demo.t.log").read_bytes()
    assert len(log) < 16 * M + 300
    assert log.startswith(b"\0" * 1000)
    assert result.log_tail == b"y" * 4096


def test_a_long_line_without_a_limit_hurts_nobody(host: Host) -> None:
    result = host.run("head -c 67108864 /dev/zero; exit 1")
    assert result.log_tail == b"\0" * 4096
    result = host.run(host.spec("print('x' * 67108864)\npass", language="python"))
    assert len(result.console) <= 64 * K


def test_a_python_task_has_the_limit_too(host: Host) -> None:
    host.warm_up()
    result = host.run("for i in range(10000): print(i)\n", language="python", log_limit=10 * K)
    assert len(result.warnings) == 1
    assert len(host.log()) < 10 * K + 200
    assert result.console == host.log().encode()


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    "instead", ["rm $L", "rm $L; mkdir $L", "rm $L; mkfifo $L", "truncate -s 0 $L"]
)
def test_a_task_may_do_to_its_log_what_it_likes(host: Host, instead: str) -> None:
    log = f"{host.folder}/demo.t/demo.t.log"
    said, go_on = host.signal(), host.signal("go-on")
    script = f"L={log}\n{seq(10_000)}\n{instead}\necho > {said}\nread < {go_on}\nexit 4\n"
    ticket = host.start(host.spec(script, log_limit=K))
    host.wait_for(said)
    for _ in range(5):
        host.loop.call_later(0.02, host.loop.stop)
        host.loop.run()
    go_on.say()
    assert host.result(ticket).status == 4


def test_a_log_that_cannot_be_cut_is_said_to_be(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    result = host.run(seq(1000), log_limit=K)
    assert (result.status, result.warnings) == (
        0, ["the log is too long, and cannot be cut: [Errno 28] No space left on device"],
    )  # fmt: skip


def test_logs_are_looked_at_while_tasks_run_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, looks = Loop(), []
    watch = LogWatch(loop)
    monkeypatch.setattr(log_limit, "_INTERVAL_S", 0.001)
    log = Log(str(tmp_path / "log"), 1000)

    def look(_: Log) -> None:
        looks.append(1)
        loop.stop()

    monkeypatch.setattr(Log, "bound", look)
    watch.begin(log)
    for _ in range(3):
        loop.run()
    assert len(looks) == 3
    ends: list[str] = []
    watch.end(log, ends.append)
    loop.call_later(0.02, loop.stop)
    loop.run()
    assert (len(looks), ends) == (3, [""])
    assert watch._timer is None


def test_a_marker_of_64_mib_fails_its_task_with_the_file_s_name(host: Host) -> None:
    result = host.run("head -c 67108864 /dev/zero > $DFM_MARKERS")
    assert result.status == 1
    assert f"{host.folder}/demo.t/dfm.markers.jsonl has 67108864 bytes" in result.failure
