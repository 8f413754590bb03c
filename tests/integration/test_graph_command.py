"""`dfm graph`: DOT for Graphviz."""

import json

import pytest

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {root: flow, desc: All, needs: [rtl], body: [{name: c, with: {k: {type: str, value: 'a"b'}}}, {name: s, needs: [c]}]}
  - {name: rtl}
"""


@pytest.fixture
def drawn(project: Project) -> Project:
    project.flow(FLOW)
    return project


def test_edges_go_from_need_to_dependent_and_compounds_are_clusters(drawn: Project) -> None:
    out = drawn.ok("graph", "flow").out
    assert out == (
        'digraph "p" {\n  rankdir=LR;\n  node [shape=box];\n'
        '  subgraph cluster_0 {\n    label="p.flow";\n    n0 [label="p.flow"];\n'
        '    n3 [label="p.flow.c"];\n    n4 [label="p.flow.s"];\n  }\n'
        '  n1 [label="p.rtl"];\n  n2 [label="p.flow.in", style=dashed];\n'
        "  n4 -> n0;\n  n1 -> n2;\n  n2 -> n3;\n  n3 -> n4;\n}\n"
    )
    assert not (drawn.folder / "rundir").exists()


def test_values_of_parameters_are_shown_on_demand(drawn: Project) -> None:
    assert 'label="p.flow.c\\nk = a\\"b"' in drawn.ok("graph", "flow", "--show-params").out


def test_json_stands_between_two_lines(drawn: Project) -> None:
    lines = drawn.ok("graph", "flow", "--json").out.splitlines()
    assert (lines[0], lines[-1]) == ("<<<DFM_GRAPH_BEGIN>>>", "<<<DFM_GRAPH_END>>>")
    text = json.loads("\n".join(lines[1:-1]))["graph"]
    assert text == drawn.ok("graph", "flow").out


def test_it_can_be_written_to_a_file(drawn: Project) -> None:
    assert drawn.ok("graph", "flow", "-o", "g.dot", "-f", "dot").out == ""
    assert drawn.read("g.dot") == drawn.ok("graph", "flow").out
    assert drawn.dfm("graph", "flow", "-o", "none/g.dot").status == 2


def test_without_a_task_it_lists_them(drawn: Project) -> None:
    assert drawn.ok("graph").out == drawn.ok("run").out


def test_an_unknown_task_or_form_is_an_error(drawn: Project) -> None:
    done = drawn.dfm("graph", "flwo")
    assert done.status == 2
    assert "did you mean `flow`?" in done.err
    assert drawn.dfm("graph", "flow", "-f", "svg").status == 2
