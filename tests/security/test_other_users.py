"""Other users of the daemon's host: refused, unless `runner.daemon.allow_users` has them."""

import json
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import Project
from tests.security.users import CAN_BE_HAD, NAMELESS, dfm_as, uid_of

pytestmark = pytest.mark.skipif(not CAN_BE_HAD, reason="needs root, setpriv and unshare")

FLOW = "  tasks:\n  - {root: t, run: 'id -u > who'}\n"
GUEST = "nobody"


@pytest.fixture
def shared() -> Iterator[Project]:
    """A project where every user can go and write, as those of a group with umask 002 can in theirs.
    Its daemon is not up yet."""
    umask = os.umask(0)
    with tempfile.TemporaryDirectory(prefix="dfm-shared-") as folder:
        os.chmod(folder, 0o755)
        made = Project(Path(folder) / "project")
        made.folder.mkdir()
        made.folder.chmod(0o777)
        made.flow(FLOW)
        yield made
        assert made.dfm("daemon", "stop").status == 0
        assert not made.leftovers()
    os.umask(umask)


def allow(project: Project, *names: str) -> None:
    project.write(
        ".dfm/config.yaml", f"runner:\n  daemon:\n    allow_users: [{', '.join(names)}]\n"
    )


def test_a_user_who_is_allowed_asks_runs_and_steers(shared: Project) -> None:
    allow(shared, GUEST)
    shared.ok("daemon", "start", "--pool-size", "1")
    uid = uid_of(GUEST)
    status = dfm_as(uid, shared, "daemon", "status", "--json")
    assert status.status == 0, status
    assert json.loads(status.out)["pid"] == shared.status()["pid"]
    run = dfm_as(uid, shared, "run", "t")
    assert run.status == 0, run
    assert "tasks go to the daemon" in run.out
    assert shared.read("rundir/p.t/who") == "0\n", "the daemon's user runs the tasks"
    assert "user=nobody" in shared.read(".dfm/daemon.log")
    stopped = dfm_as(uid, shared, "daemon", "stop")
    assert stopped.status == 0, stopped
    assert dfm_as(uid, shared, "daemon", "status").status == 3


def test_what_is_opened_to_others_is_the_socket_and_no_more(shared: Project) -> None:
    allow(shared, GUEST)
    shared.ok("daemon", "start", "--pool-size", "1")
    shared.ok("run", "t")
    state = shared.folder / ".dfm"
    assert stat.S_IMODE(state.stat().st_mode) == 0o711, "a way through, and no list"
    # The configuration is the project's, with the modes that its author gave it.
    opened = {path.name for path in state.rglob("*") if path.stat().st_mode & 0o077}
    assert opened == {"daemon.json", "daemon.sock", "config.yaml"}
    assert not (state / "daemon.json").stat().st_mode & 0o022
    shared.ok("daemon", "stop")
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_daemon_for_its_owner_takes_back_what_another_one_opened(shared: Project) -> None:
    allow(shared, GUEST)
    shared.ok("daemon", "start")
    os.kill(shared.status()["pid"], 9)
    (shared.folder / ".dfm/config.yaml").unlink()
    shared.ok("daemon", "start")
    assert stat.S_IMODE((shared.folder / ".dfm").stat().st_mode) == 0o700
    refused = dfm_as(uid_of(GUEST), shared, "daemon", "status")
    assert refused.status == 3, refused
    assert "allow_users" in refused.err


@pytest.mark.parametrize("uid", [uid_of("daemon"), NAMELESS])
def test_a_user_who_is_not_allowed_is_refused_and_logged(shared: Project, uid: int) -> None:
    allow(shared, GUEST)
    shared.ok("daemon", "start", "--pool-size", "1")
    for words in (("daemon", "status"), ("run", "t"), ("daemon", "stop")):
        done = dfm_as(uid, shared, *words)
        assert done.status == 3, done
        assert "Traceback" not in done.err
    log = shared.read(".dfm/daemon.log")
    assert log.count(f"refused a stranger at uid {uid}: uid {uid} may not use this socket") == 1
    assert shared.status()["running"]


def test_without_allow_users_others_do_not_get_to_the_socket(shared: Project) -> None:
    shared.ok("daemon", "start", "--pool-size", "1")
    path = shared.status()["socket"]
    for words in (("daemon", "status"), ("run", "t"), ("daemon", "start")):
        done = dfm_as(uid_of(GUEST), shared, *words)
        assert done.status in (2, 3), done
        assert "Traceback" not in done.err
        assert ".dfm" in done.err
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as mine:
        mine.connect(path)


def test_an_owner_without_a_name_has_a_daemon(shared: Project) -> None:
    started = dfm_as(NAMELESS, shared, "daemon", "start", "--pool-size", "1")
    assert started.status == 0, started
    try:
        run = dfm_as(NAMELESS, shared, "run", "t")
        assert run.status == 0, run
        assert shared.read("rundir/p.t/who") == f"{NAMELESS}\n"
    finally:
        assert dfm_as(NAMELESS, shared, "daemon", "stop").status == 0


def test_an_unknown_user_is_an_error_at_the_start(shared: Project) -> None:
    allow(shared, GUEST, "nosuchuser", "norhim")
    done = shared.dfm("daemon", "start")
    assert done.status == 2, done
    for name in ("nosuchuser", "norhim"):
        assert f"runner.daemon.allow_users: this host knows no user `{name}`" in done.err
    assert ".dfm/config.yaml:3:" in done.err
    assert shared.dfm("daemon", "status").status == 3


def test_with_a_long_path_the_socket_is_where_others_get_to_it(shared: Project) -> None:
    folder = shared.folder / ("x" * 110)
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    long = Project(folder)
    long.flow(FLOW)
    allow(long, GUEST)
    long.ok("daemon", "start", "--pool-size", "1", XDG_RUNTIME_DIR="/run")
    try:
        path = long.status()["socket"]
        assert path.startswith("/tmp/")
        run = dfm_as(uid_of(GUEST), long, "run", "t")
        assert run.status == 0, run
        assert "tasks go to the daemon" in run.out
    finally:
        long.ok("daemon", "stop")
    assert not os.path.exists(os.path.dirname(path))
