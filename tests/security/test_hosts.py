"""One project on two hosts that share its folder: one daemon, used from both."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.integration.conftest import Project, project, until
from tests.security.hosts import CAN_BE_MADE, Host, hosts

__all__ = ["project"]

pytestmark = pytest.mark.skipif(not CAN_BE_MADE, reason="needs root, unshare, nsenter and ip")

FLOW = "  tasks:\n  - {root: t, run: 'uname -n > host'}\n"
REACHABLE = "runner:\n  daemon: {bind: 0.0.0.0%s}\n"


class Site(NamedTuple):
    """A project and two hosts, of which the first has the daemon."""

    project: Project
    one: Host
    other: Host


@pytest.fixture
def site(project: Project, tmp_path: Path) -> Iterator[Site]:
    project.flow(FLOW)
    with hosts(tmp_path, "login1", "login2") as (one, other):
        yield Site(project, one, other)
        if os.path.exists(project.folder / ".dfm/daemon.json"):
            one.ok(project, "daemon", "stop")


@pytest.fixture(params=["TLS", "no TLS"])
def reachable(request: pytest.FixtureRequest, site: Site) -> Site:
    """Its daemon listens to the other host, too."""
    tls = "" if request.param == "TLS" else ", tls: false"
    site.project.write(".dfm/config.yaml", REACHABLE % tls)
    started = site.one.ok(site.project, "daemon", "start", "--pool-size", "1")
    assert ("runner.daemon.tls is false" in started.err) == bool(tls)
    return site


def test_the_daemon_of_another_host_is_used_and_stopped_from_here(reachable: Site) -> None:
    project, one, other = reachable
    status = json.loads(other.ok(project, "daemon", "status", "--json").out)
    assert (status["host"], status["running"]) == ("login1", True)
    assert "on login1" in other.ok(project, "daemon", "status").out

    done = other.ok(project, "run", "t")
    assert "tasks go to the daemon, pid " in done.out
    assert " on login1" in done.out
    assert project.read("rundir/p.t/host") == "login1\n"
    assert "joined: pid=" in project.read(".dfm/daemon.log")
    assert "stranger" not in project.read(".dfm/daemon.log")

    again = other.ok(project, "daemon", "start")
    assert f"runs already: pid {status['pid']} on login1" in again.out
    assert "daemon stopped" in other.ok(project, "daemon", "stop").out
    assert sorted(os.listdir(project.folder / ".dfm")) == ["config.yaml", "daemon.log", "workers"]
    assert one.dfm(project, "daemon", "status").status == 3


def test_ctrl_c_reaches_a_task_on_another_host(reachable: Site) -> None:
    project, _, other = reachable
    project.flow("  tasks:\n  - {root: t, run: 'touch ../../on; exec sleep 1000'}\n")
    run = other.start(project, "run", "t")
    until((project.folder / "on").exists)
    (mine,) = psutil.Process(run.pid).children()  # of nsenter, which waits for it
    mine.send_signal(signal.SIGINT)
    assert project.end(run).status == 130
    until(lambda: not [line for line in project.leftovers() if "sleep" in line])


@pytest.mark.soak
def test_a_client_whose_host_has_crashed_is_missed(reachable: Site) -> None:
    project, one, other = reachable
    project.flow("  tasks:\n  - {root: t, run: 'touch ../../on; exec sleep 1000'}\n")
    run = other.start(project, "run", "t")
    until((project.folder / "on").exists)
    other.cut()
    other.crash()
    assert project.end(run).status != 0
    until(lambda: not json.loads(one.ok(project, "daemon", "status", "--json").out)["clients"])
    until(lambda: not [line for line in project.leftovers() if "sleep" in line])


def test_a_daemon_that_listens_on_its_own_host_only_is_said_to(site: Site) -> None:
    project, one, other = site
    one.ok(project, "daemon", "start")
    for words in (("daemon", "status"), ("daemon", "stop"), ("daemon", "start"), ("run", "t")):
        done = other.dfm(project, *words)
        assert done.status == 3, done
        assert "runs on login1" in done.err
        assert "listens only there" in done.err
        assert "runner.daemon.bind: 0.0.0.0" in done.err
    other.ok(project, "run", "t", "--runner", "local")
    assert one.dfm(project, "daemon", "status").status == 0


def test_a_host_that_is_gone_is_never_taken_for_a_stale_daemon(reachable: Site) -> None:
    project, one, other = reachable
    one.crash()
    until(lambda: not project.leftovers())
    for words in (("daemon", "status"), ("daemon", "stop"), ("daemon", "start"), ("run", "t")):
        done = other.dfm(project, *words)
        assert done.status == 3, done
        assert "runs on login1" in done.err
        assert "login1:" in done.err, "what was tried"
        assert f"{one.address}:" in done.err
        assert "remove .dfm/daemon.json" in done.err
    assert (project.folder / ".dfm/daemon.json").exists()
    (project.folder / ".dfm/daemon.json").unlink()


def test_after_a_boot_of_its_host_a_daemon_is_stale(site: Site) -> None:
    project, one, _ = site
    one.ok(project, "daemon", "start")
    os.kill(project_daemon(project), signal.SIGKILL)
    until(lambda: not project.leftovers())
    said = json.loads(project.read(".dfm/daemon.json"))
    project.write(".dfm/daemon.json", json.dumps({**said, "boot": "another", "pid": 1}))
    assert one.dfm(project, "daemon", "status").status == 1
    assert "daemon started" in one.ok(project, "daemon", "start").out


def project_daemon(project: Project) -> int:
    """Its pid as the hosts' host counts."""
    (line,) = [line for line in project.leftovers() if "-m dfm_daemon" in line]
    return int(line.split(":")[0])


def test_starts_at_once_on_two_hosts_leave_one_daemon(site: Site) -> None:
    project, one, other = site
    project.write(".dfm/config.yaml", REACHABLE % "")
    for _ in range(3):
        starts = [host.start(project, "daemon", "start") for host in (one, other)]
        done = [project.end(start) for start in starts]
        assert [each.status for each in done] == [0, 0], done
        assert sorted("daemon started" in each.out for each in done) == [False, True], done
        project_daemon(project)
        documents = [json.loads(host.ok(project, "daemon", "status", "--json").out)
                     for host in (one, other)]  # fmt: skip
        assert documents[0]["pid"] == documents[1]["pid"]
        other.ok(project, "daemon", "stop")


def test_without_the_projects_credentials_a_client_of_another_host_gets_nothing(
    reachable: Site,
) -> None:
    project, one, other = reachable
    client = project.folder / ".dfm/credentials/client.pem"
    own = client.read_text()
    client.write_text((client.parent / "worker.pem").read_text())
    done = other.dfm(project, "daemon", "status")
    assert done.status == 3, done
    assert "Traceback" not in done.err
    client.unlink()
    done = other.dfm(project, "daemon", "status")
    assert done.status == 3, done
    assert str(client) in done.err
    client.write_text(own)
    other.ok(project, "daemon", "status")
    assert one.dfm(project, "daemon", "status").status == 0
