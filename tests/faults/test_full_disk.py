"""A disk that is full fails the tasks that write to it, with the place and the reason, and nothing else."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from dfm_worker.warm_python import WarmPython
from tests.dfm_worker.host import Host
from tests.integration.conftest import Project

SIZE = 256 * 1024


def mounted(place: Path) -> Iterator[Path]:
    """A file system of this size."""
    if os.getuid() != 0:
        pytest.fail("this test mounts a tmpfs: it needs root")
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "small")


@pytest.fixture
def small_folder(project: Project) -> Iterator[Path]:
    """Below a project, whose daemon and whose flow have a disk with room."""
    yield from mounted(project.folder / "small")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    loop = Loop()
    executor = Executor(loop)
    made = Host(loop, executor, tmp_path)
    yield made
    made.close()
    executor.close()


def fill(place: Path) -> Path:
    """Takes all that is left; returns the file that has it."""
    filler = place / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return filler


@pytest.mark.parametrize("kind", ["bash", "lines of bash", "python, started", "python, forked"])
def test_a_task_that_cannot_be_staged_fails_and_the_next_one_runs(
    host: Host, small: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    language = kind.split(",")[0].split()[-1]
    script = "true" if kind == "bash" else "true\ntrue" if language == "bash" else "pass\npass"
    if kind == "python, started":
        monkeypatch.setattr(WarmPython, "fork", lambda *_: 0)
    else:
        host.warm_up()
    filler = fill(small)
    rundir = f"{small}/demo.t"
    spec = host.spec(script, rundir=rundir, language=language)
    for _ in range(3):
        result = host.run(spec)
        assert result.status == 1
        assert result.failure.startswith(
            f"cannot start in {rundir}: [Errno 28] No space left on device: '{rundir}/dfm."
        )
    assert host.run(spec._replace(rundir=f"{host.folder}/good")).status == 0
    filler.unlink()
    assert host.run(spec).status == 0


@pytest.mark.parametrize("language", ["bash", "python"])
def test_a_task_that_fills_the_disk_itself_fails_and_the_next_one_runs(
    host: Host, small: Path, language: str
) -> None:
    if language == "python":
        host.warm_up()
    script = {
        "bash": "head -c 1000000 /dev/zero",  # into its log
        "python": "for i in range(100000): print('x' * 100)\npass",
    }[language]
    spec = host.spec(script, rundir=f"{small}/demo.t", language=language, log_limit=1000)
    result = host.run(spec)
    assert result.status != 0
    reason = "No space left on device"
    assert reason in result.failure or result.log_tail
    assert host.run(spec._replace(rundir=f"{host.folder}/good")).warnings != []
    assert host.run("true").status == 0


def test_a_log_that_was_cut_gives_the_disk_back(host: Host, small: Path) -> None:
    """The limit leaves room for others, so that what comes next runs on the same disk."""
    spec = host.spec(
        "head -c 200000 /dev/zero | tr '\\0' x", rundir=f"{small}/demo.t", log_limit=50_000
    )
    for _ in range(3):
        result = host.run(spec)
        assert (result.status, len(result.warnings)) == (0, 1)
        assert os.stat(f"{small}/demo.t/demo.t.log").st_size < 51_000


FLOW = """
  tasks:
  - name: filler
    run: |
      cat /dev/zero > ../filler 2>/dev/null
      exit 0
  - name: shell
    run: |
      echo done
  - name: python
    shell: pytask
    run: |
      print("done")
  - root: all
    needs: [filler, shell, python]
"""


@pytest.mark.parametrize("runner", ["local", "daemon"])
def test_a_run_says_where_there_was_no_room_and_the_next_one_works(
    project: Project, small_folder: Path, runner: str
) -> None:
    project.flow(FLOW)
    if runner == "daemon":
        project.ok("daemon", "start", "--pool-size", "1")
    done = project.dfm("run", "filler", cwd=small_folder)
    assert done.status == 1, done
    record = f"{small_folder}/rundir/p.filler/p.filler.exec_data.json"
    assert f"cannot write {record}: No space left on device" in done.out
    done = project.dfm("run", "-k", "shell", "python", cwd=small_folder)
    assert done.status == 1, done
    for name in ("p.shell", "p.python"):
        place = small_folder / "rundir" / name
        assert f"cannot start in {place}: " in done.out, done
    assert "No space left on device" in done.out
    assert "Traceback" not in done.out + done.err
    workers = [worker["pid"] for worker in project.status().get("workers", [])]
    (small_folder / "rundir" / "filler").unlink()
    project.write("flow.yaml", (project.read("flow.yaml")).replace("> ../filler", "> /dev/full"))
    assert project.ok("run", "all", cwd=small_folder).counts()["done"] == 4
    other = project.folder / "other"
    other.mkdir()
    assert project.ok("run", "all", cwd=other).counts()["done"] == 4
    if runner == "daemon":
        assert [worker["pid"] for worker in project.status()["workers"]] == workers
        project.ok("daemon", "stop")
