"""Sections 13.1 and 13.2: what `with` declares and what values become of it."""

from pathlib import Path
from textwrap import indent

import pytest

from dfm.graph.values import Value
from tests.dfm.flow.conftest import Project


def params(project: Project, text: str, task: str = "t") -> dict[str, Value]:
    """The parameters of `t`, whose `with` is the text."""
    fields = f"tasks:\n- name: t\n  run: x\n  with:\n{indent(text, '    ')}"
    return project.graph(fields, task)[f"demo.{task}"].params


@pytest.mark.parametrize(
    ("kind", "empty"),
    [
        ("str", ""),
        ("int", 0),
        ("float", 0.0),
        ("bool", False),
        ("list", []),
        ("map", {}),
        ("{list: {item: str}}", []),
        ("{map: {key: str, val: int}}", {}),
    ],
)
def test_a_parameter_without_a_value_has_the_empty_one_of_its_type(
    project: Project, kind: str, empty: Value
) -> None:
    found = params(project, f"x: {{type: {kind}}}")
    assert found == {"x": empty}
    assert type(found["x"]) is type(empty)


@pytest.mark.parametrize("kind", ["string", "Int", "{list: {}, map: {}}", "3", "[str]"])
def test_an_unknown_type_is_a_fault_of_loading(project: Project, kind: str) -> None:
    (fault,) = project.faults(f"tasks:\n- {{name: t, with: {{x: {{type: {kind}}}}}}}")
    assert "is no type of a parameter" in fault


def test_an_unknown_type_suggests_the_nearest(project: Project) -> None:
    assert project.faults("tasks:\n- {name: t, with: {x: {type: string}}}") == [
        "2:30: `string` is no type of a parameter (did you mean `str`?)"
    ]


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("str", "[a, 1]", '["a", 1]'),
        ("str", "{a: {b: c}}", '{"a": {"b": "c"}}'),
        ("str", "true", "true"),
        ("str", "3", "3"),
        ("str", "2.5", "2.5"),
        ("str", "''", ""),
        ("list", "one", "one"),
        ("list", "[1, [2]]", [1, [2]]),
        ("map", "{a: [1]}", {"a": [1]}),
        ("int", "3", 3),
        ("int", "'3'", 3),
        ("int", "'0x20'", 32),
        ("int", "' -7 '", -7),
        ("int", "'007'", 7),
        ("float", "'2.5'", 2.5),
        ("float", "'1e3'", 1000.0),
        ("bool", "'yes'", True),
        ("bool", "'off'", False),
        ("bool", "on", True),
    ],
)
def test_a_value_is_converted_to_the_declared_type(
    project: Project, kind: str, given: str, value: Value
) -> None:
    found = params(project, f"x: {{type: {kind}, value: {given}}}")["x"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "given", "what"),
    [
        ("list", "{a: 1}", "must be a list, not a map"),
        ("map", "[1]", "must be a map, not a list"),
        ("int", "xyz", "must be an integer, not the text 'xyz'"),
        ("int", "'2.5'", "must be an integer, not the text '2.5'"),
        ("float", "much", "must be a number, not the text 'much'"),
        ("bool", "maybe", "must be true or false, not the text 'maybe'"),
    ],
)
def test_a_value_that_the_type_cannot_have_is_a_fault_of_loading(
    project: Project, kind: str, given: str, what: str
) -> None:
    fields = f"tasks:\n- name: t\n  with:\n    x: {{type: {kind}, value: {given}}}"
    assert project.faults(fields) == [f"4:5: `x` {what}"]


def test_a_value_that_an_expression_gives_is_converted_too(project: Project) -> None:
    found = params(project, "a: {type: str, value: '12'}\nb: {type: int, value: '${{ a }}'}")
    assert found == {"a": "12", "b": 12}


def test_a_value_of_an_expression_that_does_not_fit_is_a_fault_of_the_graph(
    project: Project,
) -> None:
    fields = """
    with: {size: {type: str, value: big}}
    tasks:
    - name: t
      with: {n: {type: int, value: "${{ size }}"}}
    """
    assert project.faults(fields, "t") == ["4:10: `n` must be an integer, not the text 'big'"]


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ("[new]", ["new"]),
        ("{append: [z]}", ["a", "b", "z"]),
        ("{prepend: [z]}", ["z", "a", "b"]),
        ("{append: z}", ["a", "b", "z"]),
        ("{prepend: 3}", [3, "a", "b"]),
        ("{append: [y], prepend: [x], path-append: [z], path-prepend: [w]}",
         ["w", "x", "a", "b", "y", "z"]),
        ("{path-append: z}", ["a", "b", "z"]),
        ("{value: [n], append: [z]}", ["n", "z"]),
        ("{append: ['${{ more }}', q]}", ["a", "b", "m1", "m2", "q"]),
    ],
)  # fmt: skip
def test_a_derived_task_may_set_a_list_or_add_to_it(
    project: Project, changes: str, value: Value
) -> None:
    nodes = project.graph(
        f"""
        with: {{more: {{type: list, value: [m1, m2]}}}}
        tasks:
        - {{name: base, run: x, with: {{flags: {{type: list, value: [a, b]}}}}}}
        - {{name: t, uses: base, with: {{flags: {changes}}}}}
        """,
        "t",
    )
    assert nodes["demo.t"].params == {"flags": value}


