"""Section 31.6: where published files go, and what becomes of two that want one place."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dfm_worker.publishing import Publisher, Source, destination


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "from"
    for name in ("a.txt", "x/b.txt", "x/y/c.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def publisher(tmp_path: Path, on_conflict: str = "error", task: str = "p.t") -> Publisher:
    return Publisher(str(tmp_path / "out/0001"), "0001", task, on_conflict)


def manifest(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "out/0001/.dfm-publish.json").read_text())


@pytest.mark.parametrize(
    ("fields", "file", "expected"),
    [
        ({}, "x/y/c", "x/y/c"),
        ({"dest": "d/e"}, "x/c", "d/e/x/c"),
        ({"flatten": True}, "x/y/c", "c"),
        ({"flatten": True, "strip": -1}, "x/y/c", "c"),
        ({"strip": 1}, "x/y/c", "y/c"),
        ({"strip": 9}, "x/y/c", "c"),
        ({"strip": -1}, "x/c", "base/x/c"),
        ({"strip": -2}, "c", "the/base/c"),
        ({}, "/the/base/x/c", "x/c"),
        ({}, "/else/where/c", "c"),
        ({}, "./x//c", "x/c"),
        ({}, "../c", None),
        ({"dest": "../.."}, "c", None),
        ({"dest": "/abs"}, "c", None),
    ],
)
def test_a_file_goes_to(fields: dict[str, Any], file: str, expected: str | None) -> None:
    assert destination(Source("p.a", "/the/base", [file], **fields), file) == expected


def test_what_is_published_is_written_down(tmp_path: Path, source: Path) -> None:
    made = Source("p.src", str(source), ["a.txt", "x/y/c.log"], "text", "d")
    done = publisher(tmp_path).publish([made])
    assert (done.files, done.markers, done.has_failed) == (["d/a.txt", "d/x/y/c.log"], [], False)
    assert (tmp_path / "out/0001/d/x/y/c.log").read_text() == "x/y/c.log"
    written = manifest(tmp_path)
    assert (written["schema"], written["run_id"]) == ("dvflow-publish/1", "0001")
    entry = written["entries"]["d/x/y/c.log"]
    assert len(entry.pop("sha256")) == 64
    assert entry == {
        "publish_task": "p.t", "src_task": "p.src", "src_path": f"{source}/x/y/c.log",
        "src_basedir": str(source), "filetype": "text", "bytes": 9,
    }  # fmt: skip
    assert (tmp_path / "out/latest").readlink() == Path("0001")


def test_patterns_choose_files(tmp_path: Path, source: Path) -> None:
    made = Source("p.src", str(source), ["a.txt", "x/b.txt", "x/y/c.log"])
    assert publisher(tmp_path).publish([made], ["*.log", "a*"]).files == ["a.txt", "x/y/c.log"]


def test_no_directory_is_made_for_nothing(tmp_path: Path, source: Path) -> None:
    publisher(tmp_path).publish([Source("p.src", str(source), ["a.txt"])], ["*.none"])
    assert not (tmp_path / "out").exists()


def test_the_same_content_at_one_place_is_fine(tmp_path: Path, source: Path) -> None:
    made = Source("p.src", str(source), ["a.txt"])
    for _ in range(2):
        done = publisher(tmp_path).publish([made, made])
        assert (done.files, done.markers) == (["a.txt", "a.txt"], [])


@pytest.mark.parametrize(
    ("on_conflict", "severity", "has_failed", "content"),
    [
        ("error", "error", True, "a.txt"),
        ("warn", "warning", False, "a.txt"),
        ("skip", "info", False, "a.txt"),
        ("replace", "warning", False, "x/b.txt"),
    ],
)
def test_another_content_at_one_place(
    tmp_path: Path, source: Path, on_conflict: str, severity: str, has_failed: bool, content: str
) -> None:
    publisher(tmp_path).publish([Source("p.a", str(source), ["a.txt"])])
    (source / "b").mkdir()
    (source / "b/a.txt").write_text("x/b.txt")
    other = Source("p.b", str(source / "b"), ["a.txt"])
    done = publisher(tmp_path, on_conflict).publish([other])
    ((said, message),) = done.markers
    assert (said, done.has_failed) == (severity, has_failed)
    assert message.startswith(f"a.txt is there already, from {source}/a.txt")
    assert (tmp_path / "out/0001/a.txt").read_text() == content
    assert manifest(tmp_path)["entries"]["a.txt"]["src_task"] == (
        "p.b" if on_conflict == "replace" else "p.a"
    )


def test_a_file_that_is_not_there_fails_and_the_others_are_published(
    tmp_path: Path, source: Path
) -> None:
    done = publisher(tmp_path).publish([Source("p.a", str(source), ["none", "a.txt", "../a"])])
    assert done.has_failed
    assert done.files == ["a.txt"]
    assert [message for _, message in done.markers] == [
        f"cannot publish {source}/none: No such file or directory",
        f"{source}/../a: its place would not be in the output directory",
    ]


def test_tasks_that_publish_at_once_lose_nothing(tmp_path: Path, source: Path) -> None:
    names = [f"n{number}" for number in range(20)]
    for name in names:
        (source / name).write_text(name)
    environment = {
        **os.environ, "DFM_OUT_DIR": str(tmp_path / "out/0001"), "DFM_RUN_ID": "0001",
        "DFM_OUTPUT": str(tmp_path / "output"),
    }  # fmt: skip
    calls = [
        subprocess.Popen(
            [sys.executable, "-m", "dfm_worker.dfm_out", "publish", name],
            cwd=source, env={**environment, "DFM_TASK_NAME": f"p.{name}"},
        )
        for name in names
    ]  # fmt: skip
    assert [call.wait() for call in calls] == [0] * len(names)
    assert set(manifest(tmp_path)["entries"]) == set(names)
    assert len((tmp_path / "output").read_text().splitlines()) == len(names)
