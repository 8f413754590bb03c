"""What the project's credentials hold is nowhere else: not on a command line, in an environment, in a
log, in a record, in a status, in what a failure says."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dfm_daemon.shell import credentials
from tests.integration.conftest import Project, daemon, project, until

__all__ = ["daemon", "project"]

# Whatever a task can see of its own and of all other processes of its user.
FLOW = """
  tasks:
  - name: look
    scope: root
    run: |
      env
      tr '\\0' ' ' < /proc/$PPID/environ
      for each in /proc/[0-9]*; do
        tr '\\0' ' ' < $each/cmdline; tr '\\0' ' ' < $each/environ
      done 2> /dev/null
      true
  - {root: wait, run: 'touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done'}
  - {root: fails, run: 'env; kill -SEGV $$'}
"""


def secrets(project: Project) -> set[str]:
    """Of each file every line that is no more than once in the world: keys, and secrets."""
    found: set[str] = set()
    for name in credentials.Credentials._fields:
        text = project.read(f".dfm/credentials/{name}.pem")
        for kind in ("PRIVATE KEY", "DFM WORKER SECRET", "DFM CLIENT SECRET"):
            for block in re.findall(f"BEGIN {kind}-----\n(.*?)-----END", text, re.DOTALL):
                found.update(block.split())
    return {line for line in found if len(line) > 20}


def written(project: Project) -> Iterator[tuple[Path, str]]:
    """Every file of the project but for the credentials."""
    for path in project.folder.rglob("*"):
        if path.is_file() and path.parent.name != "credentials":
            yield path, path.read_text(errors="replace")


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "no TLS"])
def test_no_secret_leaves_its_file(daemon: Project, tls: bool) -> None:
    daemon.flow(FLOW)
    daemon.write(".dfm/config.yaml", f"runner: {{daemon: {{tls: {str(tls).lower()}}}}}\n")
    said = [daemon.ok("daemon", "start", "--pool-size", "2")]
    keys = secrets(daemon)
    assert len(keys) >= 2, "what is looked for"

    run = daemon.start("run", "wait")
    until((daemon.folder / "on").exists)
    for line in daemon.leftovers():
        try:
            process = psutil.Process(int(line.split(":")[0]))
            shown = f"{process.cmdline()} {process.environ()}"
        except psutil.NoSuchProcess:  # one of the task's own short programs
            continue
        assert not any(key in shown for key in keys), line
    said.append(daemon.ok("run", "look"))
    said.append(daemon.dfm("run", "fails"))
    assert "DFM_RUNDIR=" in daemon.read("rundir/p.look/p.look.log"), "it has looked"
    assert ".dfm/credentials/worker.pem" in daemon.read("rundir/p.look/p.look.log")
    said += [daemon.ok("daemon", "status"), daemon.ok("daemon", "status", "--json")]

    # What goes wrong says a path, and nothing of what is in the file.
    torn = daemon.folder / "torn.pem"
    whole = daemon.read(".dfm/credentials/worker.pem")
    torn.write_text(whole[: len(whole) // 2] + "\n")
    port = daemon.status()["worker_port"]
    failed = daemon.dfm(
        "worker", "--connect", f"127.0.0.1:{port}", "--credentials", str(torn), "--worker", "w9"
    )
    assert failed.status != 0
    assert str(torn) in failed.err
    torn.unlink()
    said.append(failed)
    for worker in daemon.status()["workers"]:
        os.kill(worker["pid"], 11)
    until(lambda: "again" in daemon.read(".dfm/daemon.log") or daemon.status()["workers"])
    daemon.write("go", "")
    said.append(daemon.end(run))

    for done in said:
        assert not any(key in done.out + done.err for key in keys), done.words
    for path, text in written(daemon):
        assert not any(key in text for key in keys), path


def test_nothing_of_the_daemon_is_left_after_stop_but_its_logs(project: Project) -> None:
    project.flow(FLOW)
    project.ok("daemon", "start", "--pool-size", "1")
    project.ok("run", "look")
    project.ok("daemon", "stop")
    assert sorted(os.listdir(project.folder / ".dfm")) == ["daemon.log", "workers"]


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "no TLS"])
def test_a_daemon_after_one_that_was_killed_has_the_same_credentials(
    daemon: Project, tls: bool
) -> None:
    daemon.flow(FLOW)
    daemon.write(".dfm/config.yaml", f"runner: {{daemon: {{tls: {str(tls).lower()}}}}}\n")
    daemon.ok("daemon", "start")
    first = secrets(daemon)
    os.kill(daemon.status()["pid"], 9)
    until(lambda: daemon.dfm("daemon", "status").status == 1)
    daemon.ok("daemon", "start", "--pool-size", "1")
    assert secrets(daemon) == first
    daemon.ok("run", "look")

    os.kill(daemon.status()["pid"], 9)
    until(lambda: daemon.dfm("daemon", "status").status == 1)
    os.truncate(daemon.folder / ".dfm/credentials/worker.pem", 50)
    daemon.ok("daemon", "start", "--pool-size", "1")
    assert not secrets(daemon) & first, "a torn file is made anew, and so are all"
    daemon.ok("run", "look", "-f")


def test_a_daemon_without_tls_warns_at_each_start(daemon: Project) -> None:
    daemon.flow(FLOW)
    daemon.write(".dfm/config.yaml", "runner: {daemon: {tls: false}}\n")
    for starts in (1, 2):
        started = daemon.ok("daemon", "start", "--pool-size", "1")
        assert "warning: runner.daemon.tls is false" in started.err
        assert daemon.read(".dfm/daemon.log").count("runner.daemon.tls is false") == starts
        daemon.ok("run", "look", "-f")
        daemon.ok("daemon", "stop")
