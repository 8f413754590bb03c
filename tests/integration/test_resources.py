"""What tasks ask for, as users of `dfm run` meet it."""

from collections.abc import Iterator

import pytest

from tests.integration.conftest import Project
from tests.integration.test_parallelism import peak, tasks

CONFIG = """\
runner:
  pool: {walltime: "4:00"}
  limits: {vcs: 2}
  resource_classes:
    large: {cores: 2, memory: 4G, walltime: "1:00"}
    endless: {walltime: "100:00"}
"""
MISTAKES = """\
  tasks:
  - name: sims
    strategy: {matrix: {i: [0, 1, 2, 3, 4]}}
    body:
    - {name: s, run: 'touch ../../ran', tags: [std.ResourceTag: {limits: {vsc: 1}}]}
  - {name: big, run: 'touch ../ran', tags: [std.ResourceTag: {resource_class: lagre}]}
  - {name: long, run: 'touch ../ran', tags: [std.ResourceTag: {walltime: "5:00"}]}
  - {name: longer, run: 'touch ../ran', tags: [std.ResourceTag: {resource_class: endless}]}
  - {name: many, run: 'touch ../ran', tags: [std.ResourceTag: {limits: {vcs: 3}}]}
  - {name: first, run: 'touch ../ran'}
  - {name: all, needs: [first, sims, big, long, longer, many], run: 'true'}
"""


@pytest.fixture
def mistaken(project: Project) -> Project:
    project.write(".dfm/config.yaml", CONFIG)
    project.flow(MISTAKES)
    return project


@pytest.fixture
def mistaken_daemon(mistaken: Project) -> Iterator[Project]:
    mistaken.ok("daemon", "start", "--pool-size", "2")
    yield mistaken
    mistaken.ok("daemon", "stop")


def test_what_no_worker_can_ever_meet_is_said_all_at_once_and_nothing_runs(
    mistaken_daemon: Project,
) -> None:
    done = mistaken_daemon.dfm("run", "all")
    assert done.status == 2
    assert not (mistaken_daemon.folder / "rundir").exists()
    pool = "     `runner.pool.walltime` is set in {}/.dfm/config.yaml:2"
    limit = "     `runner.limits.vcs` is set in {}/.dfm/config.yaml:3"
    expected = [
        "flow.yaml:7:66: p.sims.s_0, p.sims.s_1, p.sims.s_2 and 2 more tasks:"
        " there is no limit `vsc`",
        "     did you mean `vcs`? known limits: vcs",
        "flow.yaml:8:63: p.big: there is no resource class `lagre`",
        "     did you mean `large`? known classes: endless, large",
        "flow.yaml:9:64: p.long: a walltime of 5:00 (its own tag) is longer than a worker's, 4:00",
        pool,
        "flow.yaml:10:66: p.longer: a walltime of 100:00 (its class, endless) is longer than a"
        " worker's, 4:00",
        pool,
        "flow.yaml:11:64: p.many: 3 of the limit `vcs`, of which there are 2",
        limit,
    ]
    lines = done.err.replace(str(mistaken_daemon.folder), "{}").rstrip("\n").split("\n")
    marks = [line for line in lines if line.strip() == "^"]
    assert len(marks) == 5, "the line of the file stands above each"
    found = [line for line in lines if line not in marks and not line.startswith("     - {")]
    assert found == expected


def test_the_local_runner_knows_no_pools_but_classes_and_limits(mistaken: Project) -> None:
    done = mistaken.dfm("run", "all")
    assert done.status == 2
    assert "p.big: there is no resource class `lagre`" in done.err
    assert "there is no limit `vsc`" in done.err
    assert "p.many: 3 of the limit" in done.err
    assert "walltime" not in done.err
    assert not (mistaken.folder / "ran").exists()
    mistaken.ok("run", "p.long", "p.longer")


def test_a_run_that_cannot_start_removes_nothing(mistaken: Project) -> None:
    mistaken.ok("run", "p.first")
    assert mistaken.dfm("run", "all", "--clean").status == 2
    assert mistaken.record("p.first")["result"]["status"] == 0
    mistaken.ok("run", "p.long", "--clean")
    assert not (mistaken.folder / "rundir/p.first").exists()


def test_without_classes_in_the_configuration_the_local_runner_takes_any(project: Project) -> None:
    project.flow("""
  tasks:
  - {name: t, run: 'true', tags: [std.ResourceTag: {resource_class: large, queue: regr}]}
""")
    project.ok("run", "t")
    project.ok("daemon", "start", "--pool-size", "1")
    done = project.dfm("run", "t", "-f")
    project.ok("daemon", "stop")
    assert done.status == 2
    assert "no classes are set (`runner.resource_classes`)" in done.err


def test_a_fault_of_a_request_is_said_with_its_place(project: Project) -> None:
    project.flow("""
  tasks:
  - {name: t, run: 'true', tags: [std.ResourceTag: {memory: much, priority: high}]}
""")
    done = project.dfm("run", "t")
    assert done.status == 2
    assert "flow.yaml:5:61: `memory` of p.t must be a number with K, M, G or T" in done.err
    assert "flow.yaml:5:77: `priority` of p.t must be a whole number, not the text" in done.err


