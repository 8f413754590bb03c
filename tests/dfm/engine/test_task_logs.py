"""Logs are found where runs put them, and files of the user's are none."""

from pathlib import Path

import pytest

from dfm.engine.task_logs import TaskLog, all_logs, find

FILES = """
    p.a/p.a.log p.a/p.a.exec_data.json p.a/sim.log p.a/deep/p.x.log
    p.sims.run_1/p.sims.run_1.log p.sims.run_2/p.sims.run_2.log
    p.comp/p.comp.exec_data.json p.comp/p.comp.shares.log
    p.comp/p.comp.in/p.comp.in.log p.comp/p.comp.in/p.comp.in.a/p.comp.in.a.log
    p.other/q.t.exec_data.json p.other/q.t.log p.quiet/p.quiet.exec_data.json
    cache/p.z.log cache/cache.d/cache.d.log bin/dfm
""".split()


@pytest.fixture
def rundir(tmp_path: Path) -> str:
    for name in FILES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return str(tmp_path)


def test_all_logs_of_tasks_are_found_and_no_other_files(rundir: str) -> None:
    assert {log.task for log in all_logs(rundir)} == {
        "p.a", "p.sims.run_1", "p.sims.run_2", "p.comp.shares", "p.comp.in", "p.comp.in.a", "q.t",
    }  # fmt: skip
    assert all(Path(log.path).is_file() for log in all_logs(rundir))


def test_a_task_that_shares_a_directory_has_its_log_there(rundir: str) -> None:
    assert find(rundir, "p.comp.shares") == [TaskLog("p.comp.shares", f"{rundir}/p.comp")]


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("p.a", ["p.a"]),
        ("a", ["p.a", "p.comp.in.a"]),
        ("in.a", ["p.comp.in.a"]),
        ("run_2", ["p.sims.run_2"]),
        ("n.a", []),
        ("quiet", []),
        ("z", []),
        ("../p.a", []),
    ],
)
def test_any_whole_end_of_a_name_will_do(rundir: str, name: str, tasks: list[str]) -> None:
    assert sorted(log.task for log in find(rundir, name)) == tasks


def test_without_a_run_directory_there_is_nothing(tmp_path: Path) -> None:
    assert not find(str(tmp_path / "rundir"), "p.a")


def test_a_task_has_ended_when_its_record_is_written(tmp_path: Path) -> None:
    log = TaskLog("p.a", str(tmp_path))
    assert not log.has_ended()
    Path(log.record).write_text("")
    assert not log.has_ended()
    Path(log.record).write_text("{}")
    assert log.has_ended()
