"""`dfm logs`, as a user reads logs of runs that go on, are over, or have not begun."""

import os
import signal
import subprocess

import pytest

from tests.integration.conftest import DFM, Project, until

FLOW = """
  with: {seeds: {type: list, value: [4, 5]}}
  tasks:
  - {name: slow, run: 'echo first; touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done; echo last; exit 3'}
  - {name: files, uses: std.FileSet, with: {include: ["*.yaml"]}}
  - name: sims
    strategy: {matrix: {seed: "${{ seeds }}"}}
    body:
    - {name: run, run: 'echo seed ${{ matrix.seed }}'}
  - name: other
    body:
    - {name: lint, run: 'echo inner'}
  - {name: lint, run: 'echo outer'}
  - {root: all, needs: [files, sims, lint, other], run: 'printf "one\\ntwo\\nthree"'}
"""
WAITS = "has not started yet: waiting"


def test_a_log_is_printed_by_its_full_name_or_the_end_of_it(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "all")
    for name in ("p.sims.run_0", "sims.run_0", "run_0"):
        assert project.ok("logs", name).out == "seed 4\n"
    assert project.ok("logs", "p.all").out == "one\ntwo\nthree"
    assert project.ok("logs", "all", "-n", "2").out == "two\nthree"
    assert project.ok("logs", "-f", "all").out == "one\ntwo\nthree", "it has ended"


def test_an_end_of_several_names_means_what_it_means_to_run(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "all")
    assert project.ok("logs", "lint").out == "outer\n"
    project.write("flow.yaml", "no flow any more")
    done = project.dfm("logs", "lint")
    assert done.status == 2
    assert "`lint` may be one of 2 tasks: p.lint, p.other.lint" in done.err
    assert project.ok("logs", "other.lint").out == "inner\n", "no flow is needed for a log"


def test_a_log_is_found_from_below_the_project(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "lint")
    below = project.folder / "below"
    below.mkdir()
    assert project.ok("logs", "lint", cwd=below).out == "outer\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run_7", "did you mean `run_1` or `run_0`?"),
        ("p.sims.run_7", "did you mean `p.sims.run_1`"),
        ("lnt", "did you mean `lint`"),
        ("slow", "p.slow has no log: it has not run in rundir\n     -f waits for it"),
        ("files", "p.files has no log: it runs no command"),
        ("sims", "inside it are p.sims.run_0, p.sims.run_1"),
    ],
)
def test_what_has_no_log_is_said_with_what_to_do(project: Project, name: str, text: str) -> None:
    project.flow(FLOW)
    project.ok("run", "all")
    done = project.dfm("logs", name)
    assert done.status == 2
    assert not done.out
    assert text in done.err


@pytest.mark.parametrize("runner", ["local", "daemon"])
def test_a_log_is_followed_from_before_its_task_starts_to_its_end(
    project: Project, runner: str
) -> None:
    project.flow(FLOW)
    if runner == "daemon":
        project.ok("daemon", "start", "--pool-size", "1")
    reader = project.start("logs", "-f", "slow")
    assert reader.stderr is not None
    assert reader.stdout is not None
    assert WAITS in reader.stderr.readline()
    run = project.start("run", "slow")
    assert reader.stdout.readline() == "first\n", "while the task runs"
    assert reader.poll() is None
    project.write("go", "")
    done = project.end(reader)
    assert (done.status, done.out, done.err) == (0, "last\n", "")
    assert project.end(run).status == 1
    if runner == "daemon":
        project.ok("daemon", "stop")


def test_a_task_whose_run_was_killed_is_not_waited_for(project: Project) -> None:
    project.flow(FLOW)
    run = project.start("run", "slow")
    until((project.folder / "on").exists)
    reader = project.start("logs", "-f", "slow")
    assert reader.stdout is not None
    assert reader.stdout.readline() == "first\n"
    run.send_signal(signal.SIGKILL)
    project.end(run)
    done = project.end(reader)
    assert done.status == 0
    assert "p.slow has not ended, and no `dfm run` is at work in" in done.err
    project.write("go", "")
    until(lambda: not project.leftovers())


def test_a_log_that_is_written_anew_is_followed_from_its_beginning(project: Project) -> None:
    project.flow(FLOW)
    project.ok("daemon", "start", "--pool-size", "1")
    run = project.start("run", "slow")
    until((project.folder / "on").exists)
    reader = project.start("logs", "-f", "slow")
    assert reader.stdout is not None
    assert reader.stderr is not None
    assert reader.stdout.readline() == "first\n"
    (worker,) = project.status()["workers"]
    log = project.folder / "rundir/p.slow/p.slow.log"
    os.truncate(log, 0)
    assert "p.slow has started anew" in reader.stderr.readline()
    os.kill(worker["pid"], signal.SIGKILL)
    assert reader.stdout.readline() == "first\n", "of the second try"
    project.write("go", "")
    assert project.end(reader).out == "last\n"
    assert project.end(run).status == 1
    project.ok("daemon", "stop")


def test_ctrl_c_ends_it(project: Project) -> None:
    project.flow(FLOW)
    reader = project.start("logs", "-f", "slow")
    assert reader.stderr is not None
    assert WAITS in reader.stderr.readline()
    reader.send_signal(signal.SIGINT)
    done = project.end(reader)
    assert (done.status, done.out, done.err) == (130, "", "")


def test_a_log_that_is_not_text_comes_out_byte_by_byte(project: Project) -> None:
    project.flow("  tasks:\n  - {root: t, run: 'head -c 3000000 /dev/urandom'}\n")
    project.ok("run", "t")
    shown = project.folder / "shown"
    with shown.open("wb") as file:
        subprocess.run(
            [*DFM, "logs", "t"], cwd=project.folder, env=project.environment,
            stdout=file, check=True,
        )  # fmt: skip
    assert shown.read_bytes() == (project.folder / "rundir/p.t/p.t.log").read_bytes()
