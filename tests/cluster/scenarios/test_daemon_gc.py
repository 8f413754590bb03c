"""`dfm daemon gc`: what was left is ended, and nobody else's."""

import signal

import pytest

from tests.cluster.scenarios.conftest import Site
from tests.integration.conftest import until

pytestmark = pytest.mark.slurm
HUGE = "runner: {default: slurm, pool: {max_workers: 6}, defaults: {cores: 16, memory: 100M}}\n"


def leave_jobs(site: Site) -> list[str]:
    """Four that run and two that pend, of a daemon that is killed."""
    site.prepare(6, "sleep 1000", HUGE)
    site.ok("daemon", "start")
    run = site.start("run", "all")
    jobs = site.wait_for_jobs(6)
    until(lambda: len(site.ran()) == 4, "tasks run")
    site.kill_daemon()
    site.kill(run)
    return jobs


def test_jobs_and_files_of_a_daemon_that_was_killed_are_listed_and_ended(site: Site) -> None:
    foreign = site.slurm.run("sbatch", "--parsable", "--output=/dev/null", "--wrap", "sleep 300")
    jobs = leave_jobs_beside(site, foreign)
    listed = site.ok("daemon", "gc", "--dry-run")
    for job in jobs:
        assert f"left: job {job} of worker w" in listed.out
    assert listed.out.count("(slurm): RUNNING") == 3, listed
    assert listed.out.count("(slurm): Slurm: PENDING, ") == 3, listed
    assert f"left: {site.folder}/.dfm/jobs.journal" in listed.out
    assert set(site.slurm.jobs()) == {*jobs, foreign}, "nothing was touched"

    ended = site.ok("daemon", "gc")
    assert ended.out == listed.out.replace("left: job", "ended: job").replace(
        "left: /", "removed: /"
    )
    until(lambda: site.slurm.jobs() == [foreign], "the job of somebody else is left alone")
    assert {path.name for path in (site.folder / ".dfm").iterdir()} == {
        "config.yaml",
        "daemon.log",
        "workers",
    }
    assert "nothing is left" in site.ok("daemon", "gc").out
    site.slurm.run("scancel", foreign)


def leave_jobs_beside(site: Site, foreign: str) -> list[str]:
    until(lambda: "RUNNING" in site.slurm.state(foreign), "it runs")
    site.prepare(6, "sleep 1000", HUGE)
    site.ok("daemon", "start")
    run = site.start("run", "all")
    until(lambda: len(site.slurm.jobs()) == 7, "six jobs more")
    until(lambda: len(site.ran()) == 3, "tasks run")
    site.kill_daemon()
    site.kill(run)
    return [job for job in site.slurm.jobs() if job != foreign]


def test_a_daemon_that_runs_keeps_its_jobs(site: Site) -> None:
    site.prepare(2, "sleep 0.1", HUGE)
    site.ok("daemon", "start")
    site.ok("run", "all")
    jobs = site.slurm.jobs()
    assert jobs
    done = site.ok("daemon", "gc")
    assert f"a daemon of {site.folder} runs: pid {site.daemon_pid()} on " in done.out
    assert site.slurm.jobs() == jobs
    site.ok("run", "all", "-f")


def test_what_cannot_be_ended_now_is_not_forgotten(site: Site) -> None:
    leave_jobs(site)
    site.slurm.stop_controller()
    done = site.dfm("daemon", "gc")
    assert done.status == 1, done
    assert "cannot end what is left: squeue: " in done.err
    assert "Unable to contact slurm controller" in done.err
    site.slurm.start_controller()
    assert site.dfm("daemon", "gc").status == 0
    site.check_nothing_is_left()


def test_what_a_daemon_cannot_end_when_it_is_stopped_is_left_to_gc(site: Site) -> None:
    site.prepare(2, "sleep 1000", HUGE)
    site.ok("daemon", "start")
    run = site.start("run", "all")
    site.wait_for_jobs(2)
    until(lambda: len(site.workers("pending", "busy")) == 2, "it knows them")
    site.slurm.stop_controller()
    stopped = site.dfm("daemon", "stop")
    assert stopped.status == 1
    assert "it could not end all its jobs; `dfm daemon gc` lists and ends them" in stopped.out
    assert site.end(run).status == 3
    assert (site.folder / ".dfm/jobs.journal").exists()
    site.slurm.start_controller()
    assert site.ok("daemon", "gc").status == 0
    site.check_nothing_is_left()


def test_a_run_that_was_killed_with_its_daemon_leaves_what_gc_ends(site: Site) -> None:
    site.prepare(6, "sleep 1000", HUGE)
    run = site.start("run", "all")
    site.wait_for_jobs(6)
    run.send_signal(signal.SIGSTOP)  # else whoever lives longer cleans up
    site.kill_daemon()
    site.kill(run)
    assert site.ok("daemon", "gc").out.count("ended: job ") == 6
    assert not list((site.folder / ".dfm").glob("run-*"))
    site.check_nothing_is_left()
