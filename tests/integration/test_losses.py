"""What is lost under a run, and what the run makes of it: workers, daemons, clients, signals."""

import os
import signal

import psutil
import pytest

from tests.integration.conftest import Project, until

# Each task notes that it ran, and leaves processes in sessions of their own behind while it does.
SIMS = """
  with:
    n: {type: list, value: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}
  tasks:
  - name: sims
    strategy: {matrix: {i: "${{ n }}"}}
    body:
    - name: s
      with: {i: {type: int, value: "${{ matrix.i }}"}}
      run: |
        echo started >> count
        setsid sleep 0.2 &
        sleep 0.2
        echo ${{ i }} > out
        dfm-out fileset --filetype out out
  - root: all
    needs: [sims]
    consumes: [{type: std.FileSet}]
    run: python3 -c "import json, os; print([open(i['basedir'] + '/out').read() for i in json.load(open(os.environ['DFM_INPUTS']))])"
"""
# Runs until the file `go` is there.
GATE = """
  tasks:
  - name: gate
    run: |
      echo $$ > pid
      setsid sleep 300 &
      trap 'echo ended by a signal >> ../../trapped; exit 1' TERM
      touch ../../started.$(basename $PWD)
      while [ ! -e ../../go ]; do sleep 0.02; done
      echo done > out
  - root: after
    needs: [gate]
    run: cat ../p.gate/out
  - root: both
    needs: [gate, after]
"""


def has_record(project: Project, node: str) -> bool:
    path = project.folder / f"rundir/{node}/{node}.exec_data.json"
    return path.exists() and path.stat().st_size > 0


def busy_worker(project: Project) -> psutil.Process:
    """A worker that runs a task now."""

    def find() -> psutil.Process | None:
        for worker in project.status().get("workers", []):
            if worker["state"] == "busy" and worker["pid"]:
                return psutil.Process(worker["pid"])
        return None

    found = until(find, "a busy worker")
    assert found is not None
    return found


def test_a_killed_worker_changes_nothing_of_the_results(daemon: Project) -> None:
    daemon.flow(SIMS)
    daemon.ok("daemon", "start", "--pool-size", "3")
    run = daemon.start("run", "all")
    worker = busy_worker(daemon)
    children = worker.children(recursive=True)
    worker.kill()
    done = daemon.end(run)
    assert done.status == 0, done
    assert done.counts() == {"total": 13, "done": 13, "up-to-date": 0, "failed": 0, "skipped": 0}
    assert "a task is run again: worker" in done.out
    assert "killed by signal 9" in done.out
    for i in range(12):
        assert daemon.read(f"rundir/p.sims.s_{i}/out") == f"{i}\n"
    assert not [child for child in children if child.is_running()], "of the killed worker"
    assert daemon.status()["tasks"]["retried"] >= 1
    assert not daemon.ok("run", "all").executed()


def test_the_task_of_a_lost_worker_is_gone_before_it_runs_again(daemon: Project) -> None:
    daemon.flow(GATE)
    daemon.ok("daemon", "start", "--pool-size", "2")
    run = daemon.start("run", "after")
    until((daemon.folder / "started.p.gate").exists)
    first = until(lambda: daemon.read("rundir/p.gate/pid").strip())
    (daemon.folder / "started.p.gate").unlink()
    busy_worker(daemon).kill()
    until((daemon.folder / "started.p.gate").exists, "it runs again")
    assert not psutil.pid_exists(int(first))
    daemon.write("go", "")
    assert daemon.end(run).status == 0


def test_a_task_that_kills_its_worker_each_time_fails_as_infrastructure(daemon: Project) -> None:
    daemon.flow(
        "  tasks:\n"
        "  - {name: poison, run: 'kill -9 $PPID; sleep 60'}\n"
        "  - {name: well, run: 'true'}\n"
        "  - {root: all, needs: [poison, well], run: 'true'}\n"
    )
    daemon.ok("daemon", "start", "--pool-size", "1")
    done = daemon.dfm("run", "all", "-k")
    assert done.status == 3, done
    assert "FAILED p.poison: infrastructure: worker" in done.out
    assert done.counts()["lost"] == 1
    assert done.counts()["done"] == 1
    assert done.counts()["skipped"] == 1
    assert daemon.status()["tasks"]["retried"] == 2, "retry.infra"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_and_the_next_one_continues(
    anywhere: Project, number: signal.Signals
) -> None:
    anywhere.flow(GATE + "  - {name: early, run: 'echo early >> ../../early'}\n"
                  "  - {root: all, needs: [early, both], run: 'true'}\n")  # fmt: skip
    run = anywhere.start("run", "all", "-j", "2")
    until((anywhere.folder / "started.p.gate").exists)
    until((anywhere.folder / "early").exists)
    until(lambda: has_record(anywhere, "p.early"))
    run.send_signal(number)
    done = anywhere.end(run)
    assert done.status == 128 + number, done
    assert done.counts()["interrupted"] == 1
    assert anywhere.read("trapped") == "ended by a signal\n", "SIGTERM came first"
    assert not [line for line in anywhere.leftovers() if "sleep" in line]
    assert anywhere.record("p.gate")["result"]["status"] != 0

    anywhere.write("go", "")
    again = anywhere.ok("run", "all")
    assert again.executed() == {"p.gate", "p.after", "p.both", "p.all"}
    assert anywhere.read("early") == "early\n"


