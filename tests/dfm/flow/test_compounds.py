"""Section 18: tasks with a body."""

import pytest

from dfm.graph.node import Compound, Entry, Script
from tests.dfm.flow.conftest import Project

FLOW = """
tasks:
- {name: rtl}
- name: flow
  needs: [rtl]
  with: {mode: {type: str, value: fast}}
  body:
  - {name: compile, run: "mycc -m ${{ mode }}"}
  - {name: sim, needs: [compile], run: "mysim ${{ this.mode }}"}
"""


def test_names_and_folders_of_a_body(project: Project) -> None:
    assert project.graph(FLOW, "flow").rundirs == {
        "demo.rtl": "demo.rtl",
        "demo.flow": "demo.flow",
        "demo.flow.in": "demo.flow/demo.flow.in",
        "demo.flow.compile": "demo.flow/demo.flow.compile",
        "demo.flow.sim": "demo.flow/demo.flow.sim",
    }


def test_the_inputs_come_in_by_the_entry(project: Project) -> None:
    nodes = project.graph(FLOW, "flow")
    assert nodes["demo.flow.in"].work == Entry()
    assert nodes.needs("demo.flow.in") == ["demo.rtl"]
    assert nodes.needs("demo.flow.compile") == ["demo.flow.in"]
    assert nodes.needs("demo.flow.sim") == ["demo.flow.compile"]


def test_a_compound_waits_for_its_terminal_tasks(project: Project) -> None:
    nodes = project.graph(FLOW, "flow")
    assert nodes.needs("demo.flow") == ["demo.flow.sim"]
    assert nodes["demo.flow"].work == Compound(members=(), entry=nodes["demo.flow.in"].number)


def test_terminals_are_in_the_order_of_the_body(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: comp
          body:
          - {name: z}
          - {name: b, needs: [a]}
          - {name: a}
          - {name: y}
        """,
        "comp",
    )
    assert nodes.needs("demo.comp") == ["demo.comp.z", "demo.comp.b", "demo.comp.y"]


def test_the_parameters_of_the_compound_are_seen_bare_and_by_this(project: Project) -> None:
    nodes = project.graph(FLOW, "flow", D=["flow.mode=slow"])
    assert nodes.script("demo.flow.compile") == "mycc -m slow"
    assert nodes.script("demo.flow.sim") == "mysim slow"
    assert nodes["demo.flow"].params == {"mode": "slow"}


def test_a_body_task_sees_its_own_parameter_first(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: comp
          with: {x: {type: int, value: 1}}
          body: [{name: a, run: "${{ x }}", with: {x: {type: int, value: "${{ this.x + 1 }}"}}}]
        """,
        "comp",
    )
    assert nodes.script("demo.comp.a") == "2"


def test_needs_outside_of_the_body_come_before_the_entry(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: f1}
        - {name: f2}
        - {name: comp, needs: [f1], body: [{name: a, needs: [f2]}, {name: b, needs: [a, f2]}]}
        """,
        "comp",
    )
    assert nodes.needs("demo.comp.a") == ["demo.f2", "demo.comp.in"]
    assert nodes.needs("demo.comp.b") == ["demo.comp.a", "demo.f2"]


@pytest.mark.parametrize("key", ["body", "tasks"])
def test_an_empty_body_makes_a_compound_that_emits_nothing(project: Project, key: str) -> None:
    nodes = project.graph(f"tasks:\n- {{name: a}}\n- {{name: t, needs: [a], {key}: []}}", "t")
    work = nodes["demo.t"].work
    assert isinstance(work, Compound)
    assert work.is_empty
    assert nodes.needs("demo.t") == ["demo.t.in"]


def test_tasks_is_another_word_for_body(project: Project) -> None:
    nodes = project.graph("tasks:\n- {name: t, tasks: [{name: a}, {name: b}]}", "t")
    assert nodes.needs("demo.t") == ["demo.t.a", "demo.t.b"]


def test_body_tasks_may_feed_siblings(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: t, body: [{name: a}, {name: b}, {name: c, feeds: [a]}]}", "t"
    )
    assert nodes.needs("demo.t.a") == ["demo.t.c"]
    assert nodes.needs("demo.t") == ["demo.t.a", "demo.t.b"]


def test_a_body_task_may_take_the_needs_of_a_sibling(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: t, body: [{name: a}, {name: b, needs: [a]}, {name: c, needs: [b.needs]}]}",
        "t",
    )
    assert nodes.needs("demo.t.c") == ["demo.t.a"]


def test_a_nested_compound_gets_the_inputs_like_any_body_task(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: src}
        - name: a
          needs: [src]
          body:
          - {name: b, body: [{name: c}]}
          - {name: d, needs: [b]}
        """,
        "a",
    )
    assert nodes.needs("demo.a.in") == ["demo.src"]
    assert nodes.needs("demo.a.b.in") == ["demo.a.in"]
    assert nodes.needs("demo.a.b.c") == ["demo.a.b.in"]
    assert nodes.needs("demo.a.d") == ["demo.a.b"]
    assert nodes["demo.a.b.c"].rundir == "demo.a/demo.a.b/demo.a.b.c"
    assert nodes["demo.a.b.in"].rundir == "demo.a/demo.a.b/demo.a.b.in"


