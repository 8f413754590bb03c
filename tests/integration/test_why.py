"""`dfm why` as its user sees it: limits across runs, needs, workers."""

from tests.integration.conftest import Project, until

FLOW = """
  tasks:
  - name: first
    run: "touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done"
  - {name: second, needs: [first], run: 'true'}
  - {root: all, needs: [second], run: 'true'}
  - {root: other, run: 'true'}
"""


def test_what_waits_says_for_what_it_waits(daemon: Project) -> None:
    daemon.flow(FLOW)
    daemon.ok("daemon", "start", "--pool-size", "1")
    run = daemon.start("run", "all")
    until((daemon.folder / "on").exists)
    beside = daemon.folder / "beside"
    beside.mkdir()
    later = daemon.start("run", "other", cwd=beside)
    waiting = until(lambda: "1 queued" in daemon.ok("daemon", "status").out)
    assert waiting
    first = daemon.ok("why", "first").out
    assert "p.first (run " in first
    assert "running: on worker w1, host " in first or "sent to a worker: on worker w1" in first
    assert "p.second (run " in daemon.ok("why", "second").out
    assert "waiting: it needs p.first, which is not done" in daemon.ok("why", "second").out
    everything = daemon.ok("why").out
    assert (
        "all 1 workers of pool 1c-1G are busy, it may have no more: its run has 0 of the slots"
        in everything
    )
    assert "1 task of run" in everything
    assert "it needs p.second, which waits for p.first" in everything
    daemon.write("go", "")
    assert daemon.end(run).status == daemon.end(later).status == 0
    assert daemon.ok("why").out == "nothing waits\n"
    assert daemon.dfm("why", "nobody").status == 1


def test_without_a_daemon_nobody_knows(project: Project) -> None:
    project.flow(FLOW)
    done = project.dfm("why")
    assert done.status == 3
    assert done.out.startswith("no daemon of ")


LICENSED = """
  tasks:
  - name: held
    strategy: {matrix: {n: [1, 2, 3, 4, 5, 6]}}
    body:
    - name: sim
      tags: [std.ResourceTag: {limits: {lic: 1}}]
      run: "touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done"
  - {root: all, needs: [held], run: 'true'}
"""


def test_a_task_that_its_run_holds_back_names_the_limit(daemon: Project) -> None:
    daemon.flow(LICENSED)
    daemon.write(".dfm/config.yaml", "runner: {limits: {lic: 1}}\n")
    daemon.ok("daemon", "start", "--pool-size", "2")
    run = daemon.start("run", "all")
    until((daemon.folder / "on").exists)
    assert "it waits behind other tasks of its run for the limit `lic`" in daemon.ok("why").out
    daemon.write("go", "")
    assert daemon.end(run).status == 0
