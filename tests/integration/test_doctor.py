"""`dfm doctor` says what is wrong, and what to do."""

import os
import re
import socket
from pathlib import Path

import pytest

from dfm.cli.doctor import folder, host
from dfm.cli.doctor.finding import Verdict
from dfm.config.loading import load
from dfm.config.state_folder import StateFolder
from tests.integration.conftest import Project
from tests.integration.plugins import install_farm


def lines(out: str, verdict: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith(verdict)]


def test_a_healthy_project_is_all_right(project: Project) -> None:
    project.flow("")
    done = project.ok("doctor")
    assert not lines(done.out, "WRONG")
    subjects = {line.split()[1] for line in lines(done.out, "ok")}
    assert {
        "version",
        "config",
        "runner",
        "folder",
        "locks",
        "clock",
        "socket",
        "daemon",
    } <= subjects
    assert os.listdir(project.folder / ".dfm") == []


def test_a_probe_follows_a_worker_until_it_is_back(project: Project) -> None:
    project.flow("")
    done = project.ok("doctor", "--probe")
    told = "\n".join(line for line in lines(done.out, "ok") if " probe " in line)
    steps = (
        "a daemon serves", "the job is submitted: job local-", "the worker has connected",
        f"on {socket.gethostname()}", "its result is here", "is seen here", "worker and daemon are gone",
    )  # fmt: skip
    places = [told.index(step) for step in steps]
    assert places == sorted(places)
    assert len(re.findall(r"  \d+(\.\d+)? m?s ", told)) == told.count("\n") + 1, (
        "each with its time"
    )
    assert os.listdir(project.folder / ".dfm") == []
    assert not project.leftovers()


def test_a_probe_is_no_business_of_the_daemon_of_the_project(daemon: Project) -> None:
    daemon.flow("")
    daemon.ok("daemon", "start")
    before = daemon.status()["pid"]
    assert f"runs, pid {before}" in daemon.ok("doctor", "--probe").out
    assert daemon.status()["pid"] == before


def test_every_fault_of_the_configuration_is_a_line(project: Project) -> None:
    project.flow("")
    project.write(".dfm/config.yaml", "runner:\n  pol: 3\n  retry: {infra: x}\n")
    done = project.dfm("doctor")
    assert done.status == 1
    first, second = lines(done.out, "WRONG")
    assert "config.yaml:2:3: unknown key `runner.pol`; did you mean `runner.pool`?" in first
    assert "config.yaml:3:18" in second


def test_a_runner_whose_command_is_missing_is_said_with_what_to_do(project: Project) -> None:
    install_farm(project)
    project.flow("")
    project.write(".dfm/config.yaml", "runner: {farm: {sub_cmd: not-a-program -x}}\n")
    done = project.dfm("doctor", "--runner", "farm", "--probe")
    assert done.status == 1
    wrong = "\n".join(lines(done.out, "WRONG"))
    assert (
        "not-a-program: not found on PATH; load its environment, or set runner.farm.sub_cmd"
        in wrong
    )
    assert "left out: farm cannot be used" in wrong
    assert any("is broken" in line for line in lines(done.out, "note")), "other packages' runners"
    project.write(".dfm/config.yaml", "runner: {farm: {sub_cmd: sh -c}}\n")
    assert not lines(project.ok("doctor", "--runner", "farm").out, "WRONG")


def test_a_probe_whose_worker_does_not_come_says_why(project: Project) -> None:
    install_farm(project)
    project.flow("")
    project.write("closed", "")
    done = project.dfm("doctor", "--runner", "farm", "--probe")
    assert done.status == 1
    assert "farmsub: queue is closed" in "\n".join(lines(done.out, "WRONG"))
    assert not project.leftovers()


def test_a_folder_that_cannot_be_made_is_wrong(project: Project) -> None:
    project.flow("")
    project.write(".dfm", "a file")
    done = project.dfm("doctor")
    assert done.status == 1
    assert any(".dfm" in line for line in lines(done.out, "WRONG"))


def test_a_clock_that_is_off_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    found = {
        finding.subject: finding
        for finding in folder.findings(StateFolder(str(tmp_path)), is_remote=False)
    }
    assert found["clock"].verdict is Verdict.WRONG
    assert found["locks"].verdict is Verdict.GOOD


def test_a_file_system_of_this_host_alone_is_odd_for_workers_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, verdict in (("ext4", Verdict.ODD), ("nfs4", Verdict.GOOD)):
        monkeypatch.setattr(folder, "_mount", lambda path, kind=kind: (kind, "/"))
        found = {
            finding.subject: finding
            for finding in folder.findings(StateFolder(str(tmp_path)), is_remote=True)
        }
        assert found["shared"].verdict is verdict


def test_the_mount_of_a_path_is_found() -> None:
    assert folder._mount("/proc/self") == ("proc", "/proc")


def test_too_few_open_files_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(str(tmp_path), {"HOME": str(tmp_path)}, {})
    for limits, verdict in (
        ((64, 64), Verdict.WRONG),
        ((64, 4096), Verdict.ODD),
        ((4096, 4096), Verdict.GOOD),
    ):
        monkeypatch.setattr("resource.getrlimit", lambda which, limits=limits: limits)
        (finding,) = host.limits(config)
        assert finding.verdict is verdict
