"""Section 39: packages and shells of other Python packages; the same here and on a daemon."""

from pathlib import Path

import pytest

from tests.integration.conftest import Project
from tests.integration.plugins import install

MODULE = """
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def {packages}():
    return {{"vip": os.path.join(HERE, "vip", "flow.yaml"), "vip.extra": os.path.join(HERE, "extra.yaml")}}


class Upper:
    def __init__(self, body, srcdir, shell):
        self.body, self.srcdir, self.shell = body, srcdir, shell

    async def __call__(self, ctxt, input):
        ctxt.create(os.path.join(input.rundir, "out"), self.body.upper())
        with open(os.path.join(input.rundir, "how"), "w") as file:
            file.write(f"{{self.shell}} {{self.srcdir}}")


def {shells}():
    return {{"upper": Upper}}
"""
VIP = """
package:
  name: vip
  with: {level: {type: int, value: 3}}
  tasks:
  - {export: Sim, with: {seed: {type: int, value: 1}}, run: "echo $DFM_PARAM_SEED ${{ level }} ${{ srcdir }} > out"}
  - {export: deep, uses: vip.extra.Base}
"""
EXTRA = "package: {name: vip.extra, tasks: [{export: Base, run: 'echo extra > out'}]}"


@pytest.fixture(params=["dfm", "dvfm"])
def names(request: pytest.FixtureRequest) -> dict[str, str]:
    """Of the functions: today's, and the older ones."""
    return {"packages": f"{request.param}_packages", "shells": f"{request.param}_shells"}


def vip(project: Project, names: dict[str, str]) -> Path:
    install(project, "vip-lib", MODULE.format(**names), "[dv_flow.mgr]\nvip = vip_lib\n")
    project.write("site/extra.yaml", EXTRA)
    return project.write("site/vip/flow.yaml", VIP).parent


@pytest.mark.parametrize("imports", ["", "  imports: [vip]\n", "  imports: [{name: vip, as: v}]\n"])
def test_packages_of_plugins_need_no_import(
    anywhere: Project, imports: str, names: dict[str, str]
) -> None:
    folder = vip(anywhere, names)
    anywhere.flow(
        f"{imports}  tasks:\n  - {{root: t, needs: [mine, vip.deep]}}\n"
        "  - {name: mine, uses: vip.Sim, with: {seed: 7}}\n"
    )
    level = 5 if imports else 3
    words = ("run", "t", "-D", f"vip.level={level}")
    anywhere.ok(*words)
    assert anywhere.read("rundir/p.mine/out") == f"7 {level} {folder}\n"
    assert anywhere.read("rundir/vip.deep/out") == "extra\n"
    assert anywhere.ok(*words).counts()["up-to-date"] == 3


def test_a_name_that_is_computed_finds_them_too(anywhere: Project, names: dict[str, str]) -> None:
    vip(anywhere, names)
    anywhere.flow(
        "  with: {kind: {type: str, value: vip.extra}}\n"
        '  tasks:\n  - {root: t, uses: "${{ kind }}.Base"}\n  - {root: u, uses: "vip.${{ \'Sim\' }}"}\n'
    )
    anywhere.ok("run", "t")
    anywhere.ok("run", "u")
    assert anywhere.read("rundir/p.t/out") == "extra\n"


def test_overrides_find_them_too(project: Project, names: dict[str, str]) -> None:
    vip(project, names)
    tasks = "  tasks: [{root: t, needs: [slow]}, {name: slow, run: 'exit 1'}]\n"
    project.flow(f"  overrides: {{slow: vip.deep}}\n{tasks}")
    assert project.ok("run", "t").executed() == {"vip.deep", "p.t"}
    project.flow(tasks)
    assert "vip.Sim" in project.ok("run", "t", "--override", "p.slow=vip.Sim").executed()


def test_what_nobody_refers_to_is_not_read(project: Project, names: dict[str, str]) -> None:
    folder = vip(project, names)
    folder.joinpath("flow.yaml").write_text("package: [")
    project.flow("  imports: [vip.extra]\n  tasks: [{root: t, needs: [vip.extra.Base]}]\n")
    project.ok("run", "t")
    project.flow("  tasks: [{root: t, needs: [vip.Sim]}]\n")
    done = project.dfm("run", "t")
    assert done.status == 2
    assert "vip/flow.yaml:2:1: " in done.err
    assert "Traceback" not in done.err


def test_faults_in_what_is_not_used_of_a_plugin_do_not_matter(
    project: Project, names: dict[str, str]
) -> None:
    folder = vip(project, names)
    text = VIP + "  - {name: old, needs: [gone], run: '${{ nope }}'}\n"
    folder.joinpath("flow.yaml").write_text(text)
    project.flow("  tasks: [{root: t, needs: [vip.Sim]}, {name: u, needs: [vip.old]}]\n")
    project.ok("run", "t")
    done = project.dfm("run", "u")
    assert "vip.old needs `gone`, and there is no such task" in done.err
    assert "flow.yaml:8:" in done.err


def test_a_shell_of_a_plugin_runs_the_script(anywhere: Project, names: dict[str, str]) -> None:
    vip(anywhere, names)
    anywhere.flow(
        "  with: {w: {type: str, value: word}}\n  tasks:\n"
        '  - {root: t, shell: upper, run: "a ${{ w }} in ${{ rundir }}"}\n'
    )
    anywhere.ok("run", "t")
    folder = anywhere.folder
    assert anywhere.read("rundir/p.t/out") == f"A WORD IN {folder}/RUNDIR/P.T".replace(
        str(folder), str(folder).upper()
    )
    assert anywhere.read("rundir/p.t/how") == f"upper {folder}"
    assert anywhere.ok("run", "t").counts()["up-to-date"] == 1
    anywhere.ok("run", "t", "-D", "w=other")
    assert "A OTHER IN" in anywhere.read("rundir/p.t/out")


def test_a_plugin_that_fails_is_named_where_something_is_missing(project: Project) -> None:
    install(project, "bad", "import no_such", "[dv_flow.mgr]\nbad = bad\n")
    project.flow("  tasks: [{root: t, needs: [vip.Sim]}, {root: u, run: 'true'}]")
    done = project.dfm("run", "u")
    assert done.status == 2
    assert "p.t needs `vip.Sim`, and there is no such task" in done.err
    assert "dv_flow.mgr plugin `bad` (bad 1.0) is broken: ModuleNotFoundError" in done.err
    assert "Traceback" not in done.err
    project.flow("  imports: [vip]\n  tasks: [{root: u, run: 'true'}]")
    assert "plugin `bad` (bad 1.0) is broken" in project.dfm("run", "u").err
    project.flow("  tasks: [{root: u, shell: vip, run: 'true'}]")
    done = project.dfm("run", "u")
    assert "`vip` is not one of bash, shell, csh, tcsh, pytask" in done.err
    assert "plugin `bad` (bad 1.0) is broken" in done.err
    project.flow("  tasks: [{root: u, run: 'true'}]")
    assert "broken" not in project.ok("run", "u").err, "nothing is missing, nobody is asked"


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("def dfm_packages(): return 1", "TypeError"),
        ("def dfm_packages(): return {'a': 3}", "its package `a` has no path, but 3"),
        ("def dfm_shells(): return {'a': 3}", "its shell `a` is no class, but 3"),
        ("raise SystemExit('no licence')", "no licence"),
    ],
)
def test_what_a_plugin_brings_wrongly_is_named(project: Project, module: str, why: str) -> None:
    install(project, "bad", module, "[dv_flow.mgr]\nbad = bad\n")
    project.flow("  imports: [a]\n")
    assert why in project.dfm("run").err
