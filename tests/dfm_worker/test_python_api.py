"""What a Python task works with: its context and input, and how its values become JSON."""

import asyncio
import enum
import json
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import pytest

from dfm_worker.python_api import (
    ExecCmd,
    FileSet,
    SeverityE,
    TaskDataItem,
    TaskDataResult,
    TaskMarker,
    TaskMarkerLoc,
    plain,
)
from dfm_worker.python_context import TaskRunCtxt
from tests.dfm_worker.host import Host

Found = TypeVar("Found")


@pytest.fixture
def ctxt(tmp_path: Path) -> TaskRunCtxt:
    return TaskRunCtxt(
        rundir=str(tmp_path), root_rundir="/root/run", root_pkgdir="/root/pkg", cores=3,
        types={"p.T": {"x": 1, "y": []}, "std.FileSet": {}},
    )  # fmt: skip


def wait(work: Coroutine[Any, Any, Found]) -> Found:
    return asyncio.run(asyncio.wait_for(work, 60))


def markers(ctxt: TaskRunCtxt) -> list[Any]:
    return [plain(marker) for marker in ctxt.markers]


# Commands


def test_a_command_runs_in_the_run_directory_and_has_a_log_of_its_own(ctxt: TaskRunCtxt) -> None:
    assert wait(ctxt.exec(["pwd"])) == 0
    assert wait(ctxt.exec(["sh", "-c", "echo out; echo err >&2; cat"])) == 0
    assert wait(ctxt.exec(["echo", "mine"], logfile="mine.log")) == 0
    folder = Path(ctxt.rundir)
    assert (folder / "cmd_1.log").read_text() == f"{folder}\n"
    assert (folder / "cmd_2.log").read_text() == "out\nerr\n"
    assert (folder / "mine.log").read_text() == "mine\n"
    assert [status for _, status in ctxt.commands] == [0, 0, 0]
    assert markers(ctxt) == []


def test_a_command_may_have_another_folder_and_environment(
    ctxt: TaskRunCtxt, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    ctxt.env["MINE"] = "ctxt"
    show = ["sh", "-c", "echo $MINE $(pwd)"]
    wait(ctxt.exec(show))
    wait(ctxt.exec(show, cwd=str(tmp_path / "other"), env={**os.environ, "MINE": "call"}))
    assert (tmp_path / "cmd_1.log").read_text() == f"ctxt {tmp_path}\n"
    assert (tmp_path / "cmd_2.log").read_text() == f"call {tmp_path}/other\n"
    assert "MINE" not in os.environ


@pytest.mark.parametrize(
    ("words", "status"),
    [(["sh", "-c", "exit 3"], 3), (["sh", "-c", "kill -9 $$"], -9), (["/no/program", "x"], 127)],
)
def test_a_command_that_fails_is_an_error_marker(
    ctxt: TaskRunCtxt, words: list[str], status: int
) -> None:
    assert wait(ctxt.exec(words)) == status
    assert ctxt.commands == [(words, status)]
    (marker,) = markers(ctxt)
    assert marker["severity"] == "error"
    log = f"{ctxt.rundir}/cmd_1.log"
    assert marker["msg"] == f"Command failed: {' '.join(words)} (status {status}), see {log}"
    assert ("/no/program" in Path(log).read_text()) is (status == 127)


def test_words_may_be_paths_and_numbers(ctxt: TaskRunCtxt) -> None:
    words: list[Any] = ["echo", Path("/a"), 7]
    assert wait(ctxt.exec(words)) == 0
    assert ctxt.commands == [(["echo", "/a", "7"], 0)]


def test_lines_that_a_filter_takes_are_info_markers(ctxt: TaskRunCtxt) -> None:
    wait(ctxt.exec(["printf", "a\\nWarn b\\n\\377Warn"], logfilter=lambda line: "Warn" in line))
    assert [(marker["severity"], marker["msg"]) for marker in markers(ctxt)] == [
        ("info", "Warn b"), ("info", "\ufffdWarn"),
    ]  # fmt: skip


def test_commands_run_at_the_same_time_and_keep_their_order(
    ctxt: TaskRunCtxt, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    reads = ExecCmd(cmd=["sh", "-c", "read x < fifo; echo got $x; exit 1"])
    writes = ExecCmd(cmd=["sh", "-c", "echo it > fifo"], logfile="w.log")
    filters = {0: lambda line: True}
    assert wait(ctxt.exec_parallel([reads, writes], filters)) == [1, 0]
    assert [words for words, _ in ctxt.commands] == [reads.cmd, writes.cmd]
    assert [marker["msg"].split(":")[0] for marker in markers(ctxt)] == ["got it", "Command failed"]
    assert (tmp_path / "w.log").read_text() == ""


# Items, files, markers


def test_an_item_has_its_type_s_defaults(ctxt: TaskRunCtxt) -> None:
    first = ctxt.mkDataItem("p.T", x=2)
    assert (first.type, first.x, first.y) == ("p.T", 2, [])
    first.y.append("changed")
    assert ctxt.mkDataItem("p.T").y == []


def test_an_item_of_no_type_is_refused_with_those_there_are(ctxt: TaskRunCtxt) -> None:
    with pytest.raises(ValueError, match=r"^no data type `p\.U`; known are p\.T, std\.FileSet$"):
        ctxt.mkDataItem("p.U")


def test_a_file_set_is_an_item_of_its_type() -> None:
    made = FileSet("verilogSource", "/b", ["a.v"], src="p.t", params={})
    assert plain(made) == {
        "type": "std.FileSet", "src": "p.t", "seq": -1, "filetype": "verilogSource",
        "basedir": "/b", "files": ["a.v"], "incdirs": [], "defines": [], "attributes": [],
        "params": {},
    }  # fmt: skip
    again = FileSet(**plain(made))
    assert again == made
    again.files.append("b.v")
    assert made.files == ["a.v"]


def test_a_file_is_made_with_the_folders_above_it(ctxt: TaskRunCtxt, tmp_path: Path) -> None:
    ctxt.create("a/b/c.txt", "text")
    ctxt.create("d.txt", "more")
    assert (tmp_path / "a/b/c.txt").read_text() == "text"
    assert (tmp_path / "d.txt").read_text() == "more"


def test_markers_have_a_severity_and_perhaps_a_place(ctxt: TaskRunCtxt) -> None:
    ctxt.error("e", TaskMarkerLoc("a.sv", 3))
    ctxt.warning("w")
    ctxt.info("i")
    ctxt.marker("m", SeverityE.Error)
    ctxt.marker("t", "warning")
    ctxt.add_marker(TaskMarker("a"))
    assert [(marker["severity"], marker["msg"], marker["loc"]) for marker in markers(ctxt)] == [
        ("error", "e", {"path": "a.sv", "line": 3, "pos": -1}),
        ("warning", "w", None), ("info", "i", None), ("error", "m", None), ("warning", "t", None),
        ("info", "a", None),
    ]  # fmt: skip


def test_a_result_has_lists_of_its_own() -> None:
    output = [TaskDataItem("p.T")]
    result = TaskDataResult(output=output)
    result.output.clear()
    assert len(output) == 1
    assert (result.status, result.changed, result.memento, result.markers) == (0, True, None, [])


# JSON


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int


@dataclass
class Data:
    name: str
    parts: list[Point]
    _hidden: int = 0


class Model:
    def model_dump(self) -> dict[str, Any]:
        return {"path": Path("/p")}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        ("\u00e9", "\u00e9"),
        (Colour.RED, "red"),
        (Path("/a"), "/a"),
        ((1, (2,)), [1, [2]]),
        ({1: {3}}, {"1": [3]}),
        (Point(1), [1]),
        (Data("d", [Point(1)]), {"name": "d", "parts": [[1]]}),
        (Model(), {"path": "/p"}),
        (SimpleNamespace(a=[SimpleNamespace(b=None)]), {"a": [{"b": None}]}),
        (2**70, 2**70),
    ],
)
def test_values_of_users_become_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
    assert json.loads(json.dumps(plain(value))) == expected


