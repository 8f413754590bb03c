"""A runner of another package: no daemon runs, so that a run brings one of its own."""

import os
import signal

import pytest

from tests.integration.conftest import Project, until

FARM = '''
from dfm.config.fields import Field, Kind, Section
from dfm.errors import RunnerError
from dfm.runners.processes import ProcessRunner


class Farm(ProcessRunner):
    """Processes of this host, with a queue that says no."""

    section = Section((Field("queue", Kind.TEXT, "normal", "batch queue"),))

    async def submit(self, requests):
        with open("submissions", "a") as file:
            file.write(f"{len(requests)}\\\\n")
        import os
        if os.path.exists("closed"):
            raise RunnerError("farmsub: queue is closed")
        return await super().submit(requests)


class Broken:
    raise ImportError("a library is missing")
'''
FLOW = """
  tasks:
  - name: sims
    strategy: {matrix: {i: [0, 1, 2, 3, 4, 5]}}
    body:
    - {name: s, run: 'echo $SITE ${{ matrix.i }} > out; touch ../../on; [ ! -e ../../wait ] || sleep 300'}
  - {root: all, needs: [sims], run: 'cat ../p.sims.s_*/out > all'}
"""


@pytest.fixture
def farm(project: Project) -> Project:
    """A project on a host where a package with the runner `farm` is installed."""
    module, _, broken = FARM.partition("\n\nclass Broken:")
    project.write("site/farm_plugin.py", module.replace("\\\\n", "\\n"))
    project.write("site/broken_plugin.py", f"class Broken:{broken}")
    project.write("site/farm_plugin-1.0.dist-info/METADATA", "Name: farm-plugin\nVersion: 1.0\n")
    project.write(
        "site/farm_plugin-1.0.dist-info/entry_points.txt",
        "[dfm_runners]\nfarm = farm_plugin:Farm\nbroken = broken_plugin:Broken\n",
    )
    project.environment["PYTHONPATH"] = str(project.folder / "site")
    project.flow(FLOW)
    return project


def test_a_run_on_a_runner_without_a_daemon_brings_its_own_and_takes_it_along(
    farm: Project,
) -> None:
    done = farm.ok("run", "all", "--runner", "farm", SITE="here")
    assert done.counts()["done"] == 7
    assert farm.read("rundir/p.all/all") == "".join(f"here {i}\n" for i in range(6))
    assert sum(map(int, farm.read("submissions").split())) >= 2, "workers were launched"
    assert not farm.leftovers()
    assert os.listdir(farm.folder / ".dfm") == []
    assert not farm.ok("run", "all", "--runner", "farm").executed()
    assert farm.dfm("daemon", "status").status == 3


def test_an_interrupted_run_takes_its_own_daemon_along(farm: Project) -> None:
    farm.write("wait", "")
    run = farm.start("run", "all", "--runner", "farm")
    until((farm.folder / "on").exists)
    run.send_signal(signal.SIGINT)
    assert farm.end(run).status == 130
    assert not farm.leftovers()
    assert os.listdir(farm.folder / ".dfm") == []


def test_a_killed_run_takes_its_own_daemon_along(farm: Project) -> None:
    farm.write("wait", "")
    run = farm.start("run", "all", "--runner", "farm")
    until((farm.folder / "on").exists)
    run.kill()
    run.communicate()
    until(lambda: not farm.leftovers())


def test_a_scheduler_that_refuses_three_times_fails_the_run_in_its_own_words(farm: Project) -> None:
    farm.write("closed", "")
    done = farm.dfm("run", "all", "--runner", "farm", "-k")
    assert done.status == 3, done
    assert "farmsub: queue is closed" in done.out
    assert len(farm.read("submissions").split()) == 3
    assert not (farm.folder / "rundir/p.sims.s_0/out").exists()
    assert not farm.leftovers()


def test_a_daemon_of_the_runner_serves_runs_that_name_it(farm: Project) -> None:
    farm.ok("daemon", "start", "--runner", "farm")
    try:
        assert farm.status()["runner"] == "farm"
        assert "tasks go to the daemon" in farm.ok("run", "all", "--runner", "farm").out
        assert "tasks go to the daemon" in farm.ok("run", "all", "-f").out, "the one that is there"
        here = farm.ok("run", "all", "-f", "--runner", "local").out
        assert "tasks go to the daemon" not in here
    finally:
        farm.ok("daemon", "stop")


def test_a_runner_that_cannot_be_loaded_is_reported_and_stops_nothing_else(farm: Project) -> None:
    done = farm.dfm("run", "all", "--runner", "broken")
    assert done.status == 2
    assert "`broken` of the package farm-plugin 1.0 cannot be loaded" in done.err
    assert "a library is missing" in done.err
    farm.ok("run", "all", "--runner", "farm")


def test_options_of_a_runner_are_checked(farm: Project) -> None:
    farm.ok("run", "all", "--runner", "farm", "--runner-opt", "queue=night")
    for option in ("queu=night", "night"):
        done = farm.dfm("run", "all", "-f", "--runner", "farm", "--runner-opt", option)
        assert done.status == 2, done
        assert "queue" in done.err
    farm.write(".dfm/config.yaml", "runner:\n  default: farm\n  farm: {queu: x}\n")
    done = farm.dfm("run", "all")
    assert done.status == 2
    assert "config.yaml:3" in done.err
