"""The tasks of `std` that dfm does itself."""

from pathlib import Path
from typing import Any

import pytest

from dfm.engine.library import is_current, run
from dfm.graph.node import Library, Node

FILE_SET: dict[str, Any] = {
    "type": "t", "base": "", "include": [], "exclude": [], "incdirs": [], "defines": [],
    "attributes": [],
}  # fmt: skip


@pytest.fixture
def src(tmp_path: Path) -> Path:
    for name in ("b.sv", "a.sv", "x.v", ".hidden.sv", "sub/c.sv", "sub/deep/d.sv"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "src"


def node(src: Path, function: str, params: dict[str, Any]) -> Node:
    return Node(0, "p.t", "p.t", str(src), Library(function), params=params)


def found(src: Path, **params: Any) -> list[Any]:
    done = run("FileSet", node(src, "FileSet", FILE_SET | params), [], "/run")
    assert done.status == 0, done
    files = done.items[0]["files"]
    assert isinstance(files, list)
    return files


def test_files_are_sorted_within_a_pattern_and_each_there_once(src: Path) -> None:
    assert found(src, include=["x.v", "*.sv", "*"]) == ["x.v", "a.sv", "b.sv"]
    assert found(src, include="*.sv") == ["a.sv", "b.sv"], "a lone text is one pattern"
    assert found(src, include=["sub/*.sv"]) == ["sub/c.sv"]
    assert found(src) == []


def test_exclude_also_matches_across_folders(src: Path) -> None:
    assert found(src, include=["*.sv", "sub/*.sv"], exclude=["*.sv"]) == []
    assert found(src, include=["*", "sub/*.sv"], exclude=["a.*"]) == ["b.sv", "x.v", "sub/c.sv"]


def test_two_stars_go_one_level_and_say_so_where_that_finds_fewer(src: Path) -> None:
    done = run("FileSet", node(src, "FileSet", FILE_SET | {"include": ["**/*.sv"]}), [], "/run")
    assert done.items[0]["files"] == ["sub/c.sv"]
    assert "one level" in done.markers[0].message
    deep = run("FileSet", node(src, "FileSet", FILE_SET | {"include": ["sub/**/*.sv"]}), [], "/run")
    assert deep.items[0]["files"] == ["sub/deep/d.sv"]


def test_a_pattern_without_a_match_fails_and_names_the_folder(src: Path) -> None:
    done = run("FileSet", node(src, "FileSet", FILE_SET | {"include": ["*.vhd"]}), [], "/run")
    assert done.status == 1
    assert done.markers[0].message == f"nothing matches `*.vhd` in {src}"


def test_base_may_be_a_glob_of_one_folder(src: Path) -> None:
    assert found(src, base="s?b", include=["*.sv"]) == ["c.sv"]
    for base in ("nowhere*", "*/*/../*"):
        done = run("FileSet", node(src, "FileSet", FILE_SET | {"base": base}), [], "/run")
        assert (done.status, len(done.markers)) == (
            1 if base == "nowhere*" else done.status,
            done.status,
        )


def test_a_file_set_has_absolute_base_and_splits_texts(src: Path) -> None:
    params = FILE_SET | {"base": "sub", "incdirs": "a b", "defines": ["A=1", "B c"]}
    (item,) = run("FileSet", node(src, "FileSet", params), [], "/run").items
    assert item["basedir"] == str(src / "sub")
    assert item["incdirs"] == ["a", "b"]
    assert item["defines"] == ["A=1", "B c"]
    assert item["filetype"] == "t"


def test_a_file_set_is_current_until_names_or_times_change(src: Path) -> None:
    one = node(src, "FileSet", FILE_SET | {"include": ["*.sv"]})
    record = {"result": {"memento": run("FileSet", one, [], "/run").memento}}
    assert is_current("FileSet", one, record)
    (src / "c.sv").write_text("")
    assert not is_current("FileSet", one, record)
    (src / "c.sv").unlink()
    assert is_current("FileSet", one, record)
    (src / "a.sv").touch()
    assert not is_current("FileSet", one, record)


def test_create_file_writes_below_its_run_directory(tmp_path: Path) -> None:
    params = {"filename": "d/w.tcl", "content": "é\n", "type": "tcl", "incdir": True}
    done = run("CreateFile", node(tmp_path, "CreateFile", params), [], str(tmp_path / "run"))
    assert (tmp_path / "run/d/w.tcl").read_text() == "é\n"
    (item,) = done.items
    assert (item["basedir"], item["files"]) == (str(tmp_path / "run"), ["d/w.tcl"])
    assert item["incdirs"] == [str(tmp_path / "run")]


def test_create_file_that_cannot_write_fails_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    params = {"filename": "x", "content": "", "type": "", "incdir": False}
    done = run("CreateFile", node(tmp_path, "CreateFile", params), [], str(tmp_path / "run"))
    assert done.status == 1
    assert str(tmp_path / "run") in done.markers[0].message


def test_set_env_replaces_globs_by_what_they_match(src: Path) -> None:
    params = {"setenv": {"A": "*.sv", "B": "plain", "C": "*.none"},
              "append_path": {"P": "sub/*.sv"}, "prepend_path": {}}  # fmt: skip
    one = node(src, "SetEnv", params)
    done = run("SetEnv", one, [], "/run")
    (item,) = done.items
    assert item["vals"] == {"A": f"{src}/a.sv:{src}/b.sv", "B": "plain", "C": "*.none"}
    assert item["append_path"] == {"P": f"{src}/sub/c.sv"}
    record = {"result": {"memento": done.memento}}
    assert is_current("SetEnv", one, record)
    (src / "z.sv").write_text("")
    assert not is_current("SetEnv", one, record)


def test_file_types_and_include_folders_of_what_comes_in() -> None:
    came: list[dict[str, Any]] = [
        {"type": "std.FileSet", "filetype": "a", "basedir": "/x", "files": ["f"], "incdirs": []},
        {"type": "p.Other"},
    ]
    (typed,) = run(
        "SetFileType", node(Path("/"), "SetFileType", {"filetype": "b"}), came, "/"
    ).items
    assert (typed["filetype"], typed["files"]) == ("b", ["f"])
    (folders,) = run("IncDirs", node(Path("/"), "IncDirs", {}), came, "/").items
    assert (folders["filetype"], folders["files"], folders["incdirs"]) == ("a", [], ["/x"])


def test_a_message_is_for_the_console() -> None:
    done = run("Message", node(Path("/"), "Message", {"msg": "hello"}), [], "/")
    assert (done.console, done.items) == ("p.t: hello", [])
