"""Workers whose jobs end: when they do, who knows it, and what becomes of tasks and workers before."""

from datetime import datetime
from typing import Any

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.scenarios.conftest import Site
from tests.integration.conftest import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]
LsfSite = tuple[Site, Lsf]
TOO_SOON = "its job ends too soon for what waits"


def configured(runner: str = "slurm", queue: str = "short", pool: str = "", more: str = "") -> str:
    """One worker, kept warm."""
    wide = f"pool: {{min_workers: 1, max_workers: 1, idle_timeout: 0{pool}}}"
    return f"runner: {{default: {runner}, {wide}, {runner}: {{queue: {queue}{more}}}}}\n"


def warm(site: Site) -> Any:
    """The one worker, once its end is known."""
    site.ok("daemon", "start")
    return until(
        lambda: next((w for w in site.workers("idle") if w["deadline"]), None), "its end is known"
    )


def lasts_s(worker: Any) -> float:
    since, end = (datetime.fromisoformat(worker[name]) for name in ("since", "deadline"))
    return (end - since).total_seconds()


def test_where_no_walltime_was_asked_for_slurm_tells_when_the_job_ends(site: Site) -> None:
    site.prepare(1, "true", configured())
    worker = warm(site)
    end = datetime.fromisoformat(
        site.slurm.run("squeue", "-h", "-j", worker["job_id"], "-o", "%e")
    ).astimezone()
    told = datetime.fromisoformat(worker["deadline"])
    assert abs((told - end).total_seconds()) < 30, "the partition's default of 5 minutes"
    assert 240 < lasts_s(worker) < 330


def test_where_no_walltime_was_asked_for_lsf_tells_when_the_job_ends(lsf_site: LsfSite) -> None:
    site, _ = lsf_site
    site.prepare(1, "true", configured("lsf"))
    assert 13 * 60 < lasts_s(warm(site)) <= 15 * 60, "the queue has 15 minutes"


def test_where_a_walltime_was_asked_for_it_is_the_workers(site: Site) -> None:
    site.prepare(1, "true", configured(queue="normal", pool=', walltime: "0:20"'))
    assert 19 * 60 < lasts_s(warm(site)) <= 20 * 60


def test_tasks_that_name_no_walltime_share_a_worker_whose_job_is_shorter_than_the_default(
    site: Site,
) -> None:
    site.prepare(5, "true", configured())
    worker = warm(site)
    site.ok("run", "all")
    (after,) = site.status()["workers"]
    assert (after["worker_id"], after["tasks_done"]) == (worker["worker_id"], 5)


def test_a_task_whose_walltime_no_worker_has_is_given_to_one_that_is_fresh(site: Site) -> None:
    site.prepare(2, "true", configured())
    flow = site.read("flow.yaml")
    tag = 'tags: [std.ResourceTag: {walltime: "0:30"}]'
    site.write("flow.yaml", flow.replace("- name: s\n", f"- name: s\n      {tag}\n"))
    worker = warm(site)
    site.ok("run", "all")
    assert sorted(site.ran()) == [0, 1]
    log = site.read(".dfm/daemon.log")
    assert f"worker={worker['worker_id']} left: {TOO_SOON}" in log, "after one of them"


def test_a_worker_drains_before_its_job_ends_and_another_comes(site: Site) -> None:
    short = site.worker_with("--walltime", "10")
    site.prepare(1, "true", configured(queue="normal", more=f", worker_dfm_path: {short}"))
    first = warm(site)
    until(lambda: [w for w in site.workers("idle") if w["worker_id"] != first["worker_id"]])
    assert f"worker={first['worker_id']} left: its job is about to end" in site.read(
        ".dfm/daemon.log"
    )
    until(lambda: site.slurm.state(first["job_id"]).startswith("COMPLETED"))


# LSF signals all processes of a job: what is to go on must not die of it.
DEAF = "trap '' USR2; echo $$ > ../../pid.${{ i }}; until [ -e ../../go ]; do sleep 0.05; done"


def test_at_the_run_limit_of_lsf_what_runs_may_end_and_the_rest_goes_elsewhere(
    lsf_site: LsfSite,
) -> None:
    site, lsf = lsf_site
    lsf.set(minute_s=4.0)
    pool = 'max_workers: 1, walltime: "0:01"'
    site.prepare(2, DEAF, f"runner: {{default: lsf, pool: {{{pool}}}}}\n")
    site.ok("daemon", "start")
    run = site.start("run", "all", "-u", "log")
    until(lambda: site.workers("draining"), "the signal has come")
    until(lambda: len(list(site.folder.glob("pid.*"))) == 2, "the other runs on another worker")
    (site.folder / "go").touch()
    done = site.end(run)
    assert done.status == 0, done
    assert "run again" not in done.out
    assert sorted(site.ran()) == [0, 1]


def test_at_the_run_limit_of_lsf_what_does_not_end_in_time_is_handed_back(
    lsf_site: LsfSite,
) -> None:
    site, lsf = lsf_site
    lsf.set(minute_s=6.0)
    deaf = "trap '' USR2; mkdir ../../hung && while :; do sleep 0.1; done"
    site.prepare(
        2,
        f"if [ -e ../../first ] && ! [ -e ../../hung ]; then {deaf}; fi; touch ../../first",
        f"runner: {{default: lsf, pool: {{max_workers: 1, walltime: '0:01'}},"
        f" lsf: {{worker_dfm_path: {site.worker_with('--grace', '1')}}}}}\n",
    )
    done = site.ok("run", "all", "-u", "log")
    assert "its job reached its walltime" in done.out
    assert sorted(site.ran()) == [0, 1, 1]
