"""Processes in the middle of execve(2), which for a moment show neither environment nor words."""

import subprocess
from pathlib import Path

from dfm_worker.processes import has_variables

LOOKS = 2000


def test_a_process_that_becomes_another_is_seen_with_its_environment(tmp_path: Path) -> None:
    script = tmp_path / "again"
    script.write_text('exec /bin/sh "$0"\n')
    with subprocess.Popen(["/bin/sh", str(script)], env={"DFM_MARK": "1"}) as process:
        missed = [look for look in range(LOOKS) if not has_variables(process.pid, [b"DFM_MARK=1"])]
        process.kill()
    assert missed == []


def test_a_process_without_an_environment_has_none() -> None:
    with subprocess.Popen(["/bin/sleep", "100"], env={}) as process:
        assert not has_variables(process.pid, [b"DFM_MARK=1"])
        process.kill()
