"""`kill -9` of a daemon that has jobs: another one takes them over, and without one they end."""

import subprocess
from collections import Counter

import pytest

from tests.cluster.scenarios.conftest import IS_SOAK, Site, sized
from tests.integration.conftest import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]
TASKS = sized(40, 400)
# Four workers run at once on the cluster's 64 CPUs, the other two pend.
HUGE = "runner: {default: slurm, pool: {max_workers: 6}, defaults: {cores: 16, memory: 100M}%s}\n"
LONG = "sleep 0.3"


def test_the_next_daemon_adopts_what_runs_and_what_pends(site: Site) -> None:
    site.prepare(TASKS, LONG, HUGE % "")
    site.ok("daemon", "start")
    run = site.start("run", "all", "-u", "log")
    jobs = site.wait_for_jobs(6)
    until(lambda: len(site.ran()) >= 6, "tasks run")
    site.kill_daemon()
    site.ok("daemon", "start")
    done = site.end(run)
    assert done.status == 0, done
    assert "the daemon is back" in done.out
    assert Counter(site.ran()) == dict.fromkeys(range(TASKS), 1), "each ran once"
    known = {worker["job_id"] for worker in site.status()["workers"]}
    assert set(site.slurm.jobs()) == known <= set(jobs), (
        "no job was submitted anew, none is orphaned"
    )


def test_jobs_whose_ids_were_never_noted_are_found_by_their_names(site: Site) -> None:
    """The daemon is killed while sbatch has submitted, and has not said so."""
    slow = site.wrapper(
        "slow-sbatch", 'sbatch "$@" > answer.$$\necho > submitted\nsleep 2\ncat answer.$$'
    )
    site.prepare(8, LONG, f"runner: {{default: slurm, slurm: {{sbatch_cmd: {slow}}}}}\n")
    site.ok("daemon", "start", "--pool-size", "4")
    run = site.start("run", "all", "-u", "log")
    site.wait_for_jobs(4)
    site.kill_daemon()
    assert '"jobs"' not in site.read(".dfm/jobs.journal"), "it was killed too late"
    site.ok("daemon", "start", "--pool-size", "4")
    done = site.end(run)
    assert done.status == 0, done
    assert Counter(site.ran()) == dict.fromkeys(range(8), 1)
    assert site.calls("slow-sbatch") == 1, "what had been submitted was used"
    assert len(site.workers("idle", "busy")) == 4
    until(
        lambda: not any("slow-sbatch" in one for one in site.leftovers()),
        "what the killed daemon had called has ended",
    )


def test_a_submission_that_is_still_under_way_is_ended_by_the_next_daemon(site: Site) -> None:
    """As one that waits until the scheduler is back: it would submit what nobody waits for."""
    slow = site.wrapper(
        "slow-sbatch", '[ -e begun ] || { touch begun; sleep 1000; }\nexec sbatch "$@"'
    )
    site.prepare(8, LONG, f"runner: {{default: slurm, slurm: {{sbatch_cmd: {slow}}}}}\n")
    site.ok("daemon", "start", "--pool-size", "4")
    run = site.start("run", "all", "-u", "log")
    until((site.folder / "begun").exists, "it submits")
    site.kill_daemon()
    assert any("slow-sbatch" in one for one in site.leftovers()), "it outlives the daemon"
    site.ok("daemon", "start", "--pool-size", "4")
    assert not any("slow-sbatch" in one for one in site.leftovers())
    done = site.end(run)
    assert done.status == 0, done
    assert Counter(site.ran()) == dict.fromkeys(range(8), 1)
    known = {worker["job_id"] for worker in site.status()["workers"]}
    assert set(site.slurm.jobs()) == known


# As `ssh farm sbatch`: what submits in the end is out of our reach.
FAR = """
if [ -e begun ]; then exec sbatch "$@"; fi
touch begun
env -u DFM_SUBMITS_FOR setsid sh -c 'until [ -e go ]; do sleep 0.05; done; sbatch "$@"' sh {more} "$@" > far.out 2>&1 &
exec sleep 1000
"""


