"""What goes wrong on both batch systems, and what a user of `dfm run` sees of it."""

import re

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.scenarios.conftest import Site
from tests.integration.conftest import until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]
CONFIG = (
    "runner: {{default: {runner}, pool: {{max_workers: 2}}, defaults: {{memory: 100M}}{more}}}\n"
)
both = pytest.mark.parametrize("runner", ["slurm", "lsf"])


@pytest.fixture
def farm(lsf_site: tuple[Site, Lsf]) -> Site:
    """A project that has both."""
    return lsf_site[0]


def prepared(farm: Site, runner: str, script: str, count: int = 2, more: str = "") -> None:
    farm.prepare(count, script, CONFIG.format(runner=runner, more=more))


def test_a_refusal_is_said_in_slurms_words_once_and_the_status_is_3(farm: Site) -> None:
    prepared(farm, "slurm", "true")
    done = farm.dfm("run", "all", "-u", "log", "--runner-opt", "queue=nowhere")
    assert done.status == 3, done
    assert "sbatch refused workers: " in done.out
    assert done.out.count("command: sbatch ") == 1, done
    assert "Invalid partition name specified" in done.out
    assert farm.ran() == []


@both
def test_a_command_that_is_not_there_starts_nothing_and_the_status_is_3(
    farm: Site, runner: str
) -> None:
    name = {"slurm": "sbatch", "lsf": "bsub"}[runner]
    prepared(farm, runner, "true", more=f", {runner}: {{{name}_cmd: far_{name}}}")
    done = farm.dfm("run", "all", "-u", "log")
    assert done.status == 3, done
    assert f"far_{name}: not found on PATH" in done.out + done.err
    assert farm.ran() == []


def test_while_slurm_is_down_the_run_waits_and_goes_on_when_it_is_back(farm: Site) -> None:
    prepared(farm, "slurm", "true")
    farm.slurm.stop_controller()
    farm.ok("daemon", "start")
    run = farm.start("run", "all", "-u", "log")
    until(lambda: any(pool["state"] == "backoff" for pool in farm.status()["pools"]))
    farm.slurm.start_controller()
    done = farm.end(run)
    assert done.status == 0, done
    trouble = r"^dfm: 0 workers, 0 pending; .*Unable to contact slurm controller"
    assert len(re.findall(trouble, done.out, re.MULTILINE)) == 1, done


@pytest.mark.parametrize("runner", ["slurm", pytest.param("lsf", marks=pytest.mark.soak)])
def test_a_worker_that_cannot_start_says_why_and_counts_as_refused(farm: Site, runner: str) -> None:
    prepared(farm, runner, "true", more=f", {runner}: {{worker_dfm_path: /nowhere/dfm}}")
    done = farm.dfm("run", "all", "-u", "log")
    assert done.status == 3, done
    assert "a worker ended before it was heard of: " in done.out
    assert re.search(r"/nowhere/dfm: (No such file|not found)", done.out), done
    assert farm.ran() == []


@both
def test_a_task_that_fails_by_itself_is_not_repeated(farm: Site, runner: str) -> None:
    prepared(farm, runner, "exit 3", count=1)
    done = farm.dfm("run", "all", "-u", "log")
    assert done.status == 1, done
    assert farm.ran() == [0]


# A worker fills a node; those on the first die.
DIES_THERE = """
host=${SLURMD_NODENAME:-${LSB_HOSTS%% *}}
[ $host != node1 ] || { kill -9 $PPID; exit; }
sleep 0.3
echo $host >> ../../hosts
"""


@pytest.mark.soak
@both
def test_a_host_that_loses_three_workers_in_a_row_gets_no_more(farm: Site, runner: str) -> None:
    script = DIES_THERE.strip().replace("\n", "\n        ")
    wide = f"runner: {{default: {runner}, pool: {{max_workers: 4}}, defaults: {{cores: 16, memory: 1G}}}}\n"
    farm.prepare(500, script, wide)
    farm.ok("daemon", "start")
    run = farm.start("run", "all", "-u", "log")
    until(lambda: farm.status()["excluded_hosts"])
    assert "host=node1 excluded for 10 min: it lost 3 workers in a row" in farm.read(
        ".dfm/daemon.log"
    )
    assert "host node1: gets no tasks until " in farm.ok("daemon", "status").out
    done = farm.end(run)
    assert done.status == 0, done
    assert set(farm.read("hosts").split()) == {"node2", "node3", "node4"}
