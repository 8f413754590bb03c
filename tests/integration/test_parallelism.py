"""How many tasks run at once: -j, GNU make around dfm and inside tasks, cores, waiting for a slot."""

import shutil
import subprocess

import pytest

from tests.integration.conftest import DFM, Project

# Each command notes when it begins and ends; the peak is how many were in between at once.
NOTE = "echo + >> ../../log; sleep 0.05; echo - >> ../../log"


def peak(text: str) -> int:
    running = most = 0
    for line in text.split():
        running += 1 if line == "+" else -1
        most = max(most, running)
    return most


def tasks(count: int, run: str = NOTE, more: str = "") -> str:
    numbers = ", ".join(map(str, range(count)))
    return (
        "  tasks:\n"
        "  - name: many\n"
        f"    strategy: {{matrix: {{i: [{numbers}]}}}}\n"
        "    body:\n"
        f"    - {{name: t, run: '{run}'{more}}}\n"
        "  - {root: all, needs: [many], run: 'true'}\n"
    )


@pytest.mark.parametrize("jobs", [1, 3])
def test_j_limits_the_tasks_at_once(project: Project, jobs: int) -> None:
    project.flow(tasks(9))
    project.ok("run", "all", "-j", str(jobs))
    assert peak(project.read("log")) == jobs


def test_a_pool_size_limits_the_tasks_at_once(daemon: Project) -> None:
    daemon.flow(tasks(9))
    daemon.ok("daemon", "start", "--pool-size", "3")
    daemon.ok("run", "all")
    assert peak(daemon.read("log")) == 3


def test_a_task_of_several_cores_takes_as_many_tokens(project: Project) -> None:
    tag = ", tags: [{std.ResourceTag: {cores: 2}}]"
    project.flow(tasks(6, more=tag))
    project.ok("run", "all", "-j", "4")
    assert peak(project.read("log")) == 2
    assert project.record("p.many.t_0")["result"]["status"] == 0


def test_more_cores_than_there_are_is_all_there_are(project: Project) -> None:
    project.flow(tasks(3, more=", tags: [{std.ResourceTag: {cores: 64}}]"))
    project.ok("run", "all", "-j", "2")
    assert peak(project.read("log")) == 1


def test_dfm_under_make_draws_its_tokens_from_make(project: Project) -> None:
    """Two dfm and some commands below one `make -j3`: never more than three at once."""
    make = shutil.which("make")
    assert make is not None
    for name in ("a", "b"):
        project.write(f"{name}/flow.yaml", "package:\n  name: p\n"
                      + tasks(6, NOTE.replace("../../log", "../../../log")))  # fmt: skip
    project.write(
        "Makefile",
        ".PHONY: all a b c d\n"
        "all: a b c d\n"
        f"a b:\n\t+cd $@ && {' '.join(DFM)} run all\n"
        "c d:\n\techo + >> log; sleep 0.2; echo - >> log\n",
    )
    done = subprocess.run(
        [make, "-j3"], cwd=project.folder, env=project.environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    log = project.read("log")
    assert log.count("+") == 14
    assert 2 <= peak(log) <= 3


def test_without_the_plus_make_has_closed_its_jobserver_and_dfm_says_so(project: Project) -> None:
    make = shutil.which("make")
    assert make is not None
    project.flow(tasks(1))
    project.write("Makefile", f"all: a b\na:\n\tcd . ; {' '.join(DFM)} run all\nb:\n\ttrue\n")
    done = subprocess.run(
        [make, "-j2"], cwd=project.folder, env=project.environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert "put a `+` before the recipe's line" in done.stdout


def test_makes_inside_tasks_share_the_jobs_of_dfm(anywhere: Project) -> None:
    recipe = "echo + >> ../../log; sleep 0.05; echo - >> ../../log"
    targets = " ".join(f"t{i}" for i in range(6))
    anywhere.write("Makefile.inner", f"all: {targets}\n{targets}:\n\t@{recipe}\n")
    anywhere.flow(
        "  tasks:\n"
        "  - {name: one, run: 'make -f $DFM_SRCDIR/Makefile.inner'}\n"
        "  - {name: two, run: 'make -f $DFM_SRCDIR/Makefile.inner'}\n"
        "  - {root: all, needs: [one, two], run: 'true'}\n"
    )
    anywhere.ok("run", "all", "-j", "3")
    log = anywhere.read("log")
    assert log.count("+") == 12
    assert peak(log) <= 3
    assert "jobserver" not in anywhere.read("rundir/p.one/p.one.log"), "make has no complaint"


def test_tokens_that_a_killed_make_took_with_it_come_back(project: Project) -> None:
    project.write(
        "Makefile.inner",
        "all: a b\n"
        "a:\n\t@while [ ! -e ../../on ]; do sleep 0.01; done; kill -9 $$PPID\n"
        "b:\n\t@touch ../../on; sleep 300\n",
    )
    project.flow(
        tasks(6).replace("name: many", "name: many\n    needs: [killed]")
        + "  - {name: killed, run: 'make -f $DFM_SRCDIR/Makefile.inner -j; true'}\n"
    )
    project.ok("run", "all", "-j", "3")
    assert (project.folder / "on").exists(), "two at once: the make had a token"
    assert peak(project.read("log")) == 3