def test_a_second_interrupt_kills_what_ignores_the_first(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - root: t\n"
        "    run: |\n"
        "      trap '' TERM\n"
        "      touch ../../on\n"
        "      while true; do sleep 0.02; done\n"
    )
    run = anywhere.start("run", "t")
    until((anywhere.folder / "on").exists)
    while run.poll() is None:  # as an impatient user does
        run.send_signal(signal.SIGINT)
    assert anywhere.end(run).status == 130
    assert not [line for line in anywhere.leftovers() if "p.t" in line]


def test_a_killed_client_takes_its_tasks_with_it_and_the_next_run_goes_on(daemon: Project) -> None:
    daemon.flow(GATE + "  - {name: early, run: 'echo early >> ../../early'}\n"
                "  - {root: all, needs: [early, both], run: 'true'}\n")  # fmt: skip
    daemon.ok("daemon", "start", "--pool-size", "2")
    run = daemon.start("run", "all")
    until((daemon.folder / "started.p.gate").exists)
    until(lambda: has_record(daemon, "p.early"))
    run.kill()
    run.communicate()
    until(lambda: not [line for line in daemon.leftovers() if "sleep" in line], "its tasks end")
    until(lambda: not daemon.status()["clients"])
    daemon.write("go", "")
    again = daemon.ok("run", "all")
    assert again.executed() == {"p.gate", "p.after", "p.both", "p.all"}


def test_a_killed_local_run_continues_where_it_was(project: Project) -> None:
    project.flow(GATE)
    run = project.start("run", "both")
    until((project.folder / "started.p.gate").exists)
    run.kill()
    run.communicate()
    project.kill_leftovers()  # nobody else is left who could end them
    project.write("go", "")
    assert project.ok("run", "both").executed() == {"p.gate", "p.after", "p.both"}


def test_a_run_whose_daemon_is_killed_says_so(project: Project) -> None:
    project.flow(GATE)
    project.ok("daemon", "start", "--pool-size", "1")
    run = project.start("run", "both")
    until((project.folder / "started.p.gate").exists)
    os.kill(project.status()["pid"], signal.SIGKILL)
    done = project.end(run)
    assert done.status == 3, done
    assert "the daemon is gone; waiting for it to come back" in done.out
    assert "the daemon is gone: " in done.err
    assert [line for line in project.leftovers() if "dfm_worker" in line], "they would wait longer"
    assert "the workers of one that was killed end" in project.ok("daemon", "stop").out
    until(lambda: not project.leftovers(), "workers end with their tasks")
    project.write("go", "")
    assert project.ok("run", "both").executed() == {"p.gate", "p.after", "p.both"}


def test_a_task_that_was_stale_when_a_run_was_interrupted_stays_stale(project: Project) -> None:
    """What it needs changed and executed; only then the run ended. It has no inputs to tell."""
    project.flow(
        "  with: {v: {type: int, value: 1}}\n"
        "  tasks:\n"
        "  - {name: first, with: {v: {type: int, value: '${{ v }}'}}, run: 'echo ${{ v }} > ../../value'}\n"
        "  - {root: second, needs: [first], run: '[ -e ../../wait ] && touch ../../on && sleep 300; cat ../../value > seen'}\n"
    )
    project.ok("run", "second")
    project.write("wait", "")
    run = project.start("run", "second", "-D", "p.v=2")
    until((project.folder / "on").exists)
    run.kill()
    run.communicate()
    project.kill_leftovers()  # nobody else is left who could end them
    (project.folder / "wait").unlink()
    assert project.ok("run", "second", "-D", "p.v=2").executed() == {"p.second"}
    assert project.read("rundir/p.second/seen") == "2\n"
