"""The example of a runner of another package, against a real sshd."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm.runners.base import Runner
from examples.ssh_runner.ssh_runner import SshRunner
from tests.integration import sshd
from tests.integration.conftest import Project, until
from tests.integration.plugins import install

EXAMPLE = Path(__file__).parents[2] / "examples" / "ssh_runner"
FLOW = """
  tasks:
  - name: sims
    strategy: {matrix: {i: [0, 1, 2, 3]}}
    body:
    - {name: s, run: 'while [ -e ../../wait ]; do sleep 0.1; done; echo $SITE ${{ matrix.i }} > out'}
  - {root: all, needs: [sims], run: 'cat ../p.sims.s_*/out > all'}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    folder = tmp_path_factory.mktemp("sshd")
    words = sshd.find_sshd(folder)
    if words is None or not shutil.which("ssh"):
        pytest.skip("sshd cannot be had here")
    with sshd.serve(folder, words) as serving:
        yield serving


@pytest.fixture
def chip(project: Project, server: sshd.Server) -> Project:
    """A project on two hosts, which are both this one."""
    entry = "[dfm_runners]\nssh = dfm_ssh_runner:SshRunner\n"
    install(project, "dfm-ssh-runner", (EXAMPLE / "ssh_runner.py").read_text(), entry)
    project.flow(FLOW)
    project.write(
        ".dfm/config.yaml",
        f"runner:\n  ssh: {{hosts: [loop1, loop2], ssh_cmd: {server.command}}}\n"
        "  daemon: {bind: 127.0.0.1}\n  pool: {max_workers: 2}\n",
    )
    return project


def test_it_is_a_complete_package_in_under_100_lines() -> None:
    lines = (EXAMPLE / "ssh_runner.py").read_text().splitlines()
    assert len(lines) < 100
    made: type[Runner] = SshRunner  # for mypy: it keeps the contract
    assert made.section.fields
    assert 'ssh = "ssh_runner:SshRunner"' in (EXAMPLE / "pyproject.toml").read_text()


def test_a_run_has_its_tasks_done_over_ssh(chip: Project, server: sshd.Server) -> None:
    before = server.logins()
    done = chip.ok("run", "all", "--runner", "ssh", SITE="here")
    assert done.counts()["done"] == 5
    assert chip.read("rundir/p.all/all") == "".join(f"here {i}\n" for i in range(4))
    assert server.logins() > before
    until(lambda: not chip.leftovers())
    assert not chip.ok("run", "all", "--runner", "ssh", SITE="here").executed()


def test_the_doctor_follows_a_worker_over_ssh(chip: Project) -> None:
    out = chip.ok("doctor", "--runner", "ssh", "--probe").out
    assert "job loop1+" in out
    assert "worker and daemon are gone" in out


def test_a_worker_that_is_killed_costs_a_repetition(chip: Project) -> None:
    chip.write("wait", "")
    chip.ok("daemon", "start", "--runner", "ssh")
    try:
        run = chip.start("run", "all", SITE="here")
        # It may have a task before ssh is back with the id of its job.
        worker = until(
            lambda: [w for w in chip.status()["workers"] if w["current_task"] and w["job_id"]]
        )[0]
        host, _, pid = worker["job_id"].rpartition("+")
        assert host in ("loop1", "loop2")
        assert pid == str(worker["pid"]), "the job is the worker itself"
        os.kill(worker["pid"], signal.SIGKILL)
        until(lambda: chip.status()["tasks"]["retried"])
        (chip.folder / "wait").unlink()
        done = chip.end(run)
        assert done.status == 0, done
        assert "a task is run again" in done.out
    finally:
        chip.ok("daemon", "stop")
    until(lambda: not chip.leftovers())


def test_a_host_that_cannot_be_reached_is_said_in_the_words_of_ssh(
    chip: Project, server: sshd.Server
) -> None:
    chip.write(
        ".dfm/config.yaml",
        chip.read(".dfm/config.yaml").replace(server.command, f"{server.command} -p 1"),
    )
    done = chip.dfm("run", "all", "--runner", "ssh")
    assert done.status == 3
    assert "cannot start a worker on loop" in done.out
    assert "Connection refused" in done.out
    until(lambda: not chip.leftovers())


def test_without_hosts_it_says_so(chip: Project) -> None:
    (chip.folder / ".dfm/config.yaml").unlink()
    assert "not usable here: runner.ssh.hosts names no host" in chip.ok("runners").out
