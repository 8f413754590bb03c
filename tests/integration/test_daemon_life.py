"""`dfm daemon start`, `stop` and `status`, as they are used, misused and interrupted."""

import json
import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import Project, until

ONE_TASK = "  tasks:\n  - {root: t, run: 'true'}\n"
KEYS = {
    "schema", "running", "pid", "host", "version", "project_root", "started", "uptime_s", "socket",
    "worker_port", "runner", "pending_tasks", "tasks", "pools", "workers", "clients", "limits",
}  # fmt: skip


def test_a_daemon_starts_serves_and_stops_without_a_trace(project: Project) -> None:
    project.flow(ONE_TASK)
    assert project.dfm("daemon", "status").status == 3
    assert json.loads(project.dfm("daemon", "status", "--json").out) == {"running": False}

    project.ok("daemon", "start", "--pool-size", "1")
    done = project.ok("run", "t")
    assert "tasks go to the daemon" in done.out
    status = project.status()
    assert set(status) >= KEYS
    assert status["schema"] == "dfm-daemon-status/1"
    assert status["tasks"]["completed"] == 1
    assert [worker["state"] for worker in status["workers"]] == ["idle"]
    assert status["pools"][0]["max_workers"] == 1
    assert "1 completed" in project.ok("daemon", "status").out

    assert "daemon stopped" in project.ok("daemon", "stop").out
    assert not project.leftovers()
    assert sorted(os.listdir(project.folder / ".dfm")) == ["daemon.log", "workers"]
    assert project.dfm("daemon", "status").status == 3
    assert project.ok("daemon", "stop").status == 0, "also when none runs"


def test_state_is_for_its_owner_only(daemon: Project) -> None:
    daemon.flow(ONE_TASK)
    daemon.ok("daemon", "start")
    state = daemon.folder / ".dfm"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for path in state.rglob("*"):
        assert not path.stat().st_mode & 0o077, path


def test_a_second_start_says_so_and_what_it_did_not_apply(daemon: Project) -> None:
    daemon.flow(ONE_TASK)
    daemon.ok("daemon", "start", "--pool-size", "2")
    again = daemon.ok("daemon", "start", "--pool-size", "5")
    assert "runs already" in again.out
    assert "not applied: --pool-size 5 (it has 2)" in again.out


def test_starts_at_the_same_time_leave_one_daemon(daemon: Project) -> None:
    daemon.flow(ONE_TASK)
    with ThreadPoolExecutor(4) as threads:
        all_done = list(threads.map(lambda _: daemon.dfm("daemon", "start"), range(4)))
    assert [done.status for done in all_done] == [0, 0, 0, 0], all_done
    assert sum("daemon started" in done.out for done in all_done) == 1, all_done
    pids = {line.split(":")[0] for line in daemon.leftovers() if "dfm_daemon" in line}
    assert pids == {str(daemon.status()["pid"])}


def test_stop_and_start_leave_one_daemon(daemon: Project) -> None:
    daemon.flow(ONE_TASK)
    daemon.ok("daemon", "start")
    for _ in range(3):
        before = daemon.status()["pid"]
        daemon.ok("daemon", "stop")
        daemon.ok("daemon", "start")
        assert daemon.status()["pid"] != before
        daemon.ok("run", "t", "-f")


def test_what_a_killed_daemon_left_is_stale_and_in_nobodys_way(project: Project) -> None:
    project.flow(ONE_TASK)
    project.ok("daemon", "start")
    project.ok("run", "t")
    os.kill(project.status()["pid"], signal.SIGKILL)
    until(lambda: project.dfm("daemon", "status").status == 1)
    stale = project.dfm("daemon", "status", "--json")
    assert (stale.status, json.loads(stale.out)) == (1, {"running": False, "stale": True})
    assert "was killed" in project.dfm("daemon", "status").out
    project.ok("run", "t", "-f")
    assert project.dfm("daemon", "status").status == 3, "the run has removed it"
    project.ok("daemon", "stop")
    until(lambda: not project.leftovers(), "its workers end: no daemon will come back")
    assert {path.name for path in (project.folder / ".dfm").iterdir()} == {"daemon.log", "workers"}


