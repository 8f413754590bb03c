"""Section 19.1: bodies repeated for all combinations of values."""

import pytest

from dfm.graph.node import Compound, Entry, Script
from tests.dfm.flow.conftest import Project

REGRESS = """
with: {seeds: {type: list, value: [1, 2]}}
tasks:
- {name: image}
- name: Sim
  run: sim ${{ test }} ${{ seed }}
  with: {test: {type: str}, seed: {type: int}}
- name: regress
  needs: [image]
  strategy:
    matrix:
      test: [smoke, full]
      seed: "${{ seeds }}"
  body:
  - name: sim
    uses: Sim
    with: {test: "${{ matrix.test }}", seed: "${{ matrix.seed }}"}
"""
CELLS = [f"demo.regress.sim_{a}_{b}" for a in (0, 1) for b in (0, 1)]


def test_cells_are_the_product_of_the_axes_and_the_last_changes_first(project: Project) -> None:
    nodes = project.graph(REGRESS, "regress")
    assert [nodes.script(cell) for cell in CELLS] == [
        "sim smoke 1", "sim smoke 2", "sim full 1", "sim full 2",
    ]  # fmt: skip


def test_the_output_is_that_of_the_needs_and_then_of_all_cells(project: Project) -> None:
    nodes = project.graph(REGRESS, "regress")
    assert nodes.needs("demo.regress") == ["demo.regress.in", *CELLS]
    work = nodes["demo.regress"].work
    assert isinstance(work, Compound)
    assert work.is_matrix


def test_cells_and_entry_lie_at_the_top(project: Project) -> None:
    folders = project.graph(REGRESS, "regress").rundirs
    assert folders == {
        "demo.image": "demo.image",
        "demo.regress": "demo.regress",
        "demo.regress.in": "demo.regress.in",
        **{cell: cell for cell in CELLS},
    }


def test_every_cell_gets_the_inputs(project: Project) -> None:
    nodes = project.graph(REGRESS, "regress")
    assert nodes["demo.regress.in"].work == Entry()
    assert nodes.needs("demo.regress.in") == ["demo.image"]
    assert {tuple(nodes.needs(cell)) for cell in CELLS} == {("demo.regress.in",)}


def test_cells_know_their_axis_values(project: Project) -> None:
    nodes = project.graph(REGRESS, "regress")
    assert nodes[CELLS[2]].bindings == {"test": "full", "seed": 1}


def test_the_axes_follow_the_command_line(project: Project) -> None:
    nodes = project.graph(REGRESS, "regress", D=["seeds=[7]"])
    assert nodes.script("demo.regress.sim_1_0") == "sim full 7"
    assert "demo.regress.sim_0_1" not in nodes


def test_the_body_may_stand_in_the_strategy(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy:
            matrix: {x: [1, 2]}
            body: [{name: c, run: "${{ matrix.x }}"}]
        """,
        "m",
    )
    assert nodes.script("demo.m.c_1") == "2"


def test_axis_values_may_be_maps(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy: {matrix: {cfg: [{kind: a, n: [1]}, {kind: b, n: [2]}]}}
          body: [{name: c, run: "${{ matrix.cfg.kind }} ${{ this.cfg.n }}"}]
        """,
        "m",
    )
    assert [nodes.script(f"demo.m.c_{n}") for n in (0, 1)] == ["a [1]", "b [2]"]


def test_this_and_the_bare_name_mean_the_axis_value_too(project: Project) -> None:
    nodes = project.graph(
        """
        with: {x: {type: str, value: outside}}
        tasks:
        - name: m
          with: {y: {type: str, value: param}}
          strategy: {matrix: {x: [1]}}
          body: [{name: c, run: "${{ this.x }} ${{ x }} ${{ matrix.x }} ${{ y }}"}]
        """,
        "m",
    )
    assert nodes.script("demo.m.c_0") == "1 1 1 param"


def test_an_axis_may_be_computed_from_the_parameters_of_the_task(project: Project) -> None:
    fields = """
    tasks:
    - name: m
      with: {n: {type: list, value: [1, 2]}}
      strategy: {matrix: {x: "${{ n }}"}}
      body: [{name: c}]
    """
    assert len(project.graph(fields, "m").needs("demo.m")) == 3
    assert len(project.graph(fields, "m", D=["m.n=1,2,3"]).needs("demo.m")) == 4


@pytest.mark.parametrize("axis", ["abc", "3", "{a: 1}", "true"])
def test_an_axis_that_is_no_list_is_a_fault_of_loading(project: Project, axis: str) -> None:
    fields = f"tasks:\n- name: m\n  strategy: {{matrix: {{x: {axis}}}}}\n  body: [{{name: c}}]"
    assert project.faults(fields) == ["3:23: axis `x` must be a list"]


def test_an_axis_that_comes_to_no_list_is_a_fault_of_the_graph(project: Project) -> None:
    fields = """
    with: {n: {type: int, value: 3}}
    tasks:
    - {name: m, strategy: {matrix: {x: "${{ n }}"}}, body: [{name: c}]}
    """
    (fault,) = project.faults(fields, "m")
    assert "axis `x` of demo.m must be a list, not the number 3" in fault


