"""Two login hosts and one folder: the daemon on the first has jobs of Slurm as workers, the second uses it.

The cluster lives in the network and among the processes of the first: the second has no way to Slurm at all.
"""

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cluster.slurm import remove
from tests.integration.conftest import Project, project, until
from tests.security.hosts import CAN_BE_MADE, Host, hosts

__all__ = ["project"]

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not CAN_BE_MADE, reason="needs root, unshare, nsenter and ip"),
]
ROOT = Path(__file__).parents[3]
FLOW = "  tasks:\n  - {root: t, run: 'echo $SLURM_JOB_ID > job'}\n"


class Logins(NamedTuple):
    """A project, the host with the cluster, and one without."""

    project: Project
    one: Host
    other: Host
    conf: str

    def slurm(self, *words: str) -> str:
        """What a command of Slurm prints on the first."""
        out = self.project.folder / "slurm.out"
        line = f"SLURM_CONF={self.conf} {shlex.join(words)} > {out}"
        self.one.run("sh", "-c", line)
        return out.read_text()


@pytest.fixture
def logins(project: Project, tmp_path: Path) -> Iterator[Logins]:
    project.flow(FLOW)
    project.write(".dfm/config.yaml", "runner: {default: slurm, pool: {max_workers: 2}}\n")
    folder = Path(tempfile.mkdtemp(prefix="dfm-"))  # short: Slurm's sockets are in it
    with hosts(tmp_path, "login1", "login2") as (one, other):
        up = f"cd {folder} && PYTHONPATH={ROOT} {sys.executable} -m tests.cluster up"
        one.run("sh", "-c", f"{up} > up.out 2>&1")
        made = Logins(project, one, other, f"{folder}/.cluster/slurm.conf")
        yield made
        if (project.folder / ".dfm/daemon.json").exists():
            one.ok(project, "daemon", "stop", SLURM_CONF=made.conf)
        assert made.slurm("squeue", "-h") == ""
    remove(folder / ".cluster")
    shutil.rmtree(folder)


def test_a_run_on_one_host_uses_jobs_that_the_daemon_of_another_has_submitted(
    logins: Logins,
) -> None:
    project, one, other, conf = logins
    one.ok(project, "daemon", "start", SLURM_CONF=conf)
    done = other.ok(project, "run", "t")
    assert " on login1, runner slurm" in done.out
    (worker,) = json.loads(other.ok(project, "daemon", "status", "--json").out)["workers"]
    assert worker["job_id"] == project.read("rundir/p.t/job").strip()
    assert worker["job_id"] in logins.slurm("squeue", "-h", "-o", "%i")
    assert "daemon stopped" in other.ok(project, "daemon", "stop").out
    until(lambda: not logins.slurm("squeue", "-h"), "its job is ended")


def test_simultaneous_starts_on_both_hosts_give_one_daemon(logins: Logins) -> None:
    project, one, other, conf = logins
    # The second finds no Slurm when it is asked to submit, but a daemon can begin there.
    starts = [host.start(project, "daemon", "start", SLURM_CONF=conf) for host in (one, other)]
    done = [project.end(start) for start in starts]
    assert [one.status for one in done] == [0, 0], done
    said = sorted(one.out.split(":")[0].split(" of ")[0] for one in done)
    assert said == ["a daemon", "daemon started"], done
    owner = json.loads(project.read(".dfm/daemon.json"))["host"]
    for host in (one, other):
        status = json.loads(host.ok(project, "daemon", "status", "--json").out)
        assert status["host"] == owner
    other.ok(project, "daemon", "stop")