def test_a_task_deep_inside_may_need_one_of_a_body_around(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: a
          body:
          - {name: x}
          - {name: b, body: [{name: c, needs: [x]}]}
        """,
        "a",
    )
    assert nodes.needs("demo.a.b.c") == ["demo.a.x", "demo.a.b.in"]


def test_inherited_body_tasks_are_named_after_the_base_in_a_folder_of_the_derived(
    project: Project,
) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: Flow
          with: {n: {type: int, value: 1}}
          body: [{name: compile, run: "${{ n }}"}, {name: link, needs: [compile]}]
        - {name: derived, uses: Flow, with: {n: 2}}
        """,
        "derived",
    )
    assert nodes.rundirs == {
        "demo.derived": "demo.derived",
        "demo.derived.in": "demo.derived/demo.derived.in",
        "demo.Flow.compile": "demo.derived/demo.Flow.compile",
        "demo.Flow.link": "demo.derived/demo.Flow.link",
    }
    assert nodes.script("demo.Flow.compile") == "2"


def test_each_use_of_a_compound_has_its_own_copy_of_the_body(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: Flow, with: {n: {type: int}}, body: [{name: c, run: "${{ n }}"}]}
        - {name: one, uses: Flow, with: {n: 1}}
        - {name: two, uses: Flow, with: {n: 2}}
        - {name: t, needs: [one, two, Flow]}
        """,
        "t",
    )
    copies = {node.rundir: node.work for node in nodes.graph.nodes if node.name == "demo.Flow.c"}
    texts = {folder: work.text for folder, work in copies.items() if isinstance(work, Script)}
    assert texts == {
        "demo.one/demo.Flow.c": "1", "demo.two/demo.Flow.c": "2", "demo.Flow/demo.Flow.c": "0",
    }  # fmt: skip


def test_rundir_inherit_runs_in_the_folder_of_the_compound(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: comp
          body:
          - {name: a, rundir: inherit, run: "cd ${{ rundir }}"}
          - {name: b, rundir: inherit, needs: [a]}
          - {name: c, rundir: unique}
        """,
        "comp",
    )
    assert nodes.rundirs == {
        "demo.comp": "demo.comp",
        "demo.comp.in": "demo.comp/demo.comp.in",
        "demo.comp.a": "demo.comp",
        "demo.comp.b": "demo.comp",
        "demo.comp.c": "demo.comp/demo.comp.c",
    }
    assert nodes.script("demo.comp.a") == "cd /work/rundir/demo.comp"
    assert nodes["demo.comp.a"].inherits_rundir
    assert not nodes["demo.comp.c"].inherits_rundir


def test_rundir_inherit_on_a_compound_moves_its_own_record_only(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: a, body: [{name: b, rundir: inherit, body: [{name: c}]}]}", "a"
    )
    assert nodes["demo.a.b"].rundir == "demo.a"
    assert nodes["demo.a.b.c"].rundir == "demo.a/demo.a.b/demo.a.b.c"


def test_rundir_inherit_outside_of_a_compound_has_no_effect(project: Project) -> None:
    node = project.graph("tasks:\n- {name: t, rundir: inherit}", "t")["demo.t"]
    assert (node.rundir, node.inherits_rundir) == ("demo.t", False)
