"""Parameters as options of `dfm run TASK` (section 14.4)."""

from collections.abc import Sequence
from typing import Any

import pytest

from dfm.errors import UsageError
from dfm.flow.load import Flow, Options, load
from tests.dfm.flow.conftest import RUNDIR, Project

FLOW = """
with:
  site: {type: str, value: lab, cli: true, values: [lab, home]}
  plain: {type: str}
tasks:
- name: sim
  with:
    seed: {type: int, value: 1, cli: {short: s}}
    rate: {type: float, cli: true}
    waves: {type: bool, cli: {name: with-waves}}
    tests: {type: list, value: [a], cli: true}
    secret: {type: str, cli: {hidden: true}}
    view: {type: str, value: rtl, cli: true, values: [rtl, gate]}
    where: {type: str, value: "${{ site }}-${{ seed }}"}
    closed: {type: str}
- {name: other, with: {seed: {type: int, cli: true}}}
- {name: quiet, uses: sim, with: {seed: {cli: false}}}
- {name: derived, uses: sim, with: {seed: 9}}
"""


def loaded(project: Project, *words: str, D: Sequence[str] = (), fields: str = FLOW) -> Flow:
    return load(Options(str(project.write(fields)), definitions=D, words=words), {})


def params(project: Project, *words: str, D: Sequence[str] = ()) -> dict[str, Any]:
    flow = loaded(project, *words, D=D)
    graph = flow.graph(flow.goals, RUNDIR)
    return graph.nodes[graph.goals[0]].params


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--seed", "0x20"], "seed", 32),
        (["--seed=3"], "seed", 3),
        (["-s", "3"], "seed", 3),
        (["-s3"], "seed", 3),
        (["--seed", "-3"], "seed", -3),
        (["--rate", "2.5"], "rate", 2.5),
        (["--with-waves"], "waves", True),
        (["--with-waves=no"], "waves", False),
        (["--tests", "x,y", "--tests", "z"], "tests", ["x", "y", "z"]),
        (["--secret", "x"], "secret", "x"),
        (["--view", "gate"], "view", "gate"),
        (["--site", "home"], "where", "home-1"),
        (["--seed", "4"], "where", "lab-4"),
        (["--sim.seed", "4"], "seed", 4),
    ],
)
def test_a_flag_sets_its_parameter(
    project: Project, words: list[str], name: str, value: object
) -> None:
    assert params(project, "sim", *words)[name] == value


def test_a_flag_wins_over_a_definition(project: Project) -> None:
    assert params(project, "sim", "--seed", "4", D=["seed=5", "sim.seed=6"])["seed"] == 4


def test_project_options_stand_anywhere(project: Project) -> None:
    assert params(project, "--site", "home", "sim")["where"] == "home-1"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["sim", "--sede", "1"], "no option --sede: neither sim nor the project declares it"),
        (["sim", "--see", "1"], "no option --see: "),  # no abbreviations
        (["quiet", "--seed", "1"], "no option --seed: neither quiet nor"),
        (["sim", "--closed", "1"], "no option --closed"),
        (["sim", "--seed", "x"], "--seed x: must be an integer"),
        (["sim", "--rate", "x"], "--rate x: must be a number"),
        (["sim", "--view", "x"], "--view x: accepted are rtl, gate"),
        (["sim", "--site", "x"], "--site x: accepted are lab, home"),
        (["sim", "--seed"], "--seed needs a value"),
        (["sim", "other", "--seed", "1"], "--seed may be meant for one of several tasks"),
        (["--seed", "1", "sim"], "neither `dfm run` nor the project has an option --seed"),
    ],
)
def test_what_no_flag_can_be_is_wrong_usage(project: Project, words: list[str], fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(project, *words)
    assert fault in caught.value.problems[0].what


def test_of_several_tasks_a_flag_names_its_own(project: Project) -> None:
    flow = loaded(project, "sim", "other", "--other.seed", "7", "--demo.sim.seed", "8")
    graph = flow.graph(flow.goals, RUNDIR)
    assert [graph.nodes[number].params["seed"] for number in graph.goals] == [8, 7]


def test_flags_are_inherited_until_they_are_taken_away(project: Project) -> None:
    assert params(project, "derived", "--seed", "4")["seed"] == 4
    assert params(project, "derived")["seed"] == 9


@pytest.mark.parametrize(
    ("cli", "fault"),
    [("{short: ab}", "`short` is one letter"), ("x", "`cli` must be a map")],
)
def test_wrong_declarations_are_faults(project: Project, cli: str, fault: str) -> None:
    (said,) = project.faults(f"tasks: [{{name: t, with: {{p: {{type: str, cli: {cli}}}}}}}]")
    assert fault in said
