"""What `dfm-out` appends to the files of a task, and what becomes of wrong calls."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dfm_worker.dfm_out import main
from tests.dfm_worker.host import Host

VARIABLES = ("DFM_OUTPUT", "DFM_ENV", "DFM_PATH", "DFM_MARKERS")


class Task:
    """The files of a task, in whose environment the call is made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, variable: str) -> str:
        return (self.folder / variable).read_text()

    def lines(self, variable: str) -> list[Any]:
        return [json.loads(line) for line in self.read(variable).split("\n")[:-1]]

    def all(self) -> dict[str, str]:
        return {name: text for name in VARIABLES if (text := self.read(name))}


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    for name in VARIABLES:
        (tmp_path / name).touch()
        monkeypatch.setenv(name, str(tmp_path / name))
    return Task(tmp_path)


def test_files_are_an_item(task: Task) -> None:
    main(["fileset", "a.sv", "b/c.sv"])
    main("fileset --filetype verilogSource --basedir /x --incdir i --incdir j d.v".split())
    empty: dict[str, list[str]] = {"defines": [], "attributes": []}
    assert task.lines("DFM_OUTPUT") == [
        {"type": "std.FileSet", "filetype": "", "basedir": ".", "files": ["a.sv", "b/c.sv"], "incdirs": [], **empty},
        {"type": "std.FileSet", "filetype": "verilogSource", "basedir": "/x", "files": ["d.v"], "incdirs": ["i", "j"], **empty},
    ]  # fmt: skip


def test_an_item_of_any_type_has_texts_and_values(task: Task) -> None:
    main(["item", "--type", "p.T", "a=1", "b:=1", "c=x=y", 'd:={"e": [null]}', "f=", "g=:=1"])
    assert task.lines("DFM_OUTPUT") == [
        {"type": "p.T", "a": "1", "b": 1, "c": "x=y", "d": {"e": [None]}, "f": "", "g": ":=1"}
    ]


def test_variables_and_folders_are_lines(task: Task) -> None:
    main(["env", "A=1", "B=a b=c", "C="])
    main(["path", "/tools/bin", "/with blank"])
    assert task.all() == {"DFM_ENV": "A=1\nB=a b=c\nC=\n", "DFM_PATH": "/tools/bin\n/with blank\n"}


@pytest.mark.parametrize(
    ("value", "block"),
    [
        ("a\nb", "A<<END\na\nb\nEND\n"),
        ("a\nEND", "A<<END_\na\nEND\nEND_\n"),
        ("END\nEND_\n", "A<<END__\nEND\nEND_\n\nEND__\n"),
    ],
)
def test_a_value_of_several_lines_is_a_block(task: Task, value: str, block: str) -> None:
    main(["env", f"A={value}"])
    assert task.all() == {"DFM_ENV": block}


@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_a_marker_says_where_if_it_is_told(task: Task, severity: str) -> None:
    main([severity, "two\nlines"])
    main([severity, "there", "--file", "a.sv", "--line", "3", "--pos", "4"])
    main([severity, "in it", "--file", "a.sv"])
    assert task.lines("DFM_MARKERS") == [
        {"severity": severity, "msg": "two\nlines"},
        {"severity": severity, "msg": "there", "loc": {"path": "a.sv", "line": 3, "pos": 4}},
        {"severity": severity, "msg": "in it", "loc": {"path": "a.sv", "line": -1, "pos": -1}},
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["item", "--type", "T", "a"], "`a` is neither NAME=TEXT nor NAME:=JSON"),
        (["item", "--type", "T", "=1"], "`=1` is neither NAME=TEXT nor NAME:=JSON"),
        (["item", "--type", "T", ":=1"], "`:=1` is neither NAME=TEXT nor NAME:=JSON"),
        (["item", "--type", "T", "a:=x"], "`a:=x`: not JSON: Expecting value"),
        (["env", "A"], "`A` is not NAME=VALUE"),
        (["env", "=1"], "`=1` is not NAME=VALUE"),
        (["env", "A\nB=1"], "`A\nB=1` is not NAME=VALUE"),
        (["env", "A<<B=1"], "`A<<B=1` is not NAME=VALUE"),
        (["path", "/a\n/b"], "`/a\n/b` cannot be on a PATH"),
        (["item", "a=1"], "the following arguments are required: --type"),
        (["fileset"], "the following arguments are required: FILE"),
        (["error"], "the following arguments are required: message"),
        (["error", "x", "--line", "y"], "argument --line: invalid int value: 'y'"),
        (["nonsense"], "argument COMMAND: invalid choice: 'nonsense'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_a_wrong_call_says_why_and_hands_nothing_back(
    task: Task, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert why in capsys.readouterr().err
    assert task.all() == {}


def test_outside_of_a_task_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for words, name in (
        (["fileset", "a"], "DFM_OUTPUT"), (["env", "A=1"], "DFM_ENV"), (["path", "/"], "DFM_PATH"),
        (["info", "x"], "DFM_MARKERS"),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
        said = capsys.readouterr().err
        assert said == f"dfm-out: {name} is not set: dfm-out works inside of a task\n"


def test_a_file_that_cannot_be_written_is_named(
    task: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    (task.folder / "DFM_ENV").unlink()
    (task.folder / "DFM_ENV").mkdir()
    with pytest.raises(SystemExit) as caught:
        main(["env", "A=1"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"dfm-out: {task.folder}/DFM_ENV: Is a directory\n"


def test_names_that_are_no_text_stay_what_they_are(task: Task) -> None:
    main(["path", "/\udcff"])
    assert (task.folder / "DFM_PATH").read_bytes() == b"/\xff\n"
    main(["fileset", "\udcff.sv"])
    (item,) = task.lines("DFM_OUTPUT")
    assert item["files"] == ["\udcff.sv"]


def test_calls_at_the_same_time_do_not_mix(task: Task) -> None:
    calls = [
        subprocess.Popen([sys.executable, "-m", "dfm_worker.dfm_out", "info", str(number) * 5000])
        for number in range(8)
    ]
    assert [call.wait(60) for call in calls] == [0] * 8
    messages = {marker["msg"] for marker in task.lines("DFM_MARKERS")}
    assert messages == {str(number) * 5000 for number in range(8)}


def test_a_task_hands_back_what_it_says(host: Host) -> None:
    host.environment = dict(os.environ)
    call = f"{sys.executable} -m dfm_worker.dfm_out"
    result = host.run(f"{call} env A=1\n{call} warning careful\n{call} nonsense\n")
    assert result.status == 2
    assert result.environment == b"A=1\n"
    assert json.loads(result.markers) == {"severity": "warning", "msg": "careful"}
