"""What scripts hand back, well and badly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.engine.contract import read
from tests.dfm.engine.conftest import TYPES, lines, result


def test_items_get_the_defaults_of_their_type_and_the_rundir_for_a_dot() -> None:
    data = lines({"type": "std.FileSet", "basedir": ".", "files": ["a"]}, {"type": "p.Note"})
    handed = read(result(output=data), "/run/p.a", TYPES)
    assert handed.items[0]["basedir"] == "/run/p.a"
    assert handed.items[0]["incdirs"] == []
    assert handed.items[1] == {"type": "p.Note", "text": "", "n": 7}
    assert not handed.markers


def test_a_relative_basedir_is_below_the_rundir() -> None:
    for base, found in (("x/y", "/run/x/y"), ("/x", "/x"), ("", "")):
        data = lines({"type": "std.FileSet", "basedir": base})
        assert read(result(output=data), "/run", TYPES).items[0]["basedir"] == found


def test_unknown_types_and_fields_pass_with_a_warning() -> None:
    data = lines({"type": "other.T", "x": 1}, {"type": "p.Note", "txt": "?"})
    handed = read(result(output=data), "/run", TYPES)
    assert handed.items[0] == {"type": "other.T", "x": 1}
    assert [marker.severity for marker in handed.markers] == ["warning", "warning"]
    assert "`other.T`" in handed.markers[0].message
    assert "no field `txt`" in handed.markers[1].message
    assert handed.is_sound


@pytest.mark.parametrize("line", [b"x", b"[1]", b"3", b'{"no": "type"}', b'{"type": 3}', b"\xff{"])
def test_a_malformed_line_is_left_out_with_its_number(line: bytes) -> None:
    data = lines({"type": "p.Note"}) + line + b"\n" + lines({"type": "p.Note"})
    handed = read(result(output=data), "/run", TYPES)
    assert len(handed.items) == 2
    (marker,) = handed.markers
    assert marker.severity == "warning"
    assert "line 2" in marker.message


def test_environment_and_path_make_one_item_after_the_others() -> None:
    handed = read(
        result(
            output=lines({"type": "p.Note"}),
            environment=b"A=1\nB=x=y\nC<<END\nline 1\n\nA=2\nEND\nnonsense\n=v\n",
            path=b"/opt/bin\n/usr/x\n",
        ),
        "/run",
        TYPES,
    )
    assert [item["type"] for item in handed.items] == ["p.Note", "std.Env"]
    assert handed.items[1]["vals"] == {"A": "1", "B": "x=y", "C": "line 1\n\nA=2"}
    assert handed.items[1]["prepend_path"] == {"PATH": "/opt/bin:/usr/x"}
    assert len(handed.markers) == 2


def test_a_block_without_its_end_is_reported() -> None:
    handed = read(result(environment=b"A=1\nC<<END\nline\n"), "/run", TYPES)
    assert handed.items[0]["vals"] == {"A": "1"}
    assert "`END`" in handed.markers[0].message


def test_a_value_may_hold_what_looks_like_a_block() -> None:
    handed = read(result(environment=b"A=x<<y\n"), "/run", TYPES)
    assert handed.items[0]["vals"] == {"A": "x<<y"}


def test_markers_keep_severity_and_place() -> None:
    data = lines(
        {"severity": "error", "msg": "bad", "loc": {"path": "a.v", "line": 3, "pos": 4}},
        {"severity": "fatal", "msg": "odd"},
        {"severity": "warning"},
    )
    handed = read(result(markers=data), "/run", TYPES)
    assert [(m.severity, m.message) for m in handed.markers[:2]] == [
        ("error", "bad"),
        ("info", "odd"),
    ]
    assert handed.markers[0].location == {"path": "a.v", "line": 3, "pos": 4}
    assert "DFM_MARKERS, line 3" in handed.markers[2].message


@pytest.mark.parametrize("value", [None, 3, "x", {"a": [1]}, []])
def test_a_memento_is_any_json(value: object) -> None:
    assert read(result(memento=json.dumps(value).encode()), "/run", TYPES).memento == value


def test_a_memento_that_is_no_json_is_a_warning() -> None:
    handed = read(result(memento=b"{"), "/run", TYPES)
    assert handed.memento is None
    assert handed.markers[0].severity == "warning"


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_whatever_a_script_leaves_can_be_read(output: bytes, env: bytes, markers: bytes) -> None:
    read(result(output=output, environment=env, path=env, markers=markers, memento=output), "/", {})


def test_a_message_without_an_end_is_cut() -> None:
    handed = read(result(markers=lines({"msg": "x" * 10_000_000})), "/run", TYPES)
    (marker,) = handed.markers
    assert marker.message.endswith("xxx... (10000000 characters)")
    assert len(marker.message) < 5000


def test_a_line_of_nul_bytes_is_ignored_with_a_short_warning() -> None:
    handed = read(result(markers=b"\0" * 10_000_000), "/run", TYPES)
    (marker,) = handed.markers
    assert marker.severity == "warning"
    assert len(marker.message) < 200
