"""Workers as jobs of a Slurm and of an LSF: as their users run dfm there."""

import os
import signal

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.slurm import Slurm
from tests.integration.conftest import Project, until

pytestmark = pytest.mark.slurm
FLOW = """
  tasks:
  - name: sims
    strategy: {matrix: {i: [0, 1, 2, 3, 4, 5, 6, 7]}}
    body:
    - {name: s, run: 'echo "$SITE:$SLURM_JOB_ID$LSB_JOBID" > out; touch ../../on; [ ! -e ../../wait ] || sleep 300'}
  - {root: all, needs: [sims], run: 'cat ../p.sims.s_*/out > all'}
"""


class Farm:
    """A project beside a cluster, and how to reach it."""

    def __init__(self, project: Project, slurm: Slurm, runner: str) -> None:
        self.project = project
        self.slurm = slurm
        self.runner = runner

    def empties(self) -> None:
        self.slurm.until(lambda: not self.slurm.jobs(), "no job is left")


@pytest.fixture(params=["slurm", "lsf"])
def farm(request: pytest.FixtureRequest, project: Project, lsf: Lsf) -> Farm:
    lsf.set(terminate_interval_s=0.5)
    project.environment.update(lsf.environment)
    project.environment = {
        name: text for name, text in project.environment.items() if not name.startswith("SLURM_JOB")
    }
    project.flow(FLOW)
    return Farm(project, lsf.slurm, request.param)


def test_a_run_brings_its_workers_as_jobs_and_takes_them_along(farm: Farm) -> None:
    done = farm.project.ok("run", "all", "--runner", farm.runner, SITE="here")
    assert done.counts()["done"] == 9
    lines = farm.project.read("rundir/p.all/all").split()
    assert len(lines) == 8
    assert all(line.startswith("here:") and line[5:].isdigit() for line in lines)
    farm.empties()
    assert os.listdir(farm.project.folder / ".dfm") == []


def test_a_daemon_shows_its_jobs_and_ends_them(farm: Farm) -> None:
    farm.project.ok("daemon", "start", "--runner", farm.runner)
    try:
        farm.project.ok("run", "all", "--runner", farm.runner)
        workers = farm.project.status()["workers"]
        assert workers
        assert {worker["job_id"] for worker in workers} <= _ids(farm)
        hosts = {worker["hostname"] for worker in workers if worker["state"] != "pending"}
        assert hosts
        assert all(host.startswith("node") for host in hosts)
        names = farm.slurm.run("squeue", "-h", "-r", "-O", "Name:80").split()
        assert names
        assert all(name.startswith("dfm-") for name in names)
    finally:
        farm.project.ok("daemon", "stop")
    farm.empties()


def test_an_interrupted_run_ends_its_jobs(farm: Farm) -> None:
    farm.project.write("wait", "")
    run = farm.project.start("run", "all", "--runner", farm.runner)
    until((farm.project.folder / "on").exists)
    run.send_signal(signal.SIGINT)
    assert farm.project.end(run).status == 130
    farm.empties()


def test_a_queue_that_does_not_exist_is_told_in_the_schedulers_words(farm: Farm) -> None:
    done = farm.project.dfm("run", "all", "--runner", farm.runner, "--runner-opt", "queue=nowhere")
    assert done.status == 3, done
    words = {"slurm": "Invalid partition name specified", "lsf": "nowhere: No such queue."}
    assert words[farm.runner] in done.out + done.err
    assert "command: " in done.out + done.err
    farm.empties()


def test_without_its_commands_a_runner_says_so(farm: Farm) -> None:
    option = {"slurm": "sbatch_cmd=no-sbatch", "lsf": "bsub_cmd=no-bsub"}[farm.runner]
    done = farm.project.dfm("run", "all", "--runner", farm.runner, "--runner-opt", option)
    assert done.status == 3, done
    assert f"{option.partition('=')[2]}: not found on PATH" in done.err


def _ids(farm: Farm) -> set[str]:
    """Of all jobs, as the runner writes them."""
    ids = farm.slurm.run("squeue", "-h", "-r", "-t", "all", "-o", "%i").split()
    if farm.runner == "slurm":
        return set(ids)
    return {f"{job.replace('_', '[')}]" if "_" in job else job for job in ids}
