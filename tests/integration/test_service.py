"""The daemon as a service: its unit is right, and it says when it serves."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dfm.cli.unit import Service, text
from tests.integration.conftest import PATIENCE_S, Project, until

ROOT = Path(__file__).parents[2]
NEED = ROOT / "tests" / "tools" / "need"


@pytest.fixture(scope="module")
def analyze() -> str:
    """systemd-analyze, which Debian has in the package systemd."""
    if not shutil.which("systemd-analyze"):
        subprocess.run([NEED, "systemd"], capture_output=True, check=False)
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze cannot be had here")
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime)}


@pytest.mark.parametrize("name", ["chip", "two words", 'a%b$c"d\\e'])
@pytest.mark.parametrize("user", ["", "daemon"])
def test_the_unit_passes_systemd_analyze_verify(
    name: str, user: str, analyze: str, environment: dict[str, str], tmp_path: Path
) -> None:
    project = tmp_path / name
    project.mkdir()
    environ = {**environment, "LSF_ENVDIR": "/opt/lsf 10/conf", "SECRET": "42"}
    service = Service(str(project), user, environ)
    unit = tmp_path / service.name
    unit.write_text(text(service))
    assert "SECRET" not in unit.read_text()

    def verify() -> subprocess.CompletedProcess[str]:
        scope = "--system" if user else "--user"
        return subprocess.run(
            [analyze, "verify", scope, "--recursive-errors=no", str(unit)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = verify()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), unit.read_text()
    unit.write_text(text(service).replace("KillMode=process", "KillMode=gently"))
    assert "kill mode" in verify().stderr, "it looks at the unit"


@pytest.mark.parametrize(("user", "whose"), [("daemon", "the system's"), ("", "the user's")])
def test_its_exposure_is_what_the_guide_for_admins_states(
    user: str, whose: str, analyze: str, environment: dict[str, str], tmp_path: Path
) -> None:
    unit = tmp_path / "dfm-chip.service"
    unit.write_text(text(Service("/work/chip", user, environment)))
    guide = " ".join((ROOT / "docs" / "admin.md").read_text().split())
    scope = "--system" if user else "--user"
    done = subprocess.run(
        [analyze, "security", scope, "--offline=yes", str(unit)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    match = re.search(r"Overall exposure level for \S+: (\d\.\d)", done.stdout)
    assert match, done
    said = re.search(rf"(\d\.\d) for {whose}", guide)
    assert said, guide
    version = subprocess.run([analyze, "--version"], capture_output=True, text=True, check=True)
    if version.stdout.startswith("systemd 252 "):  # each weighs otherwise
        assert said[1] == match[1]


def test_a_set_user_id_helper_of_the_batch_system_is_left_able_to_work(tmp_path: Path) -> None:
    helper = tmp_path / "bsub"
    helper.write_text("#!/bin/sh\n")
    helper.chmod(0o755)
    environ = {"PATH": str(tmp_path)}
    assert "NoNewPrivileges=yes" in text(Service("/p", "daemon", environ))
    helper.chmod(0o755 | stat.S_ISUID)
    unit = text(Service("/p", "daemon", environ))
    assert "SystemCallFilter" not in unit
    assert "NoNewPrivileges" not in unit
    assert f"{helper} is set-user-ID" in unit


def test_percent_and_dollar_mean_themselves() -> None:
    lines = text(Service("/a%b/$c", "", {"PATH": "/x%y"})).splitlines()
    assert "WorkingDirectory=/a%%b/$c" in lines
    assert "Environment=PATH=/x%%y" in lines
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    assert start.endswith("--root /a%%b/$$c")


def test_units_of_two_projects_of_one_name_differ() -> None:
    assert Service("/a/chip", "", {}).name != Service("/b/chip", "", {}).name
    assert Service("/a/chip", "", {}).name.startswith("dfm-chip-")


@pytest.mark.parametrize("is_abstract", [False, True])
def test_the_daemon_tells_its_manager_that_it_serves(project: Project, is_abstract: bool) -> None:
    project.flow("  tasks: [{root: t, run: 'echo hello'}]")
    place = f"@dfm-test-{os.getpid()}" if is_abstract else str(project.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(place.replace("@", "\0"))
        manager.settimeout(PATIENCE_S)
        daemon = project.start("daemon", "start", "--foreground", NOTIFY_SOCKET=place)
        assert manager.recv(100) == b"READY=1"
        assert project.status()["pid"] == daemon.pid, "the process that the manager started"
        assert "tasks go to the daemon" in project.ok("run", "t").out
        (worker,) = project.status()["workers"]
        assert "NOTIFY_SOCKET" not in psutil.Process(worker["pid"]).environ()
        daemon.send_signal(signal.SIGTERM)
        assert project.end(daemon).status == 0
    until(lambda: not project.leftovers())


def test_install_without_a_manager_writes_the_unit_and_says_what_to_do(project: Project) -> None:
    project.flow("")
    done = project.ok("daemon", "service", "install")
    path = done.out.removeprefix("written: ").strip()
    assert path.startswith(str(project.folder / ".config/systemd/user/dfm-project-"))
    unit = Path(path).read_text()
    assert f"--root {project.folder}" in unit
    assert sys.executable in unit
    assert f"systemctl --user enable --now {Path(path).name}" in done.err
    assert "loginctl enable-linger" in done.err
    assert "--system --user" in done.err
    assert project.ok("daemon", "service", "show").out == f"# {path}\n{unit}"
    assert "removed" in project.ok("daemon", "service", "uninstall").out
    assert not Path(path).exists()
    assert "there is no" in project.ok("daemon", "service", "uninstall").out
    assert "(not installed)" in project.ok("daemon", "service", "show").out


def test_install_hands_the_unit_to_the_manager_that_runs(project: Project, tmp_path: Path) -> None:
    project.flow("")
    (tmp_path / "runtime/systemd").mkdir(parents=True)
    project.write("../runtime/systemd/private", "")
    systemctl = project.write("../bin/systemctl", '#!/bin/sh\necho "$@" >> ../asked\n')
    systemctl.chmod(0o755)
    project.environment |= {
        "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PATH": f"{systemctl.parent}:{os.environ['PATH']}",
    }
    name = Path(project.ok("daemon", "service", "install").out.split()[1]).name
    project.ok("daemon", "service", "uninstall")
    assert project.read("../asked").splitlines() == [
        "--user daemon-reload", f"--user enable --now {name}",
        f"--user disable --now {name}", "--user daemon-reload",
    ]  # fmt: skip
    systemctl.write_text("#!/bin/sh\necho 'Access denied' >&2; exit 4\n")
    refused = project.dfm("daemon", "service", "install")
    assert refused.status == 3
    assert "Access denied" in refused.err


def test_wrong_wishes_are_refused(project: Project) -> None:
    project.flow("")
    for words, why in (
        (["install", "--user", "daemon"], "--user goes with --system"),
        (["install", "--system"], "--system needs --user"),
        (["show", "--system", "--user", "nobody-here"], "no user `nobody-here`"),
    ):
        done = project.dfm("daemon", "service", *words)
        assert done.status == 2
        assert why in done.err
