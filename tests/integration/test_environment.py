"""Section 40 of the language: what dfm reads from its environment. Layout, cache and make's jobserver
have tests of their own."""

import os
import pty
import re
import struct
import subprocess
import termios
from fcntl import ioctl

import pytest

from tests.integration.conftest import DFM, Project

LIBRARY = (
    "package:\n  name: {name}\n  tasks:\n  - {{export: t, run: 'echo {name} > ../../{name}'}}\n"
)


@pytest.mark.parametrize("root", ["{folder}/sub", "{folder}/sub/flow.yaml", "../project/sub"])
def test_dv_flow_root_says_where_the_flow_is_and_an_option_more_so(
    project: Project, root: str
) -> None:
    project.flow("  tasks: [{root: outer, desc: one, run: 'true'}]\n")
    project.write("sub/flow.yaml", LIBRARY.format(name="inner"))
    project.environment["DV_FLOW_ROOT"] = root.format(folder=project.folder)
    project.ok("run", "inner.t")
    assert project.read("inner") == "inner\n", "rundir is in the current directory"
    assert "outer" in project.ok("run", "--root", ".").out


def test_dv_flow_package_map_and_dv_flow_path_are_lists(project: Project) -> None:
    for name in ("one", "two", "three", "four"):
        project.write(f"ips/{name}/flow.yaml", LIBRARY.format(name=name))
    for name in ("one", "two"):
        entry = f"{{name: {name}, path: ips/{name}}}"
        project.write(f"{name}.map", f"package-map:\n  version: 1\n  packages: [{entry}]\n")
    project.write("elsewhere/four/flow.yaml", LIBRARY.format(name="four"))
    project.flow(
        "  imports: [{name: one}, {name: two}, {name: three}, {name: four}]\n"
        "  tasks: [{root: all, needs: [one.t, two.t, three.t, four.t]}]\n"
    )
    folder = project.folder
    done = project.ok(
        "run", "all",
        DV_FLOW_PACKAGE_MAP=f"{folder}/one.map:{folder}/two.map",
        DV_FLOW_PATH=f"{folder}/elsewhere:{folder}/ips",
    )  # fmt: skip
    assert done.executed() == {"p.all", "one.t", "two.t", "three.t", "four.t"}
    missing = project.dfm("run", "all", DV_FLOW_PACKAGE_MAP=f"{folder}/nowhere.map")
    assert missing.status == 2
    assert "nowhere.map" in missing.err
    assert "Traceback" not in missing.err


def test_dfm_runner_names_the_runner_and_an_option_more_so(project: Project) -> None:
    project.flow("  tasks: [{root: t, run: 'true'}]\n")
    done = project.dfm("run", "t", DFM_RUNNER="nobody")
    assert done.status == 2
    assert "nobody" in done.err
    assert "DFM_RUNNER" in done.err
    project.ok("run", "t", "--runner", "local", DFM_RUNNER="nobody")


def test_dfm_install_config_is_a_layer_of_the_configuration(project: Project) -> None:
    project.flow(
        "  tasks:\n"
        "  - {name: bad, run: 'exit 1'}\n"
        "  - {name: good, run: 'true'}\n"
        "  - {root: all, needs: [bad, good]}\n"
    )
    project.write("site.yaml", "run:\n  keep_going: true\n")
    done = project.dfm(
        "run", "all", "-j", "1", DFM_INSTALL_CONFIG=str(project.folder / "site.yaml")
    )
    assert done.executed() == {"p.bad", "p.good"}
    missing = project.dfm("run", "all", DFM_INSTALL_CONFIG="/no/such.yaml")
    assert missing.status == 2
    assert "/no/such.yaml" in missing.err


@pytest.mark.parametrize(
    ("environment", "words", "cores"),
    [
        ({"DFM_CORES": "7", "NSLOTS": "5"}, ["-j", "3"], "7"),
        ({"NSLOTS": "5"}, ["-j", "3"], "5"),
        ({}, ["-j", "3"], "3"),
    ],
)
def test_dfm_cores_is_what_tasks_are_told(
    project: Project, environment: dict[str, str], words: list[str], cores: str
) -> None:
    project.flow("  tasks: [{root: t, run: 'echo $DFM_CORES > ../../cores'}]\n")
    for name in ("LSB_DJOB_NUMPROC", "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NSLOTS"):
        project.environment.pop(name, None)
    project.environment.update(environment)
    project.ok("run", "t", *words)
    assert project.read("cores") == f"{cores}\n"


def on_a_terminal(project: Project, **environment: str) -> str:
    """All that `dfm run all` writes to a terminal that is 200 columns wide."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    process = subprocess.Popen(
        [*DFM, "run", "all", "-k"], cwd=project.folder, stdin=slave, stdout=slave, stderr=slave,
        env={**project.environment, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(slave)
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # nobody has the other end any more
            break
        text += part
        if b"1 failed" in text and not (project.folder / "go").exists():
            project.write("go", "")
    os.close(master)
    assert process.wait() == 1
    return text.decode()


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"COLUMNS": "30"}])
def test_no_color_and_columns_hold_for_the_display(
    project: Project, environment: dict[str, str]
) -> None:
    long = "l" * 40
    project.flow(
        "  tasks:\n"
        "  - {name: bad, run: 'exit 1'}\n"
        f"  - {{name: {long}, run: 'while [ ! -e ../../go ]; do sleep 0.02; done'}}\n"
        f"  - {{root: all, needs: [bad, {long}]}}\n"
    )
    text = on_a_terminal(project, **environment)
    has_red = bool(re.search(r"\x1b\[[0-9;]*31m", text))
    assert has_red == ("NO_COLOR" not in environment)
    assert (f"p.{long}" in text) == ("COLUMNS" not in environment)
