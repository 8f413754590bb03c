"""`control`: branches and loops (section 20 of the language), here and through a daemon."""

import json

import pytest

from tests.integration.conftest import Project

TYPES = """
  types:
  - {name: N, uses: std.DataItem, with: {n: {type: int}, deep: {type: map}}}
"""
# A script in a text with double quotes.
COUNT = "echo '{#type#: #p.N#, #n#: '${{ _iter }}'}' > $DFM_OUTPUT".replace("#", '\\"')


def emitted(project: Project, node: str) -> list[object]:
    output = project.record(node)["output"]["output"]
    return [item.get("n", item["type"]) for item in output]


IF = (
    TYPES
    + """
  with: {go: {type: bool, value: true}}
  tasks:
  - {name: src, uses: N, with: {n: 4}}
  - root: t
    needs: [src]
    control:
      type: if
      cond: "%s"
      else:
      - {name: otherwise, uses: N, with: {n: 20}}
    body:
    - {name: then, uses: N, with: {n: 10}}
"""
)


@pytest.mark.parametrize(
    ("cond", "n"),
    [
        ("${{ in.n > 3 }}", 10),
        ("in.n > 4", 20),
        ("${{ go }}", 10),
        ("${{ !go }}", 20),
        ("in.n == 4 && p.go", 10),
    ],
)
def test_an_if_does_one_branch(project: Project, cond: str, n: int) -> None:
    project.flow(IF % cond)
    project.ok("run", "t")
    assert emitted(project, "p.t") == [n]
    done = {path.name for path in (project.folder / "rundir/p.t").iterdir()}
    assert ("p.t.then" in done) == (n == 10)
    assert ("p.t.otherwise_else" in done) == (n == 20)


def test_without_a_branch_the_inputs_pass_through(project: Project) -> None:
    project.flow((IF % "false").replace("- {name: otherwise, uses: N, with: {n: 20}}", ""))
    project.ok("run", "t")
    assert emitted(project, "p.t") == [4]


MATCH = (
    TYPES
    + """
  tasks:
  - {name: src, uses: N, with: {n: %d}}
  - root: t
    needs: [src]
    control:
      type: match
      cases:
      - {when: "in.n == 1", body: [{name: a, uses: N, with: {n: 10}}]}
      - {when: "in.n < 3", body: [{name: a, uses: N, with: {n: 20}}, {name: b, needs: [a], passthrough: all}]}
      - {default: true, body: [{name: a, uses: N, with: {n: 30}}]}
"""
)


@pytest.mark.parametrize(("n", "found"), [(1, [10]), (2, [20]), (3, [30])])
def test_a_match_does_the_first_case_that_is_true(
    project: Project, n: int, found: list[int]
) -> None:
    project.flow(MATCH % n)
    project.ok("run", "t")
    assert emitted(project, "p.t") == found


def loop(control: str, run: str = COUNT) -> str:
    return (
        TYPES
        + f"""
  tasks:
  - {{name: src, uses: N, with: {{n: 7}}}}
  - root: t
    needs: [src]
    control: {control}
    body:
    - {{name: b, run: "{run}"}}
"""
    )


@pytest.mark.parametrize(
    ("control", "n", "times"),
    [
        ("{type: repeat, count: 3}", 2, 3),
        ("{type: repeat, count: 5, until: 'state.n == 1'}", 1, 2),
        ("{type: repeat, count: 0}", 7, 0),
        ("{type: while, cond: 'state.n < 2', max_iter: 9, state: {init: {n: 0}}}", 2, 3),
        ("{type: while, cond: 'in.n == 7', max_iter: 4}", 3, 4),
        ("{type: while, cond: 'false', max_iter: 4}", 7, 0),
        ("{type: while, cond: '_iter < _max_iter - 1', max_iter: 3}", 1, 2),
        ("{type: do-while, until: 'true', max_iter: 4}", 0, 1),
        ("{type: do-while, until: 'state.n >= 2', max_iter: 9}", 2, 3),
        ("{type: do-while, until: 'false', max_iter: 2}", 1, 2),
    ],
)
def test_a_loop_ends_when_its_condition_says_so(
    project: Project, control: str, n: int, times: int
) -> None:
    project.flow(loop(control))
    project.ok("run", "t")
    assert emitted(project, "p.t") == [n], "what the last iteration emitted, or the inputs"
    done = [path.name for path in (project.folder / "rundir/p.t").glob("p.t.b_*")]
    assert sorted(done) == [f"p.t.b_{number}" for number in range(times)]