# As a task sees it

IMPORTS = """
import dv_flow.mgr, dv_flow.mgr.task_data, dv_flow.mgr.task_run_ctxt
from dv_flow.mgr import {name}
from dv_flow.mgr.task_data import {name} as other
assert other is {name}
assert dv_flow.mgr.{name} is {name}
"""
NAMES = """
    CompoundRunInput ConsumesE ExecCmd FileSet PassthroughE PyPkg PyTask SeverityE SubtaskSummary
    TaskData TaskDataInput TaskDataItem TaskDataOutput TaskDataResult TaskFailure TaskGenCtxt TaskMarker
    TaskMarkerLoc TaskRunCtxt pypkg pytask __version__
""".split()


def test_all_names_are_where_flows_import_them(host: Host) -> None:
    script = "".join(IMPORTS.format(name=name) for name in NAMES)
    assert host.run(host.spec(script, language="python")).failure == ""


def test_another_package_of_the_name_is_seen_below_it(host: Host) -> None:
    folder = host.folder / "dv_flow"
    (folder / "other").mkdir(parents=True)
    (folder / "other" / "__init__.py").write_text("VALUE = 7\n")
    script = (
        "import dv_flow.other\nfrom dv_flow.mgr import FileSet\n"
        "print(dv_flow.other.VALUE, FileSet.__module__)"
    )
    assert host.run(host.spec(script, language="python")).status == 0
    assert host.log() == "7 dfm_worker.python_api\n"


def test_the_input_is_what_the_task_was_given(host: Host) -> None:
    script = (
        "i = input.inputs[0]\n"
        "print(input.name, input.srcdir, input.rundir, input.params.a, i.type, i.files,\n"
        "      input.changed, input.memento, ctxt.cores, ctxt.root_rundir, ctxt.root_pkgdir)"
    )
    spec = host.spec(
        script, language="python", params=b'{"a": [1]}', memento=b'{"m": 2}', cores=5,
        python={"changed": "true", "root_rundir": "/rr", "root_pkgdir": "/rp"},
    )  # fmt: skip
    result = host.result(host.start(spec, b'[{"type": "std.FileSet", "files": ["a"]}]'))
    folder = host.folder
    assert result.console.decode() == (
        f"demo.t {folder} {folder}/demo.t [1] std.FileSet ['a'] True {{'m': 2}} 5 /rr /rp\n"
    )


def test_what_ended_is_told_to_the_function_of_a_compound(host: Host) -> None:
    script = "print([(s.name, s.status, s.skipped) for s in input.subtasks])"
    told = {"subtasks": '[["a", 1, false], ["b", 0, true]]'}
    assert host.run(host.spec(script, language="python", python=told)).status == 0
    assert host.log() == "[('a', 1, False), ('b', 0, True)]\n"


@pytest.mark.parametrize("answer", [True, False])
def test_a_function_may_say_whether_a_task_is_up_to_date(host: Host, answer: bool) -> None:
    (host.folder / "own.py").write_text(
        "async def is_new(input):\n"
        "    assert await input.exec(['true']) == 0\n"
        f"    return input.exec_data['status'] == 0 and {answer}\n"
    )
    told = {"record": '{"status": 0}'}
    result = host.run(host.spec("own.is_new", language="python", python=told))
    assert (result.status, result.changed) == (0, not answer)