def test_pools_are_named_after_classes_and_what_they_are_made_of(daemon: Project) -> None:
    daemon.write(".dfm/config.yaml", CONFIG)
    daemon.flow("""
  tasks:
  - {name: a, run: 'echo $DFM_CORES > cores', tags: [std.ResourceTag: {resource_class: large}]}
  - {name: b, run: 'true', tags: [std.ResourceTag: {cores: 2, memory: 512, queue: regr}]}
  - {name: c, run: 'true', tags: [std.ResourceTag: {walltime: "0:30", priority: 3}]}
  - {name: d, run: 'echo $DFM_CORES > cores'}
  - {name: all, needs: [a, b, c, d], run: 'true'}
""")
    daemon.ok("daemon", "start", "--pool-size", "1")
    daemon.ok("run", "all")
    pools = {pool["name"]: (pool["cores"], pool["memory_mb"]) for pool in daemon.status()["pools"]}
    assert pools == {"large": (2, 4096), "2c-512M-regr": (2, 512), "1c-1G": (1, 1024)}
    assert daemon.read("rundir/p.a/cores") == "2\n"
    assert daemon.read("rundir/p.d/cores") == "1\n"


def test_workers_that_are_kept_warm_are_those_of_tasks_that_ask_for_nothing(
    daemon: Project,
) -> None:
    daemon.write(
        ".dfm/config.yaml", "runner:\n  pool: {min_workers: 1}\n  defaults: {memory: 2G}\n"
    )
    daemon.flow("  tasks:\n  - {name: t, run: 'true'}\n")
    daemon.ok("daemon", "start", "--pool-size", "1")
    daemon.ok("run", "t")
    assert [pool["name"] for pool in daemon.status()["pools"]] == ["1c-2G"]


def test_a_class_for_one_run_is_that_of_tasks_without_a_tag(daemon: Project) -> None:
    daemon.write(".dfm/config.yaml", CONFIG)
    daemon.flow("""
  tasks:
  - {name: tagged, run: 'echo $DFM_CORES > cores', tags: [std.ResourceTag: {memory: 1G}]}
  - {name: bare, needs: [tagged], run: 'echo $DFM_CORES > cores', tags: [std.Stable]}
""")
    daemon.ok("daemon", "start", "--pool-size", "1")
    daemon.ok("run", "bare", "--resource-class", "large")
    assert daemon.read("rundir/p.tagged/cores") == "1\n"
    assert daemon.read("rundir/p.bare/cores") == "2\n"
    assert {pool["name"] for pool in daemon.status()["pools"]} == {"1c-1G", "large"}
    done = daemon.dfm("run", "bare", "--resource-class", "lagre")
    assert done.status == 2
    assert "--resource-class: there is no resource class `lagre`" in done.err
    assert "did you mean `large`?" in done.err
    done = daemon.dfm("run", "bare", "--resource-class", "endless")
    assert done.status == 2
    assert "p.bare: a walltime of 100:00 (its class, endless)" in done.err


@pytest.mark.parametrize("limits", ["{vcs: 1}", "[vcs]"])
def test_the_local_runner_honours_limits(project: Project, limits: str) -> None:
    project.write(".dfm/config.yaml", CONFIG)
    project.flow(tasks(8, more=f", tags: [{{std.ResourceTag: {{limits: {limits}}}}}]"))
    project.ok("run", "all", "-j", "5")
    assert peak(project.read("log")) == 2


def test_what_waits_for_a_limit_keeps_nothing_else_waiting(project: Project) -> None:
    """The one that holds it ends when a task that is behind all others has run."""
    project.write(".dfm/config.yaml", "runner:\n  limits: {vcs: 1}\n")
    wait = "while [ ! -e ../../free ]; do sleep 0.01; done"
    flow = tasks(6, wait, ", tags: [{std.ResourceTag: {limits: [vcs]}}]")
    free = "  - {name: free, run: 'touch ../../free'}\n"
    project.flow(flow.replace("needs: [many]", "needs: [many, free]") + free)
    project.ok("run", "all", "-j", "2")


def test_tokens_of_tasks_that_fail_or_are_killed_come_back(project: Project) -> None:
    project.write(".dfm/config.yaml", "runner:\n  limits: {vcs: 1}\n")
    tag = ", tags: [{std.ResourceTag: {limits: [vcs]}}]"
    project.flow(tasks(6, "echo + >> ../../log; kill -9 $$", tag))
    done = project.dfm("run", "all", "-j", "3", "-k")
    assert done.status == 1
    assert done.counts()["failed"] == 6
    assert project.read("log").count("+") == 6


def test_more_priority_comes_first(project: Project) -> None:
    """One task at a time, so that the order is that of the starts."""
    project.flow("""
  tasks:
  - name: many
    strategy: {matrix: {i: [0, 1, 2, 3]}}
    body:
    - name: t
      run: 'echo ${{ matrix.i }} >> ../../order'
      tags: [std.ResourceTag: {priority: "${{ matrix.i }}"}]
  - {root: all, needs: [many], run: 'true'}
""")
    project.ok("run", "all", "-j", "1")
    assert project.read("order").split() == ["3", "2", "1", "0"]
