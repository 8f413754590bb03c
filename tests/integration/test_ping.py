"""`dfm ping`."""

import re

from tests.integration.conftest import Project

ONE_TASK = "  tasks:\n  - {root: t, run: 'true'}\n"


def test_a_ping_is_one_line_with_the_time(daemon: Project) -> None:
    daemon.flow(ONE_TASK)
    daemon.ok("daemon", "start")
    done = daemon.ok("ping")
    pid = daemon.status()["pid"]
    assert re.fullmatch(rf"daemon pid {pid} of \S+: \d+\.\d\d ms \(median of 9\)\n", done.out)


def test_without_a_daemon_there_is_nobody_to_ping(project: Project) -> None:
    project.flow(ONE_TASK)
    done = project.dfm("ping")
    assert done.status == 3
    assert "no daemon of" in done.err
