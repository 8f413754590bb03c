"""`abstract: true` (section 26)."""

from tests.dfm.flow.conftest import Project

BASE = "tasks:\n- {name: base, abstract: true, run: x}\n"
FAULT = "demo.base is abstract: a base for others, not to be run"


def test_an_abstract_task_is_a_base(project: Project) -> None:
    assert project.graph(f"{BASE}- {{name: t, uses: base}}", "t").script("demo.t") == "x"


def test_to_run_or_to_need_one_is_a_fault(project: Project) -> None:
    assert project.faults(BASE, "base") == [f"2:3: {FAULT}"]
    assert project.faults(f"{BASE}- {{name: t, needs: [base]}}", "t") == [f"3:13: {FAULT}"]


def test_what_uses_it_is_not_abstract_itself(project: Project) -> None:
    flow = f"{BASE}- {{name: t, uses: base}}\n- {{name: u, needs: [t]}}"
    assert project.graph(flow, "u").names == ["demo.u", "demo.t"]


def test_in_a_body_it_is_a_base_for_its_siblings_and_not_built(project: Project) -> None:
    flow = """
tasks:
- name: c
  body:
  - {name: base, abstract: true, run: x}
  - {name: t, uses: base}
"""
    graph = project.graph(flow, "c")
    assert graph.script("demo.c.t") == "x"
    assert "demo.c.base" not in graph


def test_in_a_body_it_cannot_be_needed(project: Project) -> None:
    flow = """
tasks:
- name: c
  body:
  - {name: base, abstract: true, run: x}
  - {name: t, needs: [base]}
"""
    (fault,) = project.faults(flow, "c")
    assert fault.endswith("demo.c.base is abstract: a base for others, not to be run")
