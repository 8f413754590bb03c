"""Whole regressions on a Slurm of four nodes, and on an LSF."""

from collections import Counter
from shutil import which

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.scenarios.conftest import Site, sized

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]
needs_iverilog = pytest.mark.skipif(which("iverilog") is None, reason="needs iverilog")
TASKS, WORKERS, NODES = sized(100, 500), 16, 4
PASSED = "48 of 48 simulations passed"
# Four workers fill a node, so that there are some on each.
WIDE = "runner: {pool: {max_workers: 16}, defaults: {cores: 4, memory: 256M}}\n"


@needs_iverilog
def test_the_fifo_regression_passes_on_slurm_with_a_daemon_of_its_own(site: Site) -> None:
    site.take_example("fifo_regression")
    done = site.ok("run", "regress", "--runner", "slurm")
    assert PASSED in done.out
    assert list((site.folder / ".dfm").iterdir()) == []


@needs_iverilog
def test_the_fifo_regression_passes_through_a_daemon_and_again_on_warm_workers(site: Site) -> None:
    site.take_example("fifo_regression")
    site.ok("daemon", "start", "--runner", "slurm")
    assert PASSED in site.ok("run", "regress").out
    before = {worker["job_id"] for worker in site.status()["workers"]}
    again = site.ok("run", "sim", "-f", "-u", "log")
    assert "fifo.sim " in again.out
    assert before <= {worker["job_id"] for worker in site.status()["workers"]}, "they are warm"


@needs_iverilog
def test_the_fifo_regression_passes_on_lsf_in_the_queue_that_was_named(
    lsf_site: tuple[Site, Lsf],
) -> None:
    site, lsf = lsf_site
    site.take_example("fifo_regression")
    earlier = queues(lsf)
    done = site.ok("run", "regress", "--runner", "lsf", "--runner-opt", "queue=regr_high")
    assert PASSED in done.out
    assert {queue for job, queue in queues(lsf).items() if job not in earlier} == {"regr_high"}


def queues(lsf: Lsf) -> dict[str, str]:
    """By job, also those that have ended."""
    shown = lsf.call("bjobs", "-a", "-noheader", "-o", "jobid queue").stdout
    return dict(line.split() for line in shown.splitlines())


def check(site: Site) -> None:
    assert Counter(site.ran()) == dict.fromkeys(range(TASKS), 1), "each task has run once"
    hosts = Counter((site.folder / "hosts").read_text().split())
    assert len(hosts) == NODES, hosts
    workers = set((site.folder / "workers").read_text().split())
    assert len(workers) == WORKERS, workers


SAYS = "sleep 0.2; echo $SLURMD_NODENAME $LSB_HOSTS >> ../../hosts; echo $SLURM_JOB_ID $LSB_JOBID$LSB_JOBINDEX >> ../../workers"


def test_many_tasks_are_run_by_16_workers_on_four_nodes_of_slurm(site: Site) -> None:
    site.prepare(TASKS, SAYS, WIDE)
    site.ok("run", "all", "--runner", "slurm")
    check(site)


def test_many_tasks_are_run_by_16_workers_on_four_nodes_of_lsf(lsf_site: tuple[Site, Lsf]) -> None:
    site, _ = lsf_site
    says = SAYS.replace("$SLURM_JOB_ID ", "").replace("$SLURMD_NODENAME ", "")
    site.prepare(TASKS, says.replace("$LSB_JOBID$", "$LSB_JOBID-$"), WIDE)
    site.ok("run", "all", "--runner", "lsf", "--runner-opt", "queue=regr_high")
    check(site)
