"""Sections 30.3 and 31.7: tasks that a task makes while the flow runs."""

import pytest

from tests.integration.conftest import Project

FLOW = """
  with: {word: {type: str, value: one}}
  types:
  - {name: Note, uses: std.DataItem, with: {text: {type: str}}}
  tasks:
  - {name: src, uses: std.CreateFile, with: {filename: a.txt, content: "${{ word }}"}}
  - name: Note_it
    with: {n: {type: int, value: 1}, bad: {type: bool}}
    consumes: [{type: std.FileSet}, {type: p.Note}]
    run: |
      [ "$DFM_PARAM_BAD" = false ] || exit 4
      seen=$(grep -o '"text": "[^"]*"\\|"a.txt"' "$DFM_INPUTS" | tr -d '"' | tr '\\n' ' ')
      dfm-out item --type p.Note "text=$DFM_PARAM_N after ${seen}in ${{ word }}"
  - name: pair
    body:
    - {name: one, uses: Note_it, with: {n: 8}}
    - {name: two, uses: Note_it, needs: [one], with: {n: 9}}
  - name: specs
    with: {bad: {type: bool}}
    shell: pytask
    run: |
      from dv_flow.mgr import TaskDataResult
      def spec(name, needs, task_type="p.Note_it", **params):
          return ctxt.mkDataItem("std.TaskRunSpec", task_type=task_type, task_name=name,
                                 params=params, needs=needs)
      return TaskDataResult(output=[
          spec("first", ["src"], n=2), spec("", ["first"], n=3, bad=input.params.bad),
          spec("both", [], "p.pair"),
      ])
  - {root: go, uses: std.RunTasks, needs: [src, specs]}
  - {root: alone, uses: std.RunTasks, needs: [specs]}
"""
TEXTS = ["2 after a.txt in one", "3 after text: 2 after a.txt in one in one"]


def texts(project: Project, node: str, src: str) -> list[str]:
    items = project.record(node)["output"]["output"]
    return [item["text"] for item in items if item["type"] == "p.Note" and item["src"] == src]


