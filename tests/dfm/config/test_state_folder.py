import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm.config import state_folder
from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In place of /tmp; pytest's own folders are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        monkeypatch.setattr(state_folder, "_EVERYBODYS", folder)
        yield Path(folder)


@pytest.fixture
def runtime() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        yield Path(folder)


LONG = "/" + "p" * 149


def _mode(path: str | Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_everything_is_below_the_project() -> None:
    state = StateFolder("/chip")
    assert state.path == "/chip/.dfm"
    assert (state.config, state.daemon_json) == ("/chip/.dfm/config.yaml", "/chip/.dfm/daemon.json")
    assert (state.lock, state.log) == ("/chip/.dfm/daemon.lock", "/chip/.dfm/daemon.log")
    assert (state.workers, state.credentials) == ("/chip/.dfm/workers", "/chip/.dfm/credentials")


def test_a_relative_project_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert StateFolder(".").path == str(tmp_path / ".dfm")


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    StateFolder(str(tmp_path)).make()
    assert _mode(tmp_path / ".dfm") == 0o700


def test_an_existing_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / ".dfm"
    folder.mkdir()
    folder.chmod(0o2775)
    (folder / "config.yaml").touch()
    StateFolder(str(tmp_path)).make()
    assert _mode(folder) & 0o777 == 0o700
    assert (folder / "config.yaml").exists()


def test_a_link_to_a_folder_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir(mode=0o755)
    (tmp_path / ".dfm").symlink_to(tmp_path / "scratch")
    StateFolder(str(tmp_path)).make()
    assert _mode(tmp_path / "scratch") == 0o700


def test_a_folder_of_another_user_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dfm").mkdir()
    (tmp_path / ".dfm").chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    StateFolder(str(tmp_path)).make()
    assert _mode(tmp_path / ".dfm") == 0o755


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".dfm").touch()
    with pytest.raises(DaemonError, match=r"\.dfm: Not a directory"):
        StateFolder(str(tmp_path)).make()


def test_a_missing_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DaemonError, match="No such file"):
        StateFolder(str(tmp_path / "gone")).make()


def test_the_socket_is_in_the_project_up_to_107_bytes(shared: Path) -> None:
    fits = "/" + "p" * (107 - len("//.dfm/daemon.sock"))
    path = StateFolder(fits).socket_path({})
    assert path == f"{fits}/.dfm/daemon.sock"
    assert len(path) == 107
    assert StateFolder(fits + "p").socket_path({}).startswith(str(shared))


def test_the_kernel_takes_107_bytes(shared: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"{shared}/{'s' * (107 - len(str(shared)) - 1)}")
        with pytest.raises(OSError, match="path too long"):
            sock.bind(f"{shared}/{'s' * (108 - len(str(shared)))}")


def test_bytes_count_and_not_characters(runtime: Path) -> None:
    project = "/" + "ü" * 60
    path = StateFolder(project).socket_path({"XDG_RUNTIME_DIR": str(runtime)})
    assert path.startswith(f"{runtime}/dfm-")


def test_a_long_project_s_socket_is_in_the_runtime_folder(runtime: Path, shared: Path) -> None:
    path = StateFolder(LONG).socket_path({"XDG_RUNTIME_DIR": str(runtime)})
    folder = Path(path).parent
    assert (folder.parent, Path(path).name) == (runtime, "daemon.sock")
    assert _mode(folder) == 0o700
    assert len(os.fsencode(path)) <= 107
    assert not list(shared.iterdir())


@pytest.mark.parametrize("runtime_dir", ["", "relative", "/nowhere/run", "/" + "r" * 100])
def test_without_a_runtime_folder_the_socket_is_in_tmp(shared: Path, runtime_dir: str) -> None:
    path = StateFolder(LONG).socket_path({"XDG_RUNTIME_DIR": runtime_dir})
    assert Path(path).parent.parent == shared
    assert _mode(Path(path).parent) == 0o700


def test_a_filesystem_without_sockets_moves_the_socket_too(runtime: Path) -> None:
    state = StateFolder("/chip")
    path = state.socket_path({"XDG_RUNTIME_DIR": str(runtime)}, in_project=False)
    assert path.startswith(f"{runtime}/dfm-")


def test_the_place_is_the_same_each_time_and_another_for_another_project(runtime: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    first = StateFolder(LONG).socket_path(environ)
    assert StateFolder(LONG).socket_path(environ) == first
    assert StateFolder(LONG + "x").socket_path(environ) != first


def test_a_link_to_the_project_leads_to_the_same_socket(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "chip").mkdir()
    (tmp_path / "link").symlink_to("chip")
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    paths = {
        StateFolder(str(tmp_path / name)).socket_path(environ, in_project=False)
        for name in ("chip", "link")
    }
    assert len(paths) == 1


def test_a_planted_link_is_refused(shared: Path) -> None:
    folder = Path(StateFolder(LONG).socket_path({})).parent
    folder.rmdir()
    (shared / "trap").mkdir(mode=0o755)
    folder.symlink_to(shared / "trap")
    with pytest.raises(DaemonError, match="refused to put the daemon's socket into"):
        StateFolder(LONG).socket_path({})
    assert _mode(shared / "trap") == 0o755


def test_a_planted_file_is_refused(shared: Path) -> None:
    folder = Path(StateFolder(LONG).socket_path({})).parent
    folder.rmdir()
    folder.touch()
    with pytest.raises(DaemonError, match="refused to put the daemon's socket into"):
        StateFolder(LONG).socket_path({})


def test_another_user_s_folder_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = os.getuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    with pytest.raises(DaemonError, match="the folder is another user's"):
        StateFolder(LONG).socket_path({})


def test_our_own_open_folder_is_closed_to_others(shared: Path) -> None:
    folder = Path(StateFolder(LONG).socket_path({})).parent
    folder.chmod(0o777)
    StateFolder(LONG).socket_path({})
    assert _mode(folder) == 0o700


def test_no_place_at_all_is_an_error(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_folder, "_EVERYBODYS", str(shared / "gone"))
    with pytest.raises(DaemonError, match="no place for the daemon's socket"):
        StateFolder(LONG).socket_path({})
