"""Jobs that end before their time: what becomes of their tasks, and what the user is told."""

import sys

import pytest

from tests.cluster import faults
from tests.cluster.lsf.lsf import Lsf
from tests.cluster.scenarios.conftest import IS_SOAK, Site
from tests.integration.conftest import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]
CONFIG = (
    "runner: {{default: {}, pool: {{max_workers: 1{}}}, defaults: {{cores: 1, memory: 200M}}}}\n"
)
# Hangs the first time that it runs, and never again.
HANGS_ONCE = "if mkdir ../../hung; then echo $$ > ../../pid; exec sleep 1000; fi"
TAKES = f"exec {sys.executable} -c 'import time; x = bytearray(400 << 20); time.sleep(1000)'"


def hang(site: Site, runner: str = "slurm", more: str = "") -> str:
    """Starts a run whose one task hangs; its worker's job."""
    site.prepare(1, HANGS_ONCE, CONFIG.format(runner, more))
    site.ok("daemon", "start")
    site.run_ = site.start("run", "all", "-u", "log")
    until((site.folder / "pid").exists, "its task hangs")
    (worker,) = site.workers("busy")
    return str(worker["job_id"])


def is_repeated(site: Site, *words: str) -> None:
    done = site.end(site.run_)
    assert done.status == 0, done
    assert "a task is run again: worker w1 on node" in done.out
    for word in words:
        assert word in done.out
    assert site.ran() == [0, 0]


def test_a_task_whose_job_somebody_cancels_is_repeated(site: Site) -> None:
    site.slurm.run("scancel", hang(site))
    is_repeated(site, "somebody cancelled its job")


def test_a_task_whose_job_somebody_kills_is_repeated(lsf_site: tuple[Site, Lsf]) -> None:
    site, lsf = lsf_site
    assert lsf.call("bkill", hang(site, "lsf")).returncode == 0
    is_repeated(site, "somebody cancelled its job")


def test_a_task_whose_node_dies_is_repeated_on_another(site: Site) -> None:
    job = hang(site)
    node = site.slurm.run("squeue", "-h", "-j", job, "-o", "%N")
    faults.kill_node(site.slurm, node)
    faults.declare_down(site.slurm, node)
    is_repeated(site, "its host failed")


def test_a_task_that_takes_more_memory_than_its_job_has_is_not_repeated(site: Site) -> None:
    site.prepare(1, TAKES, CONFIG.format("slurm", ""))
    done = site.dfm("run", "all", "-u", "log")
    assert done.status == 3, done
    assert "it needed more memory than its job had" in done.out
    assert site.ran() == [0]


def test_on_lsf_more_memory_than_the_job_has_is_said_so_too(lsf_site: tuple[Site, Lsf]) -> None:
    site, _ = lsf_site
    site.prepare(1, TAKES, CONFIG.format("lsf", ""))
    done = site.dfm("run", "all", "-u", "log")
    assert done.status == 3, done
    assert "it needed more memory than its job had" in done.out
    assert site.ran() == [0]


def test_a_task_that_had_all_of_its_jobs_walltime_is_not_repeated(site: Site) -> None:
    job = hang(site)
    faults.end_in(site.slurm, job, 1)
    done = site.end(site.run_)
    assert done.status == 3, done
    assert "its job reached its walltime" in done.out
    assert site.ran() == [0]


@pytest.mark.skipif(not IS_SOAK, reason="Slurm looks at time limits twice a minute: DFM_SOAK=1")
def test_a_task_that_had_only_the_rest_of_its_jobs_walltime_is_repeated(site: Site) -> None:
    """It may be a short one, on a worker that has run others for hours."""
    site.prepare(
        2,
        f"[ -e ../../first ] && {{ {HANGS_ONCE}; }}; touch ../../first",
        CONFIG.format("slurm", ""),
    )
    site.ok("daemon", "start")
    site.run_ = site.start("run", "all", "-u", "log")
    until((site.folder / "pid").exists, "the second one hangs")
    (worker,) = site.workers("busy")
    faults.end_in(site.slurm, worker["job_id"], 1)
    done = site.end(site.run_)
    assert done.status == 0, done
    assert "its job reached its walltime" in done.out
    assert site.ran() == [0, 1, 1]


def test_the_run_limit_of_lsf_ends_a_worker_and_is_said(lsf_site: tuple[Site, Lsf]) -> None:
    site, lsf = lsf_site
    lsf.set(minute_s=3.0)
    hang(site, "lsf", ', walltime: "0:01"')
    done = site.end(site.run_)
    assert done.status == 3, done
    assert "its job reached its walltime" in done.out
    assert site.ran() == [0]
