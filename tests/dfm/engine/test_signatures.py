"""What makes the signature of incoming items another one."""

import os
from pathlib import Path
from typing import Any

import pytest

from dfm.engine.digests import Digests
from dfm.engine.signatures import Signatures
from dfm.engine.verilog import included_names
from dfm.graph.dataflow import Item


def file_set(base: Path, *files: str, origin: int = 0, **more: Any) -> Item:
    fields: dict[str, Any] = {"type": "std.FileSet", "src": f"p.t{origin}", "seq": 0, "filetype": "",
                              "basedir": str(base), "files": list(files), "incdirs": []}  # fmt: skip
    return Item(fields | more, origin, 0)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("a.sv", "b.sv"):
        (tmp_path / name).write_text(name)
    return tmp_path


def sign(*items: Item) -> list[dict[str, Any]]:
    return Signatures(Digests("/nowhere")).of(items)


def test_an_item_is_named_and_hashed(base: Path) -> None:
    (entry,) = sign(file_set(base, "a.sv"))
    assert entry.keys() == {"src", "seq", "type", "hash"}
    assert (entry["src"], entry["seq"], entry["type"]) == ("p.t0", 0, "std.FileSet")


@pytest.mark.parametrize(
    "more",
    [{"filetype": "other"}, {"files": ["b.sv"]}, {"files": ["a.sv", "b.sv"]}, {"incdirs": ["x"]},
     {"defines": ["D"]}, {"params": {"p": 1}}],
    ids=str,
)  # fmt: skip
def test_a_file_set_is_another_when_a_field_is(base: Path, more: dict[str, Any]) -> None:
    assert sign(file_set(base, "a.sv")) != sign(file_set(base, "a.sv", **more))


def test_contents_count_and_times_do_not(base: Path) -> None:
    before = sign(file_set(base, "a.sv"))
    os.utime(base / "a.sv", (1, 1))
    assert sign(file_set(base, "a.sv")) == before
    (base / "a.sv").write_text("edited")
    assert sign(file_set(base, "a.sv")) != before


def test_a_missing_file_is_another_content_and_no_error(base: Path) -> None:
    before = sign(file_set(base, "a.sv"))
    (base / "a.sv").unlink()
    assert sign(file_set(base, "a.sv")) != before


def test_a_folder_that_moved_as_a_whole_is_the_same(base: Path, tmp_path: Path) -> None:
    before = sign(file_set(base, "a.sv"))
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "a.sv").write_text("a.sv")
    assert sign(file_set(moved, "a.sv")) == before


def test_other_items_are_hashed_by_their_fields_whatever_their_order() -> None:
    one = Item({"type": "T", "src": "a", "seq": 0, "x": 1, "y": [2]}, 0, 0)
    two = Item({"y": [2], "type": "T", "src": "b", "seq": 5, "x": 1}, 1, 0)
    other = Item({"type": "T", "src": "a", "seq": 0, "x": 2, "y": [2]}, 2, 0)
    assert sign(one)[0]["hash"] == sign(two)[0]["hash"] != sign(other)[0]["hash"]


VERILOG: dict[str, Any] = {"filetype": "systemVerilogSource"}


def test_a_header_that_is_included_counts_through_all_ways_to_find_it(tmp_path: Path) -> None:
    places: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
        "own folder": ("src/h.svh", {}, {}),
        "own incdirs": ("inc/h.svh", {"incdirs": ["../inc"]}, {}),
        "absolute incdir": ("inc/h.svh", {"incdirs": [str(tmp_path / "inc")]}, {}),
        "incdirs of another set": ("inc/h.svh", {}, VERILOG | {"incdirs": ["inc"]}),
        "an include set's base": ("h.svh", {}, {"filetype": "verilogInclude"}),
        "a set of folders": ("inc/h.svh", {}, {"filetype": "verilogIncDir", "incdirs": ["inc"]}),
    }
    for where, (header, own, other) in places.items():
        folder = tmp_path / where
        for name in ("src", "inc"):
            (folder / name).mkdir(parents=True)
        if "absolute" in where:
            own = {"incdirs": [str(folder / "inc")]}
        (folder / "src/top.sv").write_text('`include "h.svh"\nmodule top; endmodule\n')
        (folder / header).write_text("`define A 1\n")
        items = [file_set(folder / "src", "top.sv", **VERILOG, **own),
                 file_set(folder, origin=1, **{"filetype": "text", **other})]  # fmt: skip
        before = sign(*items)
        (folder / header).write_text("`define A 2\n")
        assert sign(*items)[0] != before[0], where


def test_includes_are_followed_and_may_go_in_circles(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text('`include "a.svh"\n')
    (tmp_path / "a.svh").write_text('`include "b.svh"\n')
    (tmp_path / "b.svh").write_text('`include "a.svh"\nx\n')
    before = sign(file_set(tmp_path, "top.sv", **VERILOG))
    (tmp_path / "b.svh").write_text('`include "a.svh"\ny\n')
    assert sign(file_set(tmp_path, "top.sv", **VERILOG)) != before


def test_a_header_counts_only_for_verilog(tmp_path: Path) -> None:
    (tmp_path / "top.sv").write_text('`include "a.svh"\n')
    (tmp_path / "a.svh").write_text("x")
    before = sign(file_set(tmp_path, "top.sv"))
    (tmp_path / "a.svh").write_text("y")
    assert sign(file_set(tmp_path, "top.sv")) == before


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('`include "a.vh"', ["a.vh"]),
        ('  `include\t"dir/a.vh" // "b.vh"', ["dir/a.vh"]),
        ('// `include "a.vh"', []),
        ('/* `include "a.vh"\n */ `include "b.vh"', ["b.vh"]),
        ('x = "// no comment"; `include "a.vh"', ["a.vh"]),
        ('$display("`include \\"a.vh\\""); `include "b.vh"', ["b.vh"]),
        ("`include <a.vh>\n`include `MACRO", []),
        ('`ifdef X\n`include "a.vh"\n`endif', ["a.vh"]),
        ('`includex "a.vh"', []),
    ],
)
def test_included_names_are_those_that_a_compiler_sees(source: str, names: list[str]) -> None:
    assert included_names(source.encode()) == names


def test_digests_are_kept_and_read_again_when_a_file_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.sv"
    file.write_text("one")
    os.utime(file, (1, 1))
    first = Digests(str(tmp_path))
    one = first.of(str(file))
    assert first.includes(str(file)) == []
    first.save()
    saved = tmp_path / "cache/digests.json"
    assert str(file) not in saved.read_text(), "its status changed a moment ago: it may once more"

    known = Digests(str(tmp_path))
    assert known.of(str(file)) == one
    file.write_text("two")
    assert known.of(str(file)) != one
    saved.write_text('{"x": 3}')
    assert Digests(str(tmp_path)).of(str(file)) == known.of(str(file)), "a broken cache is none"