def lost_on_the_way(site: Site, more: str = "") -> "subprocess.Popen[str]":
    """A run whose first workers are being submitted, while one daemon is killed and another begins:
    it finds no job, and one will come."""
    far = site.wrapper("far-sbatch", FAR.format(more=more))
    config = f"pool: {{max_workers: 1}}, slurm: {{sbatch_cmd: {far}}}"
    site.prepare(4, LONG, f"runner: {{default: slurm, {config}}}\n")
    site.ok("daemon", "start")
    run = site.start("run", "all", "-u", "log")
    until((site.folder / "begun").exists, "it submits")
    site.kill_daemon()
    site.ok("daemon", "start")
    return run


@pytest.mark.parametrize(
    "when", ["soon", pytest.param("when nobody waits for it", marks=pytest.mark.soak)]
)
def test_a_job_that_appears_after_the_next_daemon_has_looked_is_adopted(
    site: Site, when: str
) -> None:
    run = lost_on_the_way(site)
    if when != "soon":
        log = site.folder / ".dfm/daemon.log"
        until(lambda: "worker=w1 lost with 0 tasks" in log.read_text(), "its lease is over")
        assert site.end(run).status == 0, "by another worker"
    (site.folder / "go").touch()
    until(lambda: any(w["worker_id"] == "w1" and w["job_id"] for w in site.workers("idle", "busy")))
    if when == "soon":
        assert site.end(run).status == 0
        assert site.calls("far-sbatch") == 1
    assert Counter(site.ran()) == dict.fromkeys(range(4), 1)
    known = {worker["job_id"] for worker in site.status()["workers"]}
    assert set(site.slurm.jobs()) == known, "none is orphaned"


def test_a_job_that_nobody_has_heard_of_yet_is_ended_with_the_daemon(site: Site) -> None:
    run = lost_on_the_way(site, "--hold")
    (site.folder / "go").touch()
    site.wait_for_jobs(1)
    site.kill(run)
    site.ok("daemon", "stop")
    site.check_nothing_is_left()


def test_without_another_daemon_workers_and_pending_jobs_end_by_themselves(site: Site) -> None:
    impatient = site.worker_with("--lost-timeout", "2")
    patience = f", slurm: {{worker_dfm_path: {impatient}}}"
    site.prepare(TASKS, LONG, HUGE % patience)
    site.ok("daemon", "start")
    run = site.start("run", "all", "-u", "log")
    site.wait_for_jobs(6)
    until(lambda: len(site.ran()) >= 4, "tasks run")
    site.kill_daemon()
    if IS_SOAK:
        done = site.end(run)
        assert (done.status, "the daemon is gone" in done.out + done.err) == (3, True), done
    else:
        site.kill(run)  # it would wait for half a minute
    until(
        lambda: not site.slurm.jobs(), "also those that pended have begun, found nobody and ended"
    )
    assert (site.folder / ".dfm/jobs.journal").exists(), "nobody has cleaned up"


def test_stop_ends_the_jobs_of_a_daemon_that_was_killed(site: Site) -> None:
    site.prepare(8, "sleep 1000", HUGE % "")
    site.ok("daemon", "start")
    run = site.start("run", "all")
    site.wait_for_jobs(6)
    site.kill_daemon()
    site.kill(run)
    done = site.ok("daemon", "stop")
    assert done.out.count("ended: job ") == 6, done
    site.check_nothing_is_left()


def test_a_run_whose_own_daemon_was_killed_ends_its_jobs(site: Site) -> None:
    site.prepare(8, "sleep 1000", HUGE % "")
    run = site.start("run", "all", "-u", "log")
    site.wait_for_jobs(6)
    (folder,) = (site.folder / ".dfm").glob("run-*")
    site.kill_daemon()
    done = site.end(run)
    assert done.status == 3, done
    assert not folder.exists()
    site.check_nothing_is_left()
