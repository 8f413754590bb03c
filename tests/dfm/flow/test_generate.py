"""`strategy: generate`: a function of Python builds the body (section 19.2)."""

import pytest

from dfm.graph.node import Compound
from tests.dfm.flow.conftest import Project

CORNER = """
tasks:
- name: Corner
  with: {index: {type: int}, type: {type: str}}
  run: "run ${{ index }} ${{ type }} ${{ n:-none }}"
- {name: src}
- {name: last, needs: [src]}
"""


def generated(*lines: str, needs: str = "[src]") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"""{CORNER}- name: corners
  needs: {needs}
  with: {{n: {{type: int, value: 3}}}}
  strategy:
    generate:
      run: |
{body}
"""


LOOP = (
    "for i in range(input.params.n):",
    '    ctxt.addTask(ctxt.mkTaskNode("demo.Corner", name=ctxt.mkName("k%d" % i), index=i))',
)


def test_the_nodes_that_are_added_are_the_body(project: Project) -> None:
    graph = project.graph(generated(*LOOP), "corners", D=["corners.n=2"])
    assert graph.rundirs["demo.corners.k0"] == "demo.corners.k0"
    assert graph.script("demo.corners.k1") == "run 1  2"
    assert graph.needs("demo.corners") == ["demo.corners.k0", "demo.corners.k1"]
    assert "demo.corners.k2" not in graph


def test_a_node_without_needs_does_not_get_the_inputs_and_the_task_waits_for_them(
    project: Project,
) -> None:
    graph = project.graph(generated(*LOOP), "corners")
    assert graph.needs("demo.corners.k0") == []
    assert graph.needs("demo.corners.in") == ["demo.src"]
    node = graph["demo.corners"]
    assert graph["demo.corners.in"].number in list(graph.graph.waits(node))


def test_a_node_may_need_the_inputs_other_nodes_and_tasks_by_name(project: Project) -> None:
    flow = generated(
        'a = ctxt.addTask(ctxt.mkTaskNode("Corner", ctxt.mkName("a"), needs=[ctxt.input]))',
        'b = ctxt.mkTaskNode("Corner", needs=[a, "last"], type="x")',
        "ctxt.addTask(b)",
    )
    graph = project.graph(flow, "corners")
    assert graph.needs("demo.corners.a") == ["demo.corners.in"]
    assert graph.needs("demo.corners.anon_0") == ["demo.corners.a", "demo.last"]
    assert graph.script("demo.corners.anon_0") == "run 0 x 3"
    assert graph.needs("demo.corners") == ["demo.corners.anon_0"], "terminal nodes only"


def test_only_added_nodes_are_there(project: Project) -> None:
    graph = project.graph(generated('ctxt.mkTaskNode("Corner")'), "corners")
    assert [name for name in graph.names if "anon" in name] == []
    work = graph["demo.corners"].work
    assert isinstance(work, Compound)
    assert work.is_empty


def test_a_function_of_a_module_or_a_file_beside_the_flow_does_too(project: Project) -> None:
    (project.folder / "gen.py").write_text(
        "from dv_flow.mgr import TaskDataResult\n"
        "def corners(ctxt, input):\n"
        "    ctxt.addTask(ctxt.mkTaskNode('Corner', name=ctxt.mkName(ctxt.basename[-3:])))\n"
    )
    for run in ("gen.corners", "gen.py::corners"):
        flow = f"{CORNER}- {{name: c, strategy: {{generate: {{run: '{run}'}}}}}}\n"
        assert "demo.c.o.c" in project.graph(flow, "c")


def test_each_cell_of_a_matrix_has_a_generated_body_of_its_own(project: Project) -> None:
    flow = generated(*LOOP) + (
        "- name: m\n  strategy: {matrix: {x: [1, 2]}}\n  body:\n"
        "  - {name: g, uses: corners, with: {n: '${{ this.x }}'}}\n"
    )
    graph = project.graph(flow, "m")
    assert graph.needs("demo.m.g_0") == ["demo.m.g_0.k0"]
    assert graph.needs("demo.m.g_1") == ["demo.m.g_1.k0", "demo.m.g_1.k1"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1 / 0", "`generate` of demo.corners failed: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "`generate` of demo.corners failed: SystemExit: 3"),
        ("if", "SyntaxError"),
        ('ctxt.addTask(ctxt.mkTaskNode("Cornre"))', "no task type `Cornre` (did you mean `Corner`"),
        ('ctxt.addTask(ctxt.mkTaskNode("Corner", nope=1))', "has no parameter `nope`"),
        ('ctxt.addTask(ctxt.mkTaskNode("Corner", index=object()))', "`index` is object, which no"),
        ('ctxt.addTask(ctxt.mkTaskNode("Corner", needs=["nope"]))', "no such task"),
        ('ctxt.addTask(ctxt.mkTaskNode("Corner", needs=[ctxt.mkTaskNode("Corner")]))', "made and not"),
        ("ctxt.addTask(ctxt.mkTaskNode('demo.corners'))", "more than 100 bodies within each other"),
        ("x = []; x.append(x); ctxt.addTask(ctxt.mkTaskNode('Corner', index=x))", "contains itself"),
        ("raise GeneratorExit", "failed: GeneratorExit"),
        ("ctxt.addTask(3)", "TypeError: addTask() takes what mkTaskNode() has made"),
        ("ctxt.mkTaskNode()", "TypeError: mkTaskNode() takes the name of a task type first"),
        ('for i in "ab": ctxt.addTask(ctxt.mkTaskNode("Corner", name="n"))', "one run directory: n"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_a_fault_of_the_flow(project: Project, line: str, fault: str) -> None:
    (found, *_) = project.faults(generated(line), "corners")
    assert fault in found


def test_a_fault_has_the_users_frames_only(project: Project) -> None:
    (fault,) = project.faults(generated("x = 1", "1 / 0"), "corners")
    assert fault.endswith("(<run of `generate` of demo.corners>:2 in task: 1 / 0)")


@pytest.mark.parametrize(
    ("strategy", "fault"),
    [
        ("generate: m.f", "`generate` must be a map, not the text 'm.f' (write {run: m.f})"),
        ("generate: {}", "`run` must be text"),
        ("generate: {run: m.f, shell: bash}", "`bash` is not one of pytask, python"),
        ("generate: {rnu: m.f}", "`generate` has no field `rnu`"),
    ],
)
def test_what_is_wrong_with_the_field_is_a_fault(
    project: Project, strategy: str, fault: str
) -> None:
    (found, *_) = project.faults(f"tasks: [{{name: t, strategy: {{{strategy}}}}}]")
    assert fault in found


def test_there_is_no_other_body(project: Project) -> None:
    flow = "tasks: [{name: t, strategy: {generate: {run: m.f}}, body: [{name: b}]}]"
    (fault,) = project.faults(flow)
    assert "`generate` makes the body: there can be no other" in fault