def test_additions_pile_up_along_the_chain(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a, run: x, with: {f: {type: list, value: [-sv], append: [-a]}}}
        - {name: b, uses: a, with: {f: {append: [-b], prepend: [-first]}}}
        - {name: c, uses: b, with: {f: {append: [-c], path-prepend: [-zero]}}}
        """,
        "a", "c",
    )  # fmt: skip
    assert nodes["demo.a"].params == {"f": ["-sv", "-a"]}
    assert nodes["demo.c"].params == {"f": ["-zero", "-first", "-sv", "-a", "-b", "-c"]}


@pytest.mark.parametrize("kind", ["str, value: s", "map", "int"])
def test_adding_to_what_is_no_list_is_a_fault(project: Project, kind: str) -> None:
    fields = f"""
    tasks:
    - {{name: base, with: {{x: {{type: {kind}}}}}}}
    - {{name: t, uses: base, with: {{x: {{append: [1]}}}}}}
    """
    (fault,) = project.faults(fields)
    assert fault.startswith("3:32: `x` is no list to add to: it is ")


def test_a_redeclaration_replaces_only_what_it_mentions(project: Project) -> None:
    fields = """
    tasks:
    - name: base
      run: x
      with:
        n: {type: int, value: 1, values: [1, 2, "3"], doc: a number}
    - {name: value, uses: base, with: {n: {value: "2"}}}
    - {name: kind, uses: base, with: {n: {type: str}}}
    - {name: doc, uses: base, with: {n: {doc: another}}}
    - {name: accepted, uses: base, with: {n: {values: [7], value: 7}}}
    - {name: last, uses: doc, with: {n: 2}}
    """
    names = ["value", "kind", "doc", "accepted", "last"]
    nodes = project.graph(fields, *names)
    assert [nodes[f"demo.{name}"].params["n"] for name in names] == [2, "1", 1, 7, 2]


def test_a_map_without_a_key_of_definitions_is_a_value(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, run: x, with: {m: {type: map, value: {k: v}}}}
        - {name: t, uses: base, with: {m: {other: 1}}}
        """,
        "t",
    )
    assert nodes["demo.t"].params == {"m": {"other": 1}}


def test_a_bare_value_for_a_new_parameter_is_a_fault(project: Project) -> None:
    assert project.faults("tasks:\n- name: t\n  with: {x: 3}") == [
        "3:10: task demo.t has no parameter `x` "
        "(a new parameter needs a type: {type: str, value: ...})"
    ]


def test_a_definition_without_a_type_is_no_new_parameter(project: Project) -> None:
    (fault,) = project.faults("tasks:\n- name: t\n  with: {x: {value: 3}}")
    assert fault.startswith("3:10: task demo.t has no parameter `x`")


def test_a_parameter_that_the_base_does_not_have_names_the_base_and_the_nearest(
    project: Project,
) -> None:
    fields = """
    tasks:
    - {name: base, with: {flags: {type: list}, top: {type: str}}}
    - {name: t, uses: base, with: {flag: [a]}}
    """
    assert project.faults(fields) == [
        "3:32: task demo.t has no parameter `flag`, nor has demo.base, which it uses "
        "(did you mean `flags`?)"
    ]


def test_a_derived_task_may_add_a_parameter(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, run: x, with: {a: {type: int, value: 1}}}
        - {name: t, uses: base, with: {b: {type: int, value: "${{ a }}"}}}
        """,
        "t",
    )
    assert nodes["demo.t"].params == {"a": 1, "b": 1}


def test_an_unknown_key_of_a_definition_is_a_warning(project: Project) -> None:
    fields = "tasks:\n- {name: t, with: {x: {type: int, vaule: 3}}}"
    assert project.warnings(fields, "t") == [
        "2:35: a parameter has no `vaule`; it is ignored (did you mean `value` or `values`?)"
    ]


def test_cli_and_doc_change_no_value(project: Project) -> None:
    text = "x: {type: int, value: 3, doc: d, cli: {name: y, short: z, hidden: true}}"
    assert params(project, text) == {"x": 3}


def test_a_list_in_a_list_is_spliced_where_it_is_one_expression(project: Project) -> None:
    found = params(
        project,
        """\
l: {type: list, value: [1, 2]}
m: {type: map, value: {k: "${{ l }}"}}
x: {type: list, value: [0, "${{ l }}", "<${{ l }}>", [9], "${{ m }}"]}
""",
    )
    assert found["m"] == {"k": [1, 2]}
    assert found["x"] == [0, 1, 2, "<[1, 2]>", [9], {"k": [1, 2]}]


def test_a_list_of_maps_stays_one(project: Project) -> None:
    found = params(project, "x: {type: list, value: [{a: 1, b: 2}, {a: 3}]}")
    assert found == {"x": [{"a": 1, "b": 2}, {"a": 3}]}


def test_a_package_variable_needs_a_type(project: Project) -> None:
    assert project.faults("with:\n  x: 3") == [
        "2:3: the package variable `x` needs a `type` (write {type: str, value: ...})"
    ]


def test_values_of_package_variables_are_checked_without_being_used(project: Project) -> None:
    fields = """
    with:
      n: {type: int, value: lots}
      o: {type: str, value: c, values: [a]}
    """
    assert len(project.faults(fields)) == 2


def test_the_values_of_one_node_are_not_those_of_another(project: Project, tmp_path: Path) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a, run: x, with: {f: {type: list, value: [1]}}}
        - {name: b, uses: a, with: {f: {append: [2]}}}
        """,
        "a", "b",
    )  # fmt: skip
    assert nodes["demo.a"].params == {"f": [1]}
