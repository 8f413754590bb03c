"""Section 31.8 from the command line: chosen tests run, and lists are for programs to read."""

import json

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {name: image, run: 'true'}
  - {name: reset, tags: [std.Test], needs: [image], run: 'true'}
  - {name: boot, tags: [std.Test], needs: [image], run: 'true'}
  - {name: sanity, uses: std.TestSuite, needs: [reset, boot]}
  - {root: tests, uses: std.TestRunner, needs: [sanity]}
  - {root: info, uses: std.TestInfo}
"""


def test_chosen_tests_run_and_others_do_not(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    done = anywhere.ok("run", "tests", "-D", "tests.tests=sanity.reset")
    assert done.executed() == {"p.image", "p.reset", "p.sanity", "p.tests"}
    rest = anywhere.ok("run", "tests")
    assert "p.boot" in rest.executed()
    assert "p.reset" not in rest.executed(), "it is up to date"


def test_a_list_is_all_that_is_printed(project: Project) -> None:
    project.flow(FLOW)
    done = project.ok("run", "info", "-D", "info.format=list")
    assert (done.out, done.err) == (".sanity.reset\n.sanity.boot\n", "")
    data = json.loads(project.ok("run", "info", "-D", "info.json=true").out)
    assert data == json.loads(project.read("rundir/p.info/tests-info.json"))
    assert [test["path"] for test in data["tests"]] == ["sanity.reset", "sanity.boot"]


def test_a_choice_of_nothing_runs_nothing(project: Project) -> None:
    project.flow(FLOW)
    done = project.dfm("run", "tests", "-D", "tests.tests=rest")
    assert done.status == 2
    assert done.err == "dfm: p.tests: no test matches `rest`\n     did you mean `reset`?\n"
    assert not (project.folder / "rundir").exists()