def test_an_axis_without_values_makes_no_cells(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: m, strategy: {matrix: {x: [1], y: []}}, body: [{name: c}]}", "m"
    )
    assert sorted(nodes.names) == ["demo.m", "demo.m.in"]
    assert nodes.needs("demo.m") == ["demo.m.in"]


def test_a_matrix_without_axes_has_one_cell(project: Project) -> None:
    nodes = project.graph("tasks:\n- {name: m, strategy: {matrix: {}}, body: [{name: c}]}", "m")
    assert sorted(nodes.names) == ["demo.m", "demo.m.c", "demo.m.in"]


def test_two_equal_values_are_two_cells(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: m, strategy: {matrix: {x: [1, 1]}}, body: [{name: c}]}", "m"
    )
    assert nodes.needs("demo.m") == ["demo.m.in", "demo.m.c_0", "demo.m.c_1"]


def test_needs_may_use_the_axis_values(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: img-rtl}
        - {name: img-gate}
        - name: m
          strategy: {matrix: {view: [rtl, gate]}}
          body: [{name: c, needs: ["img-${{ this.view }}"]}]
        """,
        "m",
    )
    assert nodes.needs("demo.m.c_0") == ["demo.img-rtl", "demo.m.in"]
    assert nodes.needs("demo.m.c_1") == ["demo.img-gate", "demo.m.in"]


def test_a_sibling_is_that_of_the_same_cell(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy: {matrix: {x: [1, 2]}}
          body: [{name: a}, {name: b, needs: [a]}, {name: c, feeds: [b]}]
        """,
        "m",
    )
    assert nodes.needs("demo.m.b_0") == ["demo.m.a_0", "demo.m.c_0"]
    assert nodes.needs("demo.m.b_1") == ["demo.m.a_1", "demo.m.c_1"]
    assert nodes.needs("demo.m") == ["demo.m.in", "demo.m.b_0", "demo.m.b_1"]
    assert len(nodes.names) == 8


def test_uses_may_be_computed_per_cell(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: A, run: "a ${{ n }}", with: {n: {type: int}}}
        - {name: B, run: "b ${{ n }}", with: {n: {type: int}}}
        - name: m
          strategy: {matrix: {k: [A, B]}}
          body: [{name: c, uses: "${{ matrix.k }}", with: {n: 5}}]
        """,
        "m",
    )
    assert nodes.script("demo.m.c_0") == "a 5"
    assert nodes.script("demo.m.c_1") == "b 5"
    assert nodes["demo.m.c_1"].rundir == "demo.m.c_1"


def test_a_matrix_in_a_body_is_there_once_with_its_cells_in_the_folder_of_the_outer(
    project: Project,
) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: outer
          body:
          - {name: mx, strategy: {matrix: {x: [1]}}, body: [{name: c}]}
          - {name: after, needs: [mx]}
        """,
        "outer",
    )
    assert nodes.rundirs == {
        "demo.outer": "demo.outer",
        "demo.outer.in": "demo.outer/demo.outer.in",
        "demo.outer.mx": "demo.outer.mx",
        "demo.outer.mx.in": "demo.outer.mx.in",
        "demo.outer.mx.c_0": "demo.outer/demo.outer.mx.c_0",
        "demo.outer.after": "demo.outer/demo.outer.after",
    }
    assert nodes.needs("demo.outer.mx.c_0") == ["demo.outer.mx.in"]
    assert nodes.needs("demo.outer.mx.in") == ["demo.outer.in"]


def test_names_inside_a_compound_of_a_matrix_have_no_index(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy: {matrix: {x: [1, 2]}}
          body: [{name: comp, body: [{name: sub, run: "${{ matrix.x }}"}]}]
        """,
        "m",
    )
    found = {node.rundir: node.work for node in nodes.graph.nodes if node.name == "demo.m.comp.sub"}
    assert {folder: work.text for folder, work in found.items() if isinstance(work, Script)} == {
        "demo.m.comp_0/demo.m.comp.sub": "1",
        "demo.m.comp_1/demo.m.comp.sub": "2",
    }


def test_an_inner_axis_hides_an_outer_one_and_others_are_seen(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy: {matrix: {x: [1], y: [2]}}
          body:
          - name: n
            strategy: {matrix: {x: [3]}}
            body: [{name: c, run: "${{ matrix.x }} ${{ matrix.y }}"}]
        """,
        "m",
    )
    (script,) = [node.work for node in nodes.graph.nodes if isinstance(node.work, Script)]
    assert script.text == "3 2"


def test_an_axis_that_does_not_exist_is_a_fault_with_the_nearest(project: Project) -> None:
    fields = """
    tasks:
    - name: m
      strategy: {matrix: {seed: [1]}}
      body: [{name: c, run: "${{ matrix.sede }}"}]
    """
    (fault,) = project.faults(fields, "m")
    assert "`matrix.sede` is not defined (did you mean `seed`?)" in fault


def test_a_matrix_of_more_cells_than_can_be_is_a_fault(project: Project) -> None:
    axes = ", ".join(f"x{n}: [{', '.join(map(str, range(100)))}]" for n in range(4))
    fields = f"tasks:\n- {{name: m, strategy: {{matrix: {{{axes}}}}}, body: [{{name: c}}]}}"
    (fault,) = project.faults(fields, "m")
    assert "the matrix has more than 1,000,000 cells" in fault
