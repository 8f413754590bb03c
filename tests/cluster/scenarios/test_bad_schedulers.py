"""An LSF that refuses, pends, is down, slow or loses its answer, and what a user of `dfm run` sees."""

import re
import signal
from itertools import pairwise

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.scenarios.conftest import Site, sized
from tests.integration.conftest import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]
LsfSite = tuple[Site, Lsf]
COUNT = 8
CONFIG = "runner: {default: lsf, pool: {max_workers: 8}, defaults: {cores: 1, memory: 100M}%s}\n"


def prepared(site: Site, more: str = "") -> None:
    site.prepare(COUNT, "sleep 0.1", CONFIG % more)


def is_done(site: Site, *words: str) -> str:
    done = site.ok("run", "all", "-u", "log", *words)
    assert sorted(site.ran()) == list(range(COUNT))
    return done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("queue=nowhere",), "nowhere: No such queue"),
        (("queue=night",), "Queue has been closed"),
        (("queue=admin",), "User cannot use the queue"),
        (("project=none",), "project"),
    ],
)
def test_a_refusal_is_said_in_lsfs_words_once_and_the_status_is_3(
    lsf_site: LsfSite, options: tuple[str, ...], said: str
) -> None:
    site, lsf = lsf_site
    lsf.set(projects=["chip_a"])
    prepared(site)
    base = () if options[0].startswith("project") else ("--runner-opt", "project=chip_a")
    words = [word for option in options for word in ("--runner-opt", option)]
    done = site.dfm("run", "all", "-u", "log", *base, *words)
    assert done.status == 3, done
    is_refused_once(done.out, said)


def is_refused_once(out: str, said: str) -> None:
    assert out.count("command: bsub -J") == 1, out
    assert said in out
    assert out.count(said) <= 3, "as it comes, at the first task, in the summary"
    assert out.count("FAILED: infrastructure, as the one before") == COUNT - 1
    assert f"FAILED {COUNT} tasks: infrastructure: bsub refused workers: " in out


def test_an_esub_that_says_no_is_quoted(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(refuses="esub: ask for a licence first, see http://wiki/lsf")
    prepared(site)
    done = site.dfm("run", "all", "-u", "log")
    assert done.status == 3, done
    is_refused_once(done.out, "esub: ask for a licence first, see http://wiki/lsf")


def test_jobs_that_pend_are_shown_with_lsfs_reason_until_they_run(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(pends=True)
    prepared(site)
    site.ok("daemon", "start")
    run = site.start("run", "all", "-u", "log")
    until(lambda: any(p["workers"]["pending"] == 8 for p in site.status()["pools"]))
    until(lambda: "LSF: PEND" in site.dfm("why").out, "its reason is known")
    lsf.release()
    done = site.end(run)
    assert done.status == 0, done
    waits = r"^dfm: 0 workers, [48] pending \(LSF: PEND, There are no suitable hosts for the job\)$"
    assert len(re.findall(waits, done.out, re.MULTILINE)) == 1, done
    assert "FAILED" not in done.out


def test_ctrl_c_while_jobs_pend_leaves_none(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(pends=True)
    prepared(site)
    run = site.start("run", "all", "-u", "log")
    site.wait_for_jobs(8)
    run.send_signal(signal.SIGINT)
    assert site.end(run).status == 130
    site.check_nothing_is_left()


def test_while_lsf_is_down_the_run_waits_and_goes_on_when_it_is_back(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(is_down=True)
    prepared(site)
    site.ok("daemon", "start", LSB_NTRIES="2")
    run = site.start("run", "all", "-u", "log")
    until(lambda: any(p["state"] == "backoff" for p in site.status()["pools"]))
    (pool,) = site.status()["pools"]
    assert "LSF is down" in pool["last_error"]
    until(lambda: site.read(".dfm/daemon.log").count("pool=1c-100M backoff") >= 2, "it tries again")
    lsf.set(is_down=False)
    done = site.end(run)
    assert done.status == 0, done
    assert len(re.findall(r"^dfm: 0 workers, 0 pending; ", done.out, re.MULTILINE)) == 1, done
    assert re.search(r"^dfm: \d workers, \d pending$", done.out, re.MULTILINE), "that it is over"


def test_while_lsf_is_down_running_workers_go_on(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    prepared(site)
    site.ok("daemon", "start", LSB_NTRIES="2")
    is_done(site)
    with lsf.being(is_down=True):
        assert site.ok("run", "all", "-f", "-u", "log").counts()["done"] == COUNT


def test_an_answer_that_is_lost_is_looked_for_and_no_job_is_doubled(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(loses_answer="silent")
    prepared(site)
    site.ok("daemon", "start")
    is_done(site)
    until(lambda: all(worker["job_id"] for worker in site.status()["workers"]), "all are found")
    known = {worker["job_id"] for worker in site.status()["workers"]}
    listed = lsf.call("bjobs", "-noheader", "-o", "jobid jobindex").stdout.splitlines()
    assert len(listed) == len(known)


def test_the_lines_of_a_sites_wrapper_are_no_answer(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(
        before=["Checking job 4711 of <you> ...", "Job <99> is not yours"], after=["Thanks <12>"]
    )
    prepared(site)
    is_done(site)


def test_a_slow_lsf_only_delays(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    lsf.set(slow_s=1.5, lag_s=3.0)
    prepared(site)
    is_done(site)


def counted(site: Site) -> str:
    """A configuration whose commands are counted."""
    bsub, bjobs = (site.wrapper(name, f'exec {name} "$@"') for name in ("bsub", "bjobs"))
    return f", lsf: {{bsub_cmd: {bsub}, bjobs_cmd: {bjobs}}}"


def test_500_workers_are_at_most_10_submissions_and_questions_are_rare(lsf_site: LsfSite) -> None:
    site, lsf = lsf_site
    workers = sized(120, 500)
    lsf.set(pends=True)
    pool = f"pool: {{max_workers: {workers}}}, defaults: {{memory: 10M}}"
    site.prepare(workers, "true", f"runner: {{default: lsf, {pool}{counted(site)}}}\n")
    site.ok("daemon", "start")
    run = site.start("run", "all")
    site.wait_for_jobs(workers)
    assert site.calls("bsub") <= 10
    until(lambda: site.calls("bjobs") >= sized(2, 4), "it asks about them")
    at = site.times("bjobs")
    assert min(later - sooner for sooner, later in pairwise(at)) > 9.5, at
    run.send_signal(signal.SIGINT)
    assert site.end(run).status == 130
    until(lambda: not site.slurm.jobs(), "jobs that nobody needs any more are cancelled")


def test_nobody_asks_lsf_while_nothing_pends(lsf_site: LsfSite) -> None:
    site, _ = lsf_site
    prepared(site, counted(site))
    site.ok("daemon", "start")
    is_done(site)
    until(lambda: len(site.workers("idle")) == len(site.status()["workers"]), "all have come")
    until(lambda: all(one["deadline"] for one in site.status()["workers"]), "their ends are known")
    before = site.calls("bjobs"), site.calls("bsub")
    for _ in range(3):
        site.ok("run", "all", "-f")
    assert (site.calls("bjobs"), site.calls("bsub")) == before
