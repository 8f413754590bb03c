"""What works on the local runner works through a daemon and on a cluster, with the same outputs.

The flows of parity/ hold tasks of all kinds. The same commands are typed on each, and after each of
them all that a user can see has to be the same: status, what was executed and said, every record, log
and file. See `Seen` for what may differ.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.conftest import Project

FLOWS = Path(__file__).parent / "parity"
RUNS: list[tuple[str, ...]] = [
    ("scripts", "-k"),
    ("scripts", "-k"),
    ("scripts", "-k", "-c", "debug"),
    ("python",),
    ("python",),
    ("python", "-f"),
    ("bodies",),
    ("bodies", "-D", "seeds=2,3"),
    ("family.y.rel",),
    ("made",),
    ("made", "-D", "n=1"),
    ("control",),
    ("control", "-k", "-D", "four.n=6"),
    ("failures", "-k"),
    ("failures", "-k"),
    ("library", "--run-id", "v1"),
    ("library", "--run-id", "v2", "-P", '{"package": {"word": "other"}}'),
    ("tests", "-k"),
    ("tests", "--tests", "reset"),
]
# Of a record: when and where, not what.
PASSING = ("execution", "needs_executions", "usage")
# Below rundir/: what dfm keeps for itself.
OWN = ("bin", "cache", "log")


class Seen(NamedTuple):
    """After one command. The project's folder is called FOLDER in all texts, times are left out."""

    status: int
    counts: dict[str, int]
    executed: set[str]
    markers: list[str]
    records: dict[str, Any]
    files: dict[str, str]


def type_all(project: Project) -> list[Seen]:
    """The commands in a copy of the flows; the header is edited before the last but one."""
    shutil.copytree(FLOWS, project.folder, dirs_exist_ok=True)
    found = []
    for words in RUNS:
        if words[0] == "tests":
            project.write("src/a.vh", f"// edited before {words}\n")
        done = project.dfm("run", *words, LANG_OF_RUN="en")
        lines = plain(done.out, project).split("\n")
        markers = sorted(line for line in lines if re.match(r"  [EWI] ", line))
        records = {file: json.loads(text) for file, text in texts(project, ".exec_data.json")}
        for record in records.values():
            for key in PASSING:
                record.pop(key, None)
        files = {
            file: text for file, text in texts(project, "") if not file.endswith(".exec_data.json")
        }
        executed = done.executed()
        found.append(Seen(done.status, done.counts(), executed, markers, records, files))
    return found


def texts(project: Project, end: str) -> Iterator[tuple[str, str]]:
    """Of the files of a rundir with such names."""
    top = project.folder / "rundir"
    for file in sorted(top.rglob(f"*{end}")):
        path = file.relative_to(top)
        if file.is_file() and path.parts[0] not in OWN:
            yield str(path), plain(file.read_text(), project)


def plain(text: str, project: Project) -> str:
    text = text.replace(str(project.folder), "FOLDER")
    text = re.sub(r"\b[\d.]+ (ms|s)\b", "TIME", text)
    return re.sub(r'"cores": \d+', '"cores": N', text)  # a worker's job has its own


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Between two values, each with the way to it."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key), other.get(key), f"{where}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{where}/{number}")
    elif one != other:
        yield f"{where}: {one!r} is {other!r}"


def test_the_runs_show_something(project: Project) -> None:
    local = type_all(project)
    ended = {words[0]: seen.status for words, seen in zip(RUNS, local, strict=True)}
    assert ended["scripts"] in (0, 1), "1 where there is no csh"
    assert {name for name, status in ended.items() if status} - {"scripts"} == {
        "control",
        "failures",
    }
    records = {file: record for seen in local for file, record in seen.records.items()}
    assert len(records) > 100
    assert sum(len(record["output"]["output"]) for record in records.values()) > 100
    assert not local[4].executed, "it is up to date"
    assert local[5].executed >= {"p.inline", "p.function", "p.class", "p.checked"}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("runner", ["local", pytest.param("slurm", marks=pytest.mark.slurm)])
def test_a_daemon_gives_what_the_local_runner_gives(
    runner: str, project: Project, request: pytest.FixtureRequest
) -> None:
    """In one folder, since hashes are of texts that name it."""
    if runner == "slurm":
        slurm = request.getfixturevalue("slurm")
        project.environment.update(slurm.environment)
    local = type_all(project)
    shutil.rmtree(project.folder / "rundir")
    project.ok("daemon", "start", "--runner", runner, "--pool-size", "2")
    try:
        through = type_all(project)
    finally:
        project.ok("daemon", "stop")
    for words, one, other in zip(RUNS, local, through, strict=True):
        found = list(differences(one._asdict(), other._asdict()))
        assert not found, "\n".join([" ".join(words), *found])
