"""`inputs` and `memento` in a flow, locally and on a daemon (section 15.7)."""

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {name: a, run: 'echo >a.v; dfm-out fileset --filetype v a.v'}
  - {name: b, run: 'echo >b.v; dfm-out fileset --filetype v b.v'}
  - root: t
    needs: [a, b]
    with: {names: {type: list, value: "${{ inputs | basenames }}"}}
    run: |
      echo ${{ names | length }} $DFM_PARAM_NAMES "${{ memento.n if memento else 'none' }}" >> out
      echo '{"n": ${{ names | length }}}' > $DFM_MEMENTO_OUT
  - {root: bad, needs: [a], run: "echo ${{ inputs[5] }}"}
"""


def test_they_are_evaluated_just_before_the_task(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.ok("run", "t")
    assert anywhere.read("rundir/p.t/out") == '2 ["a.v","b.v"] none\n'
    assert anywhere.record("p.t")["params"] == {"names": ["a.v", "b.v"]}
    anywhere.ok("run", "t")
    assert anywhere.read("rundir/p.t/out").splitlines()[1:] == ['2 ["a.v","b.v"] 2']
    assert anywhere.ok("run", "t").executed() == set()


def test_a_fault_then_is_a_failure_of_the_task(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    done = anywhere.dfm("run", "bad")
    assert done.status == 1
    assert "index 5 is out of range" in done.out
