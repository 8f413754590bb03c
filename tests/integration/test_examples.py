"""Every example runs, as its user would run it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import Project

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_the_demo_runs_and_a_second_one_executes_nothing(project: Project) -> None:
    """In a copy: the demo keeps its results beside itself."""
    shutil.copytree(
        ROOT / "examples", project.folder / "examples",
        ignore=shutil.ignore_patterns("rundir", ".dfm", "__pycache__"),
    )  # fmt: skip

    def demo() -> str:
        done = subprocess.run(
            [sys.executable, "examples/demo.py"], cwd=project.folder, env=project.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done
        return done.stdout

    first = demo()
    assert first.count("48 of 48 simulations passed") == 2
    assert "tasks go to the daemon" in first
    lines = first.rstrip("\n").split("\n")
    assert lines[-3].split() == ["runner", "status", "simulations", "coverage", "time"]
    assert lines[-2].split()[:4] == ["local", "0", "48", "100.0"]
    assert lines[-1].split()[:4] == ["daemon", "0", "48", "100.0"]

    second = demo()
    assert second.count("nothing to do: 55 tasks up to date") == 2
