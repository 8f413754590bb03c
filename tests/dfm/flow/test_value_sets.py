"""Section 13.1: the values that a parameter accepts."""

import pytest

from dfm.graph.values import Value
from tests.dfm.flow.conftest import Project


def test_the_value_set_of_the_base_holds_for_the_derived_value(project: Project) -> None:
    fields = """
    tasks:
    - {name: base, with: {o: {type: str, value: O1, values: [O0, O1]}}}
    - {name: t, uses: base, with: {o: O7}}
    """
    assert project.faults(fields) == ["3:35: `o` is 'O7', not one of O0, O1 (known are `O0`, `O1`)"]


def test_an_open_value_set_only_warns(project: Project) -> None:
    fields = "tasks:\n- {name: t, with: {o: {type: str, value: x, values: {of: [a], open: true}}}}"
    assert project.warnings(fields, "t") == ["2:20: `o` is 'x', not one of a"]


def test_a_value_set_in_the_long_form_is_closed_unless_it_says_open(project: Project) -> None:
    fields = "tasks:\n- {name: t, with: {o: {type: str, value: x, values: {of: [a]}}}}"
    assert project.faults(fields) == ["2:20: `o` is 'x', not one of a (known are `a`)"]


def test_accepted_values_may_be_described(project: Project) -> None:
    fields = (
        "tasks: [{name: t, with: {o: {type: str, value: b, values: [a, {value: b, desc: x}]}}}]"
    )
    assert project.graph(fields, "t")["demo.t"].params == {"o": "b"}


def test_each_element_of_a_list_must_be_accepted(project: Project) -> None:
    fields = "tasks:\n- {name: t, with: {o: {type: list, value: [a, c], values: [a, b]}}}"
    (fault,) = project.faults(fields)
    assert fault.startswith("2:20: `o` is 'c', not one of a, b")


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ("{type: str, values: [1, 2], value: 2}", "2"),
        ("{type: int, values: ['1', '2'], value: 2}", 2),
        ("{type: str, values: [on, off], value: on}", "true"),
    ],
)
def test_accepted_values_have_the_type_of_the_parameter(
    project: Project, definition: str, value: Value
) -> None:
    nodes = project.graph(f"tasks: [{{name: t, with: {{x: {definition}}}}}]", "t")
    assert nodes["demo.t"].params == {"x": value}


def test_values_must_be_a_list(project: Project) -> None:
    assert project.faults("tasks:\n- {name: t, with: {x: {type: int, values: 3}}}") == [
        "2:43: `values` must be a list, or a map with `of`"
    ]