def test_an_item_that_breaks_ends_the_loop(project: Project) -> None:
    project.flow(loop("{type: repeat, count: 5}", COUNT.replace("'}'", r"', \"_break\": true}'")))
    project.ok("run", "t")
    assert len(emitted(project, "p.t")) == 1
    done = [path.name for path in (project.folder / "rundir/p.t").glob("p.t.b_*")]
    assert done == ["p.t.b_0"]


def test_the_next_iteration_gets_the_feedback(project: Project) -> None:
    item = r"{\"type\": \"p.N\", \"deep\": {\"type\": \"p.N\", \"n\": 42}}"
    run = f"cp $DFM_INPUTS seen; echo '{item}' > $DFM_OUTPUT"
    control = "{type: repeat, count: 2, state: {feedback: '${{ state.deep }}'}}"
    project.flow(loop(control, run))
    project.ok("run", "t")
    seen = [json.loads(project.read(f"rundir/p.t/p.t.b_{n}/seen")) for n in (0, 1)]
    assert [[item["n"] for item in items] for items in seen] == [[7], [42]]


def test_a_second_run_does_nothing_and_a_loop_is_the_same_everywhere(anywhere: Project) -> None:
    anywhere.flow(loop("{type: while, cond: 'state.n < 2', max_iter: 9, state: {init: {n: 0}}}"))
    anywhere.ok("run", "t")
    assert emitted(anywhere, "p.t") == [2]
    assert "nothing to do" in anywhere.ok("run", "t").out
    assert emitted(anywhere, "p.t") == [2]


def test_a_task_that_fails_ends_the_loop_and_fails_the_task(project: Project) -> None:
    project.flow(loop("{type: repeat, count: 5}", "test ${{ _iter }} != 1"))
    assert project.dfm("run", "t").status == 1
    done = sorted(path.name for path in (project.folder / "rundir/p.t").glob("p.t.b_*"))
    assert done == ["p.t.b_0", "p.t.b_1"]


def test_a_condition_that_cannot_be_computed_fails_the_task(project: Project) -> None:
    project.flow(loop("{type: while, cond: 'state.nope > 1', max_iter: 3}"))
    done = project.dfm("run", "t")
    assert done.status == 1
    assert "`control` of p.t: `state.nope` is not defined" in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_controls_may_stand_in_each_other(project: Project) -> None:
    project.flow(
        TYPES
        + """
  tasks:
  - root: t
    control: {type: repeat, count: 2}
    body:
    - name: i
      control: {type: if, cond: "_iter == 1"}
      body:
      - {name: y, run: "touch ../../../y${{ _iter }}"}
"""
    )
    project.ok("run", "t")
    found = sorted(path.name for path in (project.folder / "rundir").glob("y*"))
    assert found == ["y1"]


def test_bodies_in_a_loop_may_be_disabled_repeated_and_generated(project: Project) -> None:
    project.flow(
        """
  tasks:
  - {name: leaf, run: "true"}
  - root: t
    control: {type: if, cond: "1 == 2"}
    body:
    - {name: gone, iff: false, run: x}
    - {name: m, needs: [gone], strategy: {matrix: {x: [1, 2]}}, body: [{name: c, uses: leaf}]}
    - name: g
      strategy:
        generate:
          run: |
            ctxt.addTask(ctxt.mkTaskNode("p.leaf", name=ctxt.mkName("k")))
"""
    )
    project.ok("run", "t")
    assert not list(project.folder.rglob("p.*.log"))
    text = project.read("flow.yaml").replace("1 == 2", "1 == 1")
    project.write("flow.yaml", text)
    project.ok("run", "t")
    done = {path.name for path in project.folder.rglob("p.*.log")}
    assert done == {"p.t.m.c_0.log", "p.t.m.c_1.log", "p.t.g.k.log"}