def test_items_say_which_tasks_to_run(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.ok("run", "go")
    found = texts(anywhere, "p.go", "p.go")
    assert found[:2] == TEXTS
    assert found[2].startswith("9 after text: 8 after")
    assert anywhere.record("p.go/first")["needs"] == ["p.src"]
    assert anywhere.record("p.go/anon_2")["needs"] == ["first"]
    assert anywhere.record("p.go/both/p.pair.two")["result"]["status"] == 0
    passed = [item["type"] for item in anywhere.record("p.go")["output"]["output"]]
    assert passed[:4] == ["std.FileSet", *["std.TaskRunSpec"] * 3], "all pass on"


def test_the_values_of_the_command_line_hold_for_them_too(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.ok("run", "go", "-D", "word=two")
    assert texts(anywhere, "p.go", "p.go")[0] == "2 after a.txt in two"


def test_one_that_fails_fails_the_task_that_made_it(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    done = anywhere.dfm("run", "go", "-D", "specs.bad=true")
    assert done.status == 1
    assert f"anon_2: status 4; see {anywhere.folder}/rundir/p.go/subgraph.log" in done.out
    assert texts(anywhere, "p.go", "p.go")[0] == TEXTS[0], "what the others made is not lost"
    anywhere.ok("run", "go")


def test_a_task_that_one_of_them_needs_must_have_run(project: Project) -> None:
    project.flow(FLOW)
    done = project.dfm("run", "alone")
    assert done.status == 1
    assert "p.src is needed by a task that was made, and has not run" in done.out
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('"p.Note_ti"', "anon_1: no task `p.Note_ti` to make it from (did you mean `Note_it`"),
        ('"p.Note_it", m=1', "anon_1: p.Note_it has no parameter `m` (known are `bad`, `n`)"),
        ('"p.Note_it", needs=["nothing"]', "anon_1 needs `nothing`, which is neither of its batch"),
    ],
)
def test_what_is_not_there_is_named(project: Project, call: str, said: str) -> None:
    project.flow(
        FLOW + "  - root: sub\n    shell: pytask\n    run: |\n"
        f"      await ctxt.run_subgraph([ctxt.mkTaskNode({call})])\n"
    )
    done = project.dfm("run", "sub")
    assert done.status == 1
    assert said.partition(" (")[0] in done.out


SUBGRAPH = (
    FLOW
    + """
  - root: sub
    needs: [src]
    shell: pytask
    run: |
      a = ctxt.mkTaskNode("p.Note_it", name="a", n=5, needs=["src"])
      b = ctxt.mkTaskNode("p.Note_it", name="b", n=6, needs=[a])
      outs = await ctxt.run_subgraph([b, a])
      for out in outs:
          print([item.text for item in out.output], out.changed, out.dep_m)
      one = await ctxt.run_subgraph(ctxt.mkTaskNode("p.Note_it", name="c"))
      print(one.output[0].text)
      try:
          await ctxt.run_subgraph([ctxt.mkTaskNode("p.Note_it", name="d", bad=True)])
      except RuntimeError as error:
          print(str(error).partition(";")[0], [o.type for o in error.outputs[0].output])
"""
)


def test_a_python_task_runs_nodes_and_gets_their_outputs(anywhere: Project) -> None:
    anywhere.flow(SUBGRAPH)
    done = anywhere.ok("run", "sub")
    assert [line for line in done.out.splitlines() if "after" in line or "status" in line] == [
        "['6 after text: 5 after a.txt in one in one'] True {'b': ['a']}",
        "['5 after a.txt in one'] True {'a': ['p.src']}",
        "1 after in one",
        "d: status 4 ['std.TaskFailure']",
    ]


def test_a_batch_that_takes_too_long_is_ended(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - {name: Slow, run: 'sleep 1000'}\n"
        "  - root: go\n"
        "    shell: pytask\n"
        "    run: |\n"
        "      try:\n"
        "          await ctxt.run_subgraph([ctxt.mkTaskNode('p.Slow', name='s')], timeout=0.5)\n"
        "      except TimeoutError:\n"
        "          print('ended')\n"
    )
    assert "ended" in anywhere.ok("run", "go").out.splitlines()


def test_made_tasks_may_be_loops_and_judge_their_bodies(anywhere: Project) -> None:
    anywhere.flow(
        "  types: [{name: N, uses: std.DataItem, with: {n: {type: int}}}]\n"
        "  tasks:\n"
        "  - name: loop\n"
        "    control: {type: repeat, count: 4, until: 'state.n == 1'}\n"
        "    body:\n"
        "    - {name: b, run: 'dfm-out item --type p.N n:=${{ _iter }}; touch ../../../../iter${{ _iter }}'}\n"
        "  - name: judged\n"
        "    on_error: 'judge:forgive'\n"
        "    body: [{name: x, run: 'exit 3'}, {name: y, run: 'dfm-out item --type p.N n:=9'}]\n"
        "  - name: specs\n"
        "    run: |\n"
        "      dfm-out item --type std.TaskRunSpec task_type=p.loop task_name=one\n"
        "      dfm-out item --type std.TaskRunSpec task_type=p.judged task_name=two\n"
        "  - {root: go, needs: [specs], uses: std.RunTasks}\n"
    )
    anywhere.write("judge.py", "def forgive(ctxt, input):\n    return None\n")
    done = anywhere.ok("run", "go")
    assert "Traceback" not in done.out
    output = anywhere.record("p.go")["output"]["output"]
    numbers = [item["n"] for item in output if item["type"] == "p.N"]
    assert numbers == [1, 9], "of a loop what its last iteration has emitted"
    assert sorted(path.name for path in anywhere.folder.glob("iter*")) == ["iter0", "iter1"]
