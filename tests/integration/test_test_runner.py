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


CASES = """
  with: {bad: {type: str, value: pop}}
  tasks:
  - {name: image, run: 'true', produces: [{type: std.FileSet, filetype: simDir}]}
  - {name: reset, tags: [std.Test], needs: [image], run: 'true'}
  - name: fifo
    tags: [std.TestSuite]
    needs: [image]
    strategy: {matrix: {name: [push, pop], view: [rtl, gls]}}
    body:
    - {name: pre, run: 'true'}
    - {name: t, needs: [pre], run: 'test ${{ matrix.name }}-${{ matrix.view }} != ${{ bad }}-gls'}
  - {name: whole, tags: [std.Test], body: [{name: in1, run: 'true'}, {name: in2, needs: [in1], run: 'exit 1'}]}
  - {name: after, tags: [std.Test], needs: [whole], run: 'true'}
  - {name: sanity, uses: std.TestSuite, needs: [reset, whole, after]}
  - {root: tests, uses: std.TestRunner, needs: [sanity, fifo]}
  - {root: info, uses: std.TestInfo}
"""


def of_cases(out: str) -> list[str]:
    """The lines about tests, before those of the tasks."""
    lines = out.split("\n")
    end = next(number for number, line in enumerate(lines) if line.startswith("tests: "))
    begin = end
    while lines[begin - 1].startswith(("passed ", "FAILED ", "not run", "   ")):
        begin -= 1
    return [" ".join(line.split()) for line in lines[begin : end + 1]]


def test_the_summary_says_how_each_test_went(anywhere: Project) -> None:
    anywhere.flow(CASES)
    expected = [
        "passed sanity.reset", "FAILED sanity.whole", "not run sanity.after", "passed fifo.push",
        "FAILED fifo.pop (1 of 2: gls)", "tests: 2 passed, 2 failed, 1 not run",
    ]  # fmt: skip
    assert of_cases(anywhere.dfm("run", "tests", "-k").out) == expected
    again = anywhere.dfm("run", "tests", "-k", "--summary-file", "summary.txt")
    assert of_cases(again.out) == expected, "what is up to date has passed, too"
    assert "tests: 2 passed" in anywhere.read("summary.txt")


def test_detail_says_less_or_more(project: Project) -> None:
    project.flow(CASES)
    quiet = project.dfm("run", "tests", "-k", "--detail", "quiet")
    assert of_cases(quiet.out) == ["tests: 2 passed, 2 failed, 1 not run"]
    full = of_cases(project.dfm("run", "tests", "-k", "--detail", "full").out)
    at = full.index("FAILED fifo.pop (1 of 2: gls)")
    assert full[at + 1].startswith("rtl: passed, ")
    assert full[at + 2].startswith("gls: FAILED, ")
    assert full[at + 3] == "log: rundir/p.fifo.t_1_1/p.fifo.t_1_1.log"


def test_only_chosen_tests_are_in_the_summary(project: Project) -> None:
    project.flow(CASES)
    done = project.ok("run", "tests", "--tests", "fifo.", "--views", "rtl")
    assert of_cases(done.out) == [
        "passed fifo.push", "passed fifo.pop", "tests: 2 passed, 0 failed, 0 not run",
    ]  # fmt: skip


def test_the_list_names_what_tests_require_and_what_builds_it(project: Project) -> None:
    project.flow(CASES)
    words = ["run", "info", "--requires", "std.FileSet:filetype=simDir", "--tests", "fifo.,reset"]
    data = json.loads(project.ok(*words, "--json").out)
    assert [test["requires"] for test in data["tests"]] == [["p.image"]] * 3
    (producer,) = data["producers"]
    assert producer == {"name": "p.image", "tests": [".sanity.reset", ".fifo.push", ".fifo.pop"]}
    done = project.ok(*data["build"]["argv"])
    assert done.executed() == {"p.image", "p.tests"}
    text = project.ok("run", "info", "--requires", "filetype=simDir").out
    assert "sanity.reset  p.reset  requires p.image" in text
    assert "requires nothing that is declared" in text
