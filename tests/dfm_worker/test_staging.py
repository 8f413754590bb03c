"""What is in a run directory before a task runs, and what is taken from it afterwards."""

import os
from pathlib import Path

import pytest

from dfm.wire.task import TaskSpec
from dfm_worker import staging
from dfm_worker.staging import Collected, TooMuch, collect, stage, tail, variables
from tests.dfm_worker.host import Host

STALE = ("demo.t.exec_data.json", "dfm.memento.json", "dfm.memento.out.json")


@pytest.fixture
def spec(tmp_path: Path) -> TaskSpec:
    return TaskSpec(
        "demo.t", f"{tmp_path}/demo.t", str(tmp_path), "bash", "true", b'{"a": 1}', None, {}, [], 0,
        0, None,
    )  # fmt: skip


def files(spec: TaskSpec) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(spec.rundir).iterdir()}


EMPTY = {"dfm.output.jsonl": b"", "dfm.env": b"", "dfm.path": b"", "dfm.markers.jsonl": b""}
FRESH = {**EMPTY, "dfm.params.json": b'{"a": 1}', "dfm.inputs.json": b"[1]"}


# Before


@pytest.mark.parametrize("folder", ["demo.t", "several/folders/demo.t"])
def test_a_run_directory_is_made_with_what_the_task_finds(spec: TaskSpec, folder: str) -> None:
    spec = spec._replace(rundir=f"{spec.srcdir}/{folder}")
    stage(spec, b"[1]")
    assert files(spec) == FRESH


def test_a_memento_is_a_file_only_if_there_is_one(spec: TaskSpec) -> None:
    stage(spec._replace(memento=b"7"), b"[1]")
    assert files(spec) == {**FRESH, "dfm.memento.json": b"7"}
    stage(spec, b"[1]")
    assert files(spec) == FRESH


def test_what_an_earlier_run_left_for_dfm_is_gone_and_the_rest_stays(spec: TaskSpec) -> None:
    stage(spec, b"[a longer list of inputs]")
    for name in (*EMPTY, *STALE, "result.txt"):
        (Path(spec.rundir) / name).write_bytes(b"of the first run")
    stage(spec, b"[1]")
    assert files(spec) == {**FRESH, "demo.t.exec_data.json": b"", "result.txt": b"of the first run"}


def test_the_record_of_an_earlier_run_is_empty_before_anything_can_go_wrong(
    spec: TaskSpec,
) -> None:
    """A task that did not come to run is not up to date."""
    stage(spec, b"[]")
    record = Path(spec.rundir) / "demo.t.exec_data.json"
    record.write_text("{}")
    (Path(spec.rundir) / "demo.t_cmd.sh").mkdir()
    with pytest.raises(IsADirectoryError):
        stage(spec._replace(script="true\n"), b"[]")
    assert record.read_bytes() == b""


@pytest.mark.parametrize(
    ("language", "script", "text"),
    [
        ("bash", "true", None),
        ("python", "pass\npass", None),
        ("bash", "a\nb", "#!/bin/bash\na\nb"),
        ("tcsh", "a\n", "#!/bin/tcsh\na\n"),
    ],
)
def test_a_script_of_several_lines_is_a_program(
    spec: TaskSpec, language: str, script: str, text: str | None
) -> None:
    stage(spec._replace(language=language, script=script), b"[]")
    file = Path(spec.rundir) / "demo.t_cmd.sh"
    assert (file.read_text() if file.exists() else None) == text
    if text is not None:
        assert os.access(file, os.X_OK)


def test_bytes_that_are_no_text_stay_what_they_are(spec: TaskSpec) -> None:
    spec = spec._replace(rundir=f"{spec.srcdir}/\udcff", script="echo '\udcfe'\n")
    stage(spec, b"[]")
    script = os.fsencode(spec.srcdir) + b"/\xff/demo.t_cmd.sh"
    with open(script, "rb") as file:
        assert file.read() == b"#!/bin/bash\necho '\xfe'\n"


def test_a_task_runs_in_a_folder_whose_name_is_no_text(host: Host) -> None:
    spec = host.spec('pwd; echo x > "$DFM_OUTPUT"', rundir=f"{host.folder}/a\udcff b")
    result = host.run(spec)
    assert (result.status, result.output) == (0, b"x\n")
    log = Path(spec.rundir) / "demo.t.log"
    assert log.read_bytes() == os.fsencode(spec.rundir) + b"\n"


def test_a_long_path_is_no_matter(host: Host) -> None:
    folder = "/".join(["x" * 200] * 15)
    spec = host.spec("echo x > $DFM_OUTPUT", rundir=f"{host.folder}/{folder}")
    assert host.run(spec).output == b"x\n"


def test_a_path_that_is_too_long_is_named(host: Host) -> None:
    result = host.run(host.spec("true", rundir=f"{host.folder}/{'x' * 300}"))
    assert result.failure.startswith(f"cannot start in {host.folder}/xxx")
    assert "File name too long" in result.failure


