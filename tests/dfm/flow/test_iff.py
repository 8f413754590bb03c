"""Section 16: tasks that are switched off."""

import pytest

from dfm.graph.node import Disabled, Nothing, Script
from tests.dfm.flow.conftest import Project


@pytest.mark.parametrize(
    ("iff", "is_enabled"),
    [
        ("true", True),
        ("false", False),
        ("'${{ on_ }}'", True),
        ("'${{ off_ }}'", False),
        ("'${{ zero }}'", False),
        ("'${{ empty }}'", False),
        ("'${{ text }}'", True),
        ("'${{ zero }}.'", True),
        ("'${{ list == [] }}'", True),
        ("'${{ on_ && !off_ }}'", True),
        ("", True),
    ],
)
def test_a_task_is_enabled_if_its_iff_is_true(project: Project, iff: str, is_enabled: bool) -> None:
    fields = f"""
    with:
      on_: {{type: bool, value: true}}
      off_: {{type: bool}}
      zero: {{type: int}}
      empty: {{type: str}}
      text: {{type: str, value: "false"}}
      list: {{type: list}}
    tasks:
    - name: t
      iff: {iff}
      run: x
    """
    work = project.graph(fields, "t")["demo.t"].work
    assert isinstance(work, Script if is_enabled else Disabled)


@pytest.mark.parametrize("iff", ["'false'", "0", "''", "[]", "'no'"])
def test_anything_else_is_true_with_a_warning(project: Project, iff: str) -> None:
    fields = f"tasks:\n- {{name: t, run: x, iff: {iff}}}"
    (warning,) = project.warnings(fields, "t")
    assert warning.startswith("2:")
    assert "which is always true" in warning
    assert isinstance(project.load(fields).graph(["t"], "/r").nodes[0].work, Script)


def test_iff_is_evaluated_after_the_command_line(project: Project) -> None:
    fields = """
    with: {debug: {type: bool}}
    tasks: [{name: t, iff: "${{ debug }}"}]
    """
    assert project.graph(fields, "t")["demo.t"].work == Disabled()
    assert project.graph(fields, "t", D=["debug=1"])["demo.t"].work == Nothing()


def test_the_needs_of_a_disabled_task_are_not_built_because_of_it(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a}
        - {name: feeder, feeds: [away]}
        - {name: away, iff: false, needs: [a]}
        - {name: t, needs: [away]}
        """,
        "t",
    )
    assert sorted(nodes.names) == ["demo.away", "demo.t"]
    assert nodes.needs("demo.t") == ["demo.away"]
    assert nodes.needs("demo.away") == []


def test_a_disabled_compound_has_no_body(project: Project) -> None:
    nodes = project.graph("tasks:\n- {name: t, iff: false, body: [{name: a}]}", "t")
    assert nodes.names == ["demo.t"]
    assert nodes["demo.t"].work == Disabled()


def test_iff_of_a_body_task_sees_the_parameters_around(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: comp
          with: {on_: {type: bool, value: true}, off_: {type: bool}}
          body:
          - {name: a, iff: "${{ on_ }}"}
          - {name: b, iff: "${{ this.off_ }}"}
        """,
        "comp",
    )
    assert nodes["demo.comp.a"].work == Nothing()
    assert nodes["demo.comp.b"].work == Disabled()


def test_iff_does_not_see_the_own_parameters(project: Project) -> None:
    fields = "tasks:\n- {name: t, iff: '${{ mine }}', with: {mine: {type: bool}}}"
    assert project.faults(fields) == [
        "2:23: `iff` of demo.t: `mine` is not defined "
        "(it is a parameter of the task itself, which cannot be used here)"
    ]


def test_iff_does_not_see_the_own_parameter_as_this(project: Project) -> None:
    fields = "tasks:\n- {name: t, iff: '${{ this.mine }}', with: {mine: {type: bool}}}"
    (fault,) = project.faults(fields, "t")
    assert "`this.mine` is not defined" in fault


def test_a_sibling_before_a_disabled_task_becomes_terminal(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: comp
          body:
          - {name: a}
          - {name: b, needs: [a], iff: false}
          - {name: c, needs: [b]}
        """,
        "comp",
    )
    assert nodes.needs("demo.comp") == ["demo.comp.a", "demo.comp.c"]
    assert nodes.needs("demo.comp.b") == []


def test_a_body_task_that_needs_only_disabled_siblings_gets_the_inputs(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: comp
          body:
          - {name: away, iff: false}
          - {name: t, needs: [away]}
        """,
        "comp",
    )
    assert nodes.needs("demo.comp.t") == ["demo.comp.away", "demo.comp.in"]


def test_iff_may_differ_by_cell(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy: {matrix: {x: [1, 2]}}
          body: [{name: c, iff: "${{ matrix.x == 2 }}"}]
        """,
        "m",
    )
    assert nodes["demo.m.c_0"].work == Disabled()
    assert nodes["demo.m.c_1"].work == Nothing()
    assert nodes.needs("demo.m") == ["demo.m.in", "demo.m.c_1"]


def test_a_matrix_is_switched_off_as_a_whole(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: m, iff: false, strategy: {matrix: {x: [1, 2]}}, body: [{name: c}]}", "m"
    )
    assert nodes.names == ["demo.m"]


def test_a_fault_in_an_iff_is_said_with_its_place(project: Project) -> None:
    fields = "with: {n: {type: int}}\ntasks:\n- {name: t, iff: '${{ n + [] }}'}"
    (fault,) = project.faults(fields, "t")
    assert fault == "3:25: `iff` of demo.t: cannot add int and list"
