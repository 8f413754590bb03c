"""Options that a flow declares, at the prompt."""

from tests.integration.conftest import Project

FLOW = """
  with: {site: {type: str, value: lab, cli: true, doc: where it is}}
  tasks:
  - root: sim
    desc: Simulate
    doc: With the simulator of the site.
    with:
      seed: {type: int, value: 1, cli: {short: s}, doc: the seed}
      view: {type: str, value: rtl, cli: true, values: [rtl, gate]}
      secret: {type: str, cli: {hidden: true}}
      jobs: {type: int, cli: {name: report}}
    run: echo $DFM_PARAM_SEED ${{ seed }} ${{ site }} > out
"""


def test_the_values_reach_script_and_environment(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.ok("run", "-v", "sim", "--seed", "4", "-j", "2", "--site", "home")
    assert anywhere.read("rundir/p.sim/out") == "4 4 home\n"
    assert anywhere.ok("run", "sim", "-s4", "--site=home").executed() == set()


def test_help_of_a_task_has_its_options_and_those_of_the_project(project: Project) -> None:
    project.flow(FLOW)
    out = project.ok("run", "sim", "-h").out
    assert "Simulate" in out
    assert "With the simulator of the site." in out
    assert "-s, --seed INT  the seed [default: 1]" in out
    assert "[one of: rtl, gate]" in out
    assert "--site STR  where it is [default: lab]" in out
    assert "secret" not in out
    assert "--keep-going" in project.ok("run", "-h").out
    assert project.dfm("run", "smi", "-h").status == 2
    assert not (project.folder / "rundir").exists()


def test_the_list_of_tasks_has_the_options_of_the_project(project: Project) -> None:
    project.flow(FLOW)
    assert "project options:\n  --site STR" in project.ok("run").out


def test_an_unknown_flag_runs_nothing(project: Project) -> None:
    project.flow(FLOW)
    done = project.dfm("run", "sim", "--sede", "4")
    assert done.status == 2
    assert "did you mean `--seed`" in done.err
    assert not (project.folder / "rundir").exists()