@pytest.mark.parametrize("script", ["true", "true\n", "cd ."])
@pytest.mark.parametrize(
    "name", ["dfm.params.json", "dfm.output.jsonl", "demo.t.exec_data.json", "demo.t.log", ""]
)
def test_a_place_that_cannot_be_written_is_named(host: Host, script: str, name: str) -> None:
    rundir = host.folder / "demo.t"
    if name:
        (rundir / name).mkdir(parents=True)
    else:
        rundir.touch()
    result = host.run(script)
    assert (result.status, result.commands) == (1, [])
    assert result.failure.startswith(f"cannot start in {rundir}: ")
    assert "directory" in result.failure.lower()
    assert host.run(host.spec("true", name="demo.other")).status == 0, "nothing else is hurt"


def test_files_of_another_run_are_shortened_in_place(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for data in (b"x" * 100_000, b"short", b"", b"longer again"):
        staging.write(str(file), data)
        assert file.read_bytes() == data


# Environment


def test_a_task_s_variables_are_above_the_run_s_and_ours_above_all(spec: TaskSpec) -> None:
    spec = spec._replace(environment={"A": "task", "DFM_TASK_NAME": "forged"})
    found = variables(spec, {"A": "run", "B": "run", "PWD": "/", "DFM_RUNDIR": "/outer"})
    assert (found["A"], found["B"], found["DFM_TASK_NAME"]) == ("task", "run", "demo.t")
    assert found["DFM_RUNDIR"] == found["TASK_RUNDIR"] == found["PWD"] == spec.rundir


@pytest.mark.parametrize("memento", [None, b"7"])
def test_the_memento_of_an_outer_task_is_not_this_one_s(
    spec: TaskSpec, memento: bytes | None
) -> None:
    found = variables(spec._replace(memento=memento), {"DFM_MEMENTO": "/outer"})
    assert found.get("DFM_MEMENTO") == (f"{spec.rundir}/dfm.memento.json" if memento else None)


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [([], "/bin", "/bin"), (["/a", "/b"], "/bin", "/a:/b:/bin"), (["/a"], None, f"/a:{os.defpath}")],
)  # fmt: skip
def test_folders_go_before_the_path(
    spec: TaskSpec, prefix: list[str], path: str | None, expected: str
) -> None:
    given = {} if path is None else {"PATH": path}
    assert variables(spec._replace(path_prefix=prefix), given)["PATH"] == expected


# After


def test_what_is_handed_back_is_read_as_it_is(spec: TaskSpec) -> None:
    stage(spec, b"[]")
    assert collect(spec.rundir) == Collected(b"", b"", b"", b"", None)
    names = (*EMPTY, "dfm.memento.out.json")
    for number, name in enumerate(names):
        (Path(spec.rundir) / name).write_bytes(b"\xff%d" % number)
    assert collect(spec.rundir) == Collected(b"\xff0", b"\xff1", b"\xff2", b"\xff3", b"\xff4")


def test_what_a_task_has_removed_is_empty(spec: TaskSpec) -> None:
    stage(spec, b"[]")
    for name in EMPTY:
        (Path(spec.rundir) / name).unlink()
    assert collect(spec.rundir) == Collected(b"", b"", b"", b"", None)


def test_more_than_travels_is_refused_by_name_and_size(host: Host) -> None:
    size = staging.COLLECTED_LIMIT + 1
    result = host.run(f"truncate -s {size} $DFM_ENV")
    assert result.status == 1
    assert f"{host.folder}/demo.t/dfm.env has {size} bytes, more than the " in result.failure
    with pytest.raises(TooMuch, match=r"dfm\.env has"):
        collect(f"{host.folder}/demo.t")


@pytest.mark.parametrize("makes", ["rm $DFM_OUTPUT; mkdir $DFM_OUTPUT", "mkdir $DFM_MEMENTO_OUT"])
def test_what_cannot_be_read_is_named(host: Host, makes: str) -> None:
    result = host.run(makes)
    assert result.status == 1
    assert result.failure.startswith("cannot read what the task handed back: ")
    assert f"{host.folder}/demo.t/dfm." in result.failure


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", b""),
        (b"short\n", b"short\n"),
        (b"a first line\nlast\n", b"last\n"),
        (b"a line that is too long", b"is too long"),
        (b"a line that is too long\n", b"s too long\n"),
        (b"a first line\n123456789\n", b"123456789\n"),
        (b"a first lin\xc3\xa9 \nlast\n", b"last\n"),
    ],
)
def test_the_end_of_a_log_begins_with_a_line_where_there_is_one(
    tmp_path: Path, data: bytes, end: bytes
) -> None:
    (tmp_path / "log").write_bytes(data)
    assert tail(str(tmp_path / "log"), 11) == end


def test_a_log_that_is_not_there_has_no_end(tmp_path: Path) -> None:
    assert tail(f"{tmp_path}/log") == b""
