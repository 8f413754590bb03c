"""`dfm run TASK --needs OTHER` (section 37.1 of the language)."""

import json

from tests.integration.conftest import Project

FLOW = """
  types: [{name: N, uses: std.DataItem, with: {n: {type: int}}}]
  tasks:
  - {name: one, uses: N, with: {n: 1}}
  - {name: two, uses: N, with: {n: 2}}
  - {name: three, uses: N, with: {n: 3}}
  - {name: plain, needs: [one], run: 'cp $DFM_INPUTS ../../seen'}
  - {name: body, needs: [one], body: [{name: b, run: 'cp $DFM_INPUTS ../../../seen'}]}
  - {name: fam, strategy: {select: {axes: {a: [x, y]}}}, body: [{name: r, run: 'cp $DFM_INPUTS ../../seen'}]}
  - {name: circle, needs: [plain], run: 'true'}
"""


def seen(project: Project) -> list[int]:
    return [item["n"] for item in json.loads(project.read("seen"))]


def test_they_come_after_those_that_are_declared(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "plain", "--needs", "three", "--needs", "p.two", "--needs", "one")
    assert seen(project) == [1, 3, 2]
    project.ok("run", "plain")
    assert seen(project) == [1], "of that run only"


def test_compounds_and_variants_have_them_too(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "body", "--needs", "two")
    assert seen(project) == [1, 2]
    project.ok("run", "fam.y", "--needs", "three")
    assert seen(project) == [3]


def test_what_cannot_be_needed_is_said_and_nothing_runs(project: Project) -> None:
    project.flow(FLOW)
    unknown = project.dfm("run", "plain", "--needs", "thre")
    assert unknown.status == 2
    assert "did you mean `three`?" in unknown.err
    circle = project.dfm("run", "plain", "--needs", "circle")
    assert circle.status == 2
    assert "tasks need each other in a circle" in circle.err
    assert not (project.folder / "rundir").exists()
