"""`elaborate`: a function of Python makes the node of a task (section 26)."""

import pytest

from tests.dfm.flow.conftest import Project

FLOW = """
tasks:
- {name: src}
- {name: fed, feeds: [t]}
- name: t
  needs: [src]
  elaborate: "made:node"
  with: {n: {type: int, value: 2}}
  run: "t ${{ n }}"
- {name: other, with: {k: {type: str}}, run: "other ${{ k }}"}
- {name: u, needs: [t]}
"""


def flow(project: Project, *lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    (project.folder / "made.py").write_text(f"def node(ctxt, task, name):\n{body}")
    return FLOW


def test_the_function_returns_the_node_with_parameters_of_its_own(project: Project) -> None:
    text = flow(project, "return ctxt.mkTaskNode(name, n=task.params.n + 1)")
    graph = project.graph(text, "u")
    assert graph.script("demo.t") == "t 3"
    assert graph.needs("demo.u") == ["demo.t"]
    assert graph.needs("demo.t") == ["demo.src", "demo.fed"]
    assert graph.rundirs["demo.t"] == "demo.t"


def test_the_node_may_be_of_another_task_and_need_others(project: Project) -> None:
    text = flow(project, "return ctxt.mkTaskNode('demo.other', k=task.name, needs=['src'])")
    graph = project.graph(text, "t")
    assert graph.script("demo.t") == "other demo.t"
    assert graph.needs("demo.t") == ["demo.fed", "demo.src"]


def test_it_sees_the_command_line_which_wins(project: Project) -> None:
    text = flow(project, "return ctxt.mkTaskNode(name, n=task.params.n + 1)")
    assert project.graph(text, "t", D=["t.n=7"]).script("demo.t") == "t 7"


def test_it_is_inherited_by_uses_and_works_in_bodies(project: Project) -> None:
    text = flow(project, "return ctxt.mkTaskNode('demo.other', k=name)")
    text += "- {name: c, body: [{name: b, uses: t}]}\n"
    graph = project.graph(text, "c")
    assert graph.script("demo.c.b") == "other demo.c.b"
    assert graph.rundirs["demo.c.b"] == "demo.c/demo.c.b"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("return None", "`elaborate` of demo.t must return what ctxt.mkTaskNode() has made"),
        ("raise ValueError('no')", "`elaborate` of demo.t failed: ValueError: no"),
        ("ctxt.addTask(ctxt.mkTaskNode(name)); return ctxt.mkTaskNode(name)", "cannot add others"),
        ("return ctxt.mkTaskNode('nope')", "no task type `nope`"),
        ("return ctxt.mkTaskNode(name, m=1)", "has no parameter `m`"),
    ],
)
def test_what_goes_wrong_is_a_fault_of_the_flow(project: Project, line: str, fault: str) -> None:
    (found, *_) = project.faults(flow(project, line), "t")
    assert fault in found


def test_the_field_is_module_and_function(project: Project) -> None:
    (fault,) = project.faults("tasks: [{name: t, elaborate: f}]")
    assert "`f` is not module:function" in fault
