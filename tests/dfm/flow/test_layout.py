"""Sections 8 and 32: where nodes lie in the run directory, and how their files are called."""

import pytest

from dfm.flow.layout import VARIABLE
from tests.dfm.flow.conftest import Nodes, Project

LEAF = {VARIABLE: "leaf"}


def leaf(project: Project, fields: str, *goals: str) -> Nodes:
    flow = project.load(fields, environ=LEAF)
    nodes = Nodes.__new__(Nodes)  # its checks are of folders that all nodes have
    nodes.graph = flow.graph(goals, "/work/rundir")
    return nodes


def test_folders_have_the_last_part_of_the_name_and_entry_nodes_have_none(project: Project) -> None:
    nodes = leaf(
        project,
        """
        tasks:
        - {name: a, run: x}
        - {name: c, needs: [a], body: [{name: a, run: x}, {name: d, body: [{name: a, run: x}]}]}
        - {name: u, uses: c}
        - {name: all, needs: [c, u]}
        """,
        "all",
    )
    entries = {name for name in nodes.names if name.endswith(".in")}
    assert {node.rundir for node in nodes.graph.nodes if node.name in entries} == {""}
    assert sorted(node.rundir for node in nodes.graph.nodes if node.rundir) == [
        "a", "all", "c", "c/a", "c/d", "c/d/a", "u", "u/a", "u/d", "u/d/a",
    ]  # fmt: skip
    assert {node.file_stem for node in nodes.graph.nodes} == {""}


def test_tasks_of_other_packages_keep_theirs(project: Project) -> None:
    project.add("lib/flow.yaml", "package: {name: lib, tasks: [{export: x, body: [{name: y}]}]}")
    nodes = leaf(project, "imports: [lib]\ntasks: [{name: x, needs: [lib.x]}]", "x")
    found = {node.rundir for node in nodes.graph.nodes}
    assert found == {"", "x", "lib.x", "lib.x/y"}


@pytest.mark.parametrize(
    ("name", "folder"),
    [("log", "demo.log"), ("bin", "demo.bin"), ("cache", "demo.cache"), ("out", "demo.out"),
     ("a/b", "a_b"), ("logs", "logs"), ("a.b", "b"), ("a.", "demo.a.")],
)  # fmt: skip
def test_what_else_is_there_keeps_its_place(project: Project, name: str, folder: str) -> None:
    nodes = leaf(project, f"tasks: [{{name: '{name}', run: x}}]", name)
    assert nodes.graph.nodes[0].rundir == folder


def test_of_a_clash_all_have_full_names_whatever_is_run(project: Project) -> None:
    project.add("part.yaml", "fragment: {name: part, tasks: [{name: x, run: x}]}")
    fields = "fragments: [part.yaml]\ntasks: [{name: x, run: x}, {name: y, run: x}]"
    assert leaf(project, fields, "demo.x").graph.nodes[0].rundir == "demo.x"
    assert leaf(project, fields, "part.x").graph.nodes[0].rundir == "demo.part.x"
    assert leaf(project, fields, "y").graph.nodes[0].rundir == "y"


def test_a_body_with_one_name_twice_has_a_full_one(project: Project) -> None:
    nodes = leaf(
        project,
        "tasks: [{name: c, body: [{name: a}]}, {name: u, uses: c, body: [{name: a}]}]",
        "u",
    )
    assert nodes.rundirs["demo.c.a"] == "u/a"
    assert nodes.rundirs["demo.u.a"] == "u/demo.u.a"


def test_cells_variants_and_generated_nodes(project: Project) -> None:
    fields = """
    tasks:
    - {name: m, strategy: {matrix: {n: [1, 2]}}, body: [{name: c}, {name: d}]}
    - {name: k, strategy: {matrix: {n: [1]}}, body: [{name: d}]}
    - {name: one, strategy: {select: {axes: {a: [x, y]}}}, body: [{name: r}]}
    - {name: two, strategy: {select: {axes: {a: [p, q], b: [r]}}}, body: [{name: r}]}
    - name: g
      strategy: {generate: {run: "ctxt.addTask(ctxt.mkTaskNode('demo.b', name=ctxt.mkName('made')))\\n"}}
    - {name: b}
    - {name: all, needs: [m, k, one.x, two.p.r, g]}
    """
    rundirs = leaf(project, fields, "all").rundirs
    assert (rundirs["demo.m.c_0"], rundirs["demo.m.c_1"]) == ("c_0", "c_1")
    assert (rundirs["demo.m.d_0"], rundirs["demo.k.d_0"]) == ("demo.m.d_0", "demo.k.d_0")
    assert rundirs["demo.one.x"] == "x"
    assert rundirs["demo.two.p.r"] == "demo.two.p.r", "that of q.r is called the same"
    assert rundirs["demo.g.made"] == "made"


def test_tasks_that_share_a_folder_have_files_by_the_last_part(project: Project) -> None:
    names = ("a", "run", "x.a")
    body = ", ".join(f"{{name: {name}, rundir: inherit, run: x}}" for name in names)
    nodes = leaf(project, f"tasks: [{{name: c, body: [{body}]}}]", "c")
    found = [(nodes[f"demo.c.{name}"].rundir, nodes[f"demo.c.{name}"].file_stem) for name in names]
    assert found == [("c", "a"), ("c", "demo.c.run"), ("c", "demo.c.x.a")]


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}, {VARIABLE: "legacy"}])
def test_else_names_are_full_and_awkward_characters_are_replaced(
    project: Project, environ: dict[str, str]
) -> None:
    nodes = project.graph("tasks: [{name: c, body: [{name: a/b, run: x}]}]", "c", environ=environ)
    node = nodes["demo.c.a/b"]
    assert (node.rundir, node.file_stem) == ("demo.c/demo.c.a_b", "demo.c.a_b")
    assert nodes["demo.c.in"].rundir == "demo.c/demo.c.in"
