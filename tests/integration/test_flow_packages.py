"""Sections 6, 7, 22 and 23 as a user meets them; the same here and on a daemon."""

from tests.integration.conftest import Project

FLOW = """\
  with: {kind: {type: str, value: plain}}
  imports:
  - {from: "${{ env.IPS }}/uart", as: u, with: {width: 16}}
  fragments: [sim/flow.yaml]
  overrides: {p.lint: {run: "echo stub > out"}}
  tasks:
  - {root: all, needs: [u.rtl, sim.run, lint], run: "cat $DFM_INPUTS > inputs"}
  - {name: lint, run: "exit 1"}
  configs:
  - name: wide
    with: {kind: wide}
    extensions: [{task: u.rtl, with: {flags: {append: [more]}}}]
    tasks: [{override: sim.run, run: "echo other ${{ kind }} > out"}]
"""
UART = """
package:
  name: uart
  uses: base
  imports: [../base]
  with: {width: 1}
  tasks:
  - {override: rtl, with: {flags: [a]}}
"""
BASE = """
package:
  name: base
  with: {width: {type: int, value: 8}}
  tasks:
  - name: rtl
    scope: export
    with: {flags: {type: list, value: []}}
    run: |
      echo ${{ width }} "$DFM_PARAM_FLAGS" ${{ srcdir }} > out
      dfm-out fileset --filetype text out
"""
SIM = "fragment: {name: sim, tasks: [{name: run, run: 'echo ${{ kind }} $DFM_SRCDIR > out'}]}"


def write(project: Project) -> None:
    project.flow(FLOW)
    project.write("ips/uart/flow.yaml", UART)
    project.write("ips/base/flow.yaml", BASE)
    project.write("sim/flow.yaml", SIM)
    project.environment["IPS"] = str(project.folder / "ips")


def test_a_flow_of_many_files_runs(anywhere: Project) -> None:
    write(anywhere)
    anywhere.ok("run", "all")
    folder = anywhere.folder
    assert anywhere.read("rundir/uart.rtl/out") == f'16 ["a"] {folder}/ips/base\n'
    assert anywhere.read("rundir/p.sim.run/out") == f"plain {folder}/sim\n"
    assert anywhere.read("rundir/p._override_0/out") == "stub\n"
    assert '"src": "uart.rtl"' in anywhere.read("rundir/p.all/inputs")
    assert anywhere.ok("run", "all").counts()["up-to-date"] == 4


def test_configurations_and_the_command_line_change_it(anywhere: Project) -> None:
    write(anywhere)
    anywhere.ok("run", "all", "-c", "wide", "-D", "uart.width=2")
    assert anywhere.read("rundir/uart.rtl/out").startswith('2 ["a","more"]')
    assert anywhere.read("rundir/p.sim.run/out") == "other wide\n"
    done = anywhere.ok("run", "all", "--override", "uart.rtl=p.sim.run")
    assert "uart.rtl" not in done.executed()


def test_packages_are_found_by_maps_on_the_command_line_and_in_the_environment(
    project: Project,
) -> None:
    write(project)
    project.flow("  imports: [{name: uart}]\n  tasks: [{root: all, needs: [uart.rtl]}]\n")
    text = (
        "package-map:\n  version: 1\n  packages:\n"
        "  - {name: uart, path: ips/uart}\n  - {name: base, path: ips/base/flow.yaml}\n"
    )
    file = str(project.write("map.yaml", text))
    failed = project.dfm("run", "all")
    assert failed.status == 2
    assert "flow.yaml:3:20: import `uart` not found" in failed.err
    project.ok("run", "all", "--package-map", "map.yaml")
    project.ok("--package-map", "map.yaml", "run", "all")
    project.ok("run", "all", DV_FLOW_PACKAGE_MAP=file)
    project.ok("run", "all", DV_FLOW_PATH=str(project.folder / "ips"))
    missing = project.dfm("run", "all", "--package-map", "no.yaml")
    assert missing.status == 2
    assert "no package map" in missing.err
    assert not project.folder.joinpath("rundir/p.none").exists()


def test_faults_of_all_files_are_printed_with_their_places_and_nothing_runs(
    project: Project,
) -> None:
    write(project)
    project.write("sim/flow.yaml", SIM.replace("run: 'echo", "rnu: 'echo"))
    project.write("ips/base/flow.yaml", BASE.replace("width", "wdith", 1))
    done = project.dfm("run", "all")
    assert done.status == 2
    assert "sim/flow.yaml:1:43: a task has no field `rnu`" in done.err
    assert "ips/base/flow.yaml:10:16" in done.err
    assert "Traceback" not in done.err
    assert not (project.folder / "rundir").exists()
    unknown = project.dfm("run", "all", "--override", "p.all")
    assert unknown.status == 2
