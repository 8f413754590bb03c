"""Who has no credentials gets nothing from the daemon and disturbs nothing."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from dfm.wire import worker as wire
from dfm.wire.codec import MAJOR, MINOR
from dfm.wire.worker import WORKER_LINK
from dfm_daemon.shell import credentials
from tests.integration.conftest import Project, until

GATES = """
  tasks:
  - name: sims
    strategy: {matrix: {i: [0, 1, 2, 3]}}
    body:
    - {name: s, run: 'touch ../../on; while [ ! -e ../../go ]; do sleep 0.02; done; echo ok > out'}
  - {root: all, needs: [sims], run: 'cat ../p.sims.s_*/out > all'}
"""


def hello(name: str) -> bytes:
    return WORKER_LINK.encode(
        wire.Hello(MAJOR, MINOR, "0", name, "evil", 1, "", 1, 1, None, [], [])
    )


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side ends a connection, whatever it says before."""
    connection.settimeout(30)
    try:
        while connection.recv(4096):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return True


@pytest.fixture
def serving(daemon: Project) -> tuple[Project, int]:
    daemon.flow(GATES)
    daemon.ok("daemon", "start", "--pool-size", "2")
    return daemon, daemon.status()["worker_port"]


def test_strangers_at_the_worker_port_are_cut_off_and_change_nothing(
    serving: tuple[Project, int], tmp_path: Path
) -> None:
    project, port = serving
    run = project.start("run", "all")
    until((project.folder / "on").exists)
    before = {worker["worker_id"] for worker in project.status()["workers"]}

    def plain(data: bytes) -> bool:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(data)
            return is_closed(connection)

    def tls(pem: str | None) -> bool:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if pem is not None:
            context.load_cert_chain(pem)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            try:
                with context.wrap_socket(connection) as secure:
                    secure.sendall(hello("w1"))
                    return is_closed(secure)
            except (ConnectionError, ssl.SSLError):
                return True

    assert plain(hello("w1")), "a hello without TLS"
    assert plain(os.urandom(100_000)), "garbage"
    assert plain(b"\x7f\xff\xff\xff" + b"x" * 1000), "a frame of 2 GiB"
    assert plain(b"GET / HTTP/1.1\r\n\r\n")
    assert tls(None), "TLS without a certificate"
    foreign = credentials.make(str(tmp_path / "foreign"))
    assert tls(foreign.worker), "a worker of another project"
    assert tls(foreign.daemon)

    after = {worker["worker_id"] for worker in project.status()["workers"]}
    assert after == before
    project.write("go", "")
    done = project.end(run)
    assert done.status == 0, done
    assert project.read("rundir/p.all/all") == "ok\n" * 4
    log = project.read(".dfm/daemon.log")
    assert log.count("refused a stranger") == 1, "once per address"
    assert re.search(r"refused a stranger at 127\.0\.0\.1: \S.* \(said once per address\)", log)
    assert "fault of dfm" not in log
    assert "Traceback" not in log


def test_a_silent_or_slow_stranger_is_cut_off_in_time(serving: tuple[Project, int]) -> None:
    project, port = serving
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    silent[0].sendall(b"\x16")  # the first byte of a TLS handshake, and no more
    try:
        for connection in silent:
            assert is_closed(connection)
    finally:
        for connection in silent:
            connection.close()
    project.write("go", "")
    project.ok("run", "all")


def test_a_forged_worker_is_not_believed(serving: tuple[Project, int]) -> None:
    """It has the project's credentials, but nobody launched it; or it says that it is another."""
    project, port = serving
    pem = str(project.folder / ".dfm/credentials/worker.pem")
    run = project.start("run", "all")
    until((project.folder / "on").exists)
    names = ["w1", "w99"]
    for name in names:
        done = subprocess.run(
            [sys.executable, "-m", "dfm", "worker", "--connect", f"127.0.0.1:{port}",
             "--credentials", pem, "--worker", name],
            env=project.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 1, done
        assert "refused this worker" in done.stderr
    assert len(project.status()["workers"]) == 2
    project.write("go", "")
    assert project.end(run).status == 0


def test_a_worker_without_the_projects_credentials_says_why_it_ends(
    serving: tuple[Project, int], tmp_path: Path
) -> None:
    project, port = serving
    foreign = credentials.make(str(tmp_path / "foreign"))
    done = subprocess.run(
        [sys.executable, "-m", "dfm", "worker", "--connect", f"127.0.0.1:{port}",
         "--credentials", foreign.worker, "--worker", "w1", "--lost-timeout", "0"],
        env=project.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert f"127.0.0.1:{port}" in done.stderr or "connection" in done.stderr
    project.write("go", "")
    project.ok("run", "all")


def test_a_stranger_that_plays_the_daemon_gets_no_worker(project: Project, tmp_path: Path) -> None:
    """A worker shows nothing and runs nothing for a server that is not its project's daemon."""
    ours = credentials.make(str(tmp_path / "ours"))
    foreign = credentials.make(str(tmp_path / "foreign"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        heard: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            context = credentials.server_context(foreign)
            context.verify_mode = ssl.CERT_NONE
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    heard.append(secure.recv(4096))
            except (ConnectionError, ssl.SSLError):
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        done = subprocess.run(
            [sys.executable, "-m", "dfm", "worker", "--connect", f"127.0.0.1:{port}",
             "--credentials", ours.worker, "--worker", "w1", "--lost-timeout", "0"],
            env=project.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        thread.join()
    assert done.returncode != 0
    assert "certificate verify failed" in done.stderr
    assert not any(heard)


def test_garbage_on_the_clients_socket_disturbs_nobody(serving: tuple[Project, int]) -> None:
    project, _ = serving
    path = json.loads(project.read(".dfm/daemon.json"))["socket"]
    for data in (b"\x00\x00\x00\x02\xc1\xc1", b"\x7f\xff\xff\xff", os.urandom(5000)):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            connection.sendall(data)
            assert is_closed(connection)
    project.write("go", "")
    project.ok("run", "all")


def test_no_secret_is_on_a_command_line_or_in_the_environment(
    serving: tuple[Project, int],
) -> None:
    project, _ = serving
    run = project.start("run", "all")
    until((project.folder / "on").exists)
    key = project.read(".dfm/credentials/worker.pem").split("\n")[1]
    for line in project.leftovers():
        try:
            process = psutil.Process(int(line.split(":")[0]))
            shown = f"{process.cmdline()} {process.environ()}"
        except psutil.NoSuchProcess:  # one of the task's own short programs
            continue
        assert key not in shown
    assert key not in project.read(".dfm/daemon.log")
    project.write("go", "")
    assert project.end(run).status == 0
