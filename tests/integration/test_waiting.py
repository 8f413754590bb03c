"""A task that waits for a slot waits as long as it takes. This test lasts longer than a minute,
since what it guards against is a time-out of one."""

import pytest

from tests.integration.conftest import Project

HOLD_S = 63


@pytest.mark.timeout(180)
def test_a_task_that_waits_for_a_slot_for_more_than_a_minute_runs(project: Project) -> None:
    flow = (
        "package:\n"
        "  name: p\n"
        "  tasks:\n"
        f"  - {{name: long, run: 'sleep {HOLD_S}'}}\n"
        "  - {name: short, run: 'true'}\n"
        "  - {root: all, needs: [long, short], run: 'true'}\n"
    )
    for name in ("here", "there"):
        project.write(f"{name}/flow.yaml", flow)
    here, there = project.folder / "here", project.folder / "there"
    assert project.dfm("daemon", "start", "--pool-size", "1", cwd=there).status == 0
    runs = [
        project.start("run", "all", "-j", "1", cwd=here),
        project.start("run", "all", cwd=there),
    ]
    ends = [run.communicate(timeout=HOLD_S + 60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ends
    assert project.dfm("daemon", "stop", cwd=there).status == 0
