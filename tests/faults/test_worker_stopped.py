"""A worker that is stopped for longer than its lease, and goes on afterwards."""

import os
import signal

import psutil

from tests.faults.conftest import Site
from tests.integration.conftest import until

LEASE_S = 1.5
# Its first attempt never ends by itself.
TASK = """
  tasks:
  - root: t
    run: |
      echo $$ >> ../../pids
      setsid sleep 300 &
      [ "$(wc -l < ../../pids)" -gt 1 ] || sleep 300
"""


def test_a_worker_that_was_stopped_for_too_long_has_lost_its_task_and_its_processes_go(
    site: Site,
) -> None:
    site.flow(TASK)
    site.start_daemon(2, lease_s=LEASE_S)
    run = site.start("run", "t")
    first = int(until(lambda: (site.folder / "pids").exists() and site.read("pids").strip()))
    (worker,) = (worker for worker in site.status()["workers"] if worker["state"] == "busy")
    stopped = psutil.Process(worker["pid"])
    old = [stopped, *stopped.children(recursive=True)]
    os.kill(stopped.pid, signal.SIGSTOP)
    done = site.end(run)
    assert done.status == 0, done
    assert f"a task is run again: worker {worker['worker_id']}" in done.out
    assert len(site.read("pids").split()) == 2, "elsewhere"
    if stopped.is_running():
        os.kill(stopped.pid, signal.SIGCONT)
    until(lambda: not [process for process in old if is_alive(process)], "they end")
    assert not psutil.pid_exists(first) or not is_alive(psutil.Process(first))


def test_a_worker_that_was_stopped_for_a_moment_goes_on(site: Site) -> None:
    site.flow(
        "  tasks:\n"
        "  - root: t\n"
        "    run: 'echo $$ >> ../../pids; while [ ! -e ../../go ]; do sleep 0.02; done'\n"
    )
    site.start_daemon(2)
    run = site.start("run", "t")
    until((site.folder / "pids").exists)
    (worker,) = (worker for worker in site.status()["workers"] if worker["state"] == "busy")
    os.kill(worker["pid"], signal.SIGSTOP)
    site.write("go", "")
    os.kill(worker["pid"], signal.SIGCONT)
    assert site.end(run).status == 0
    assert len(site.read("pids").split()) == 1


def test_a_daemon_that_was_stopped_for_longer_than_the_lease_loses_no_worker(site: Site) -> None:
    site.flow(
        "  tasks:\n"
        "  - root: t\n"
        "    run: 'echo $$ >> ../../pids; while [ ! -e ../../go ]; do sleep 0.02; done'\n"
    )
    site.start_daemon(2, lease_s=LEASE_S)
    run = site.start("run", "t")
    until((site.folder / "pids").exists)
    log = next((site.folder / ".dfm/workers").glob("*.log"))
    daemon = site.daemon_pid()
    os.kill(daemon, signal.SIGSTOP)
    until(lambda: "no word from the daemon" in log.read_text(), "the worker's lease is over")
    os.kill(daemon, signal.SIGCONT)
    until(lambda: "connected again" in log.read_text())
    site.write("go", "")
    done = site.end(run)
    assert done.status == 0, done
    assert len(site.read("pids").split()) == 1


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