def test_a_daemon_starts_over_a_stale_one(daemon: Project) -> None:
    daemon.flow(ONE_TASK)
    daemon.ok("daemon", "start")
    first = daemon.status()["pid"]
    os.kill(first, signal.SIGKILL)
    until(lambda: daemon.dfm("daemon", "status").status == 1)
    daemon.ok("daemon", "start")
    assert daemon.status()["pid"] != first
    daemon.ok("run", "t")


def test_a_daemon_that_cannot_start_says_why(project: Project) -> None:
    project.flow(ONE_TASK)
    project.write(".dfm/config.yaml", "runner:\n  daemon: {worker_port: 1-3, bind: 192.0.2.1}\n")
    done = project.dfm("daemon", "start")
    assert done.status == 1
    assert "cannot listen for workers on 192.0.2.1" in done.err
    assert project.dfm("daemon", "status").status == 3


def test_a_faulty_configuration_starts_nothing(project: Project) -> None:
    project.flow(ONE_TASK)
    project.write(".dfm/config.yaml", "runner:\n  pool:\n    max_worker: 3\n")
    for words in (("daemon", "start"), ("run", "t")):
        done = project.dfm(*words)
        assert done.status == 2, done
        assert ".dfm/config.yaml:3:5" in done.err
        assert "max_workers" in done.err
    assert not (project.folder / "rundir" / "p.t").exists()


def test_the_daemon_of_a_project_with_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120) / "project"
    folder.mkdir(parents=True)
    project = Project(folder)
    project.flow(ONE_TASK)
    project.ok("daemon", "start")
    try:
        socket = project.status()["socket"]
        assert not socket.startswith(str(folder))
        assert stat.S_IMODE(os.stat(os.path.dirname(socket)).st_mode) == 0o700
        assert "tasks go to the daemon" in project.ok("run", "t").out
    finally:
        project.ok("daemon", "stop")
    assert not os.path.exists(socket)
    assert not project.leftovers()


def test_an_unknown_runner_is_refused_with_the_known_ones(project: Project) -> None:
    project.flow(ONE_TASK)
    for words, variable, origin in (
        (("run", "t", "--runner", "locl"), "", "--runner"),
        (("run", "t"), "locl", "DFM_RUNNER"),
        (("daemon", "start", "--runner", "locl"), "", "--runner"),
    ):
        done = project.dfm(*words, DFM_RUNNER=variable)
        assert done.status == 2, done
        assert f"no runner `locl` (from {origin})" in done.err
        assert "did you mean `local`?" in done.err


def test_sigterm_ends_a_daemon_as_stop_does(project: Project) -> None:
    project.flow(ONE_TASK)
    project.ok("daemon", "start", "--pool-size", "1")
    project.ok("run", "t")
    os.kill(project.status()["pid"], signal.SIGTERM)
    until(lambda: not project.leftovers())
    until(lambda: sorted(os.listdir(project.folder / ".dfm")) == ["daemon.log", "workers"])


@pytest.mark.parametrize("drain", [True, False])
def test_stop_ends_what_runs_and_drain_lets_it_finish(project: Project, drain: bool) -> None:
    project.flow(
        "  tasks:\n"
        "  - {root: t, run: 'touch ../../on; while [ ! -e ../../go ]; do sleep 0.05; done; touch end'}\n"
    )
    project.ok("daemon", "start", "--pool-size", "1")
    run = project.start("run", "t")
    until((project.folder / "on").exists)
    stop = project.start("daemon", "stop", *(["--drain"] if drain else []))
    if drain:
        until(lambda: "after the running tasks" in project.read(".dfm/daemon.log"))
        project.write("go", "")
    assert project.end(stop).status == 0
    done = project.end(run)
    assert (project.folder / "rundir/p.t/end").exists() == drain
    assert done.status == (0 if drain else 3), done
    if not drain:
        assert "the daemon ended before the run did" in done.err
    assert not project.leftovers()
