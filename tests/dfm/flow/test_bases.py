"""Section 11: what `uses` may name: tasks and types, written or computed."""

from dfm.graph.node import Library, Nothing
from tests.dfm.flow.conftest import Project


def test_uses_may_be_computed_from_package_variables(project: Project) -> None:
    fields = """
    with: {kind: {type: str, value: fast}}
    tasks:
    - {name: fast_sim, run: fast, with: {n: {type: int}}}
    - {name: slow_sim, run: slow}
    - {name: t, uses: "${{ kind }}_sim"}
    """
    assert project.graph(fields, "t").script("demo.t") == "fast"
    assert project.graph(fields, "t", D=["kind=slow"]).script("demo.t") == "slow"


def test_a_computed_uses_may_set_parameters_of_what_it_comes_to(project: Project) -> None:
    fields = """
    with: {kind: {type: str, value: fast}}
    tasks:
    - {name: fast, run: "fast ${{ n }}", with: {n: {type: int}}}
    - {name: t, uses: "${{ kind }}", with: {n: 4}}
    """
    assert project.graph(fields, "t").script("demo.t") == "fast 4"


def test_uses_may_be_computed_from_parameters_of_the_compound_around(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: fast, run: f}
        - name: comp
          with: {kind: {type: str, value: fast}}
          body: [{name: t, uses: "${{ kind }}"}, {name: u, uses: "${{ this.kind }}"}]
        """,
        "comp",
    )
    assert nodes.script("demo.comp.t") == nodes.script("demo.comp.u") == "f"


def test_a_computed_uses_that_comes_to_nothing_known_is_a_fault_of_the_graph(
    project: Project,
) -> None:
    fields = """
    with: {kind: {type: str, value: fats}}
    tasks:
    - {name: fast, run: f}
    - {name: t, uses: "${{ kind }}"}
    """
    assert project.faults(fields, "t") == ["4:19: no task or type `fats` (did you mean `fast`?)"]


def test_uses_cannot_see_the_own_parameters(project: Project) -> None:
    fields = """
    tasks:
    - {name: fast}
    - {name: t, uses: "${{ kind }}", with: {kind: {type: str, value: fast}}}
    """
    (fault,) = project.faults(fields)
    assert fault.startswith("3:24: `uses` of demo.t: `kind` is not defined (it is a parameter")


def test_an_unknown_base_is_a_fault_with_the_nearest_names(project: Project) -> None:
    fields = "types: [{name: Options}]\ntasks:\n- {name: compile}\n- {name: t, uses: complie}\n- {name: u, uses: Option}"
    assert project.faults(fields) == [
        "4:19: no task or type `complie` (did you mean `compile`?)",
        "5:19: no task or type `Option` (did you mean `Options`?)",
    ]


def test_a_base_of_the_library_is_suggested_by_its_full_name(project: Project) -> None:
    (fault,) = project.faults("tasks:\n- {name: t, uses: FileSet}")
    assert "`std.FileSet`" in fault


def test_tasks_that_use_each_other_in_a_circle_are_a_fault(project: Project) -> None:
    fields = """
    tasks:
    - {name: a, uses: b}
    - {name: b, uses: c}
    - {name: c, uses: b}
    """
    assert project.faults(fields) == [
        "3:19: `demo.b` uses itself: demo.b -> demo.c -> demo.b",
        "4:19: `demo.c` uses itself: demo.c -> demo.b -> demo.c",
    ]


def test_a_task_that_uses_itself_is_a_fault(project: Project) -> None:
    (fault,) = project.faults("tasks:\n- {name: a, uses: a}")
    assert fault.startswith("2:19: `demo.a` uses itself")


def test_a_task_is_preferred_to_a_type_of_its_name(project: Project) -> None:
    nodes = project.graph(
        """
        types: [{name: X, uses: std.DataItem}]
        tasks:
        - {name: X, run: from the task}
        - {name: t, uses: X}
        - {name: files, uses: std.FileSet}
        """,
        "t", "files",
    )  # fmt: skip
    assert nodes.script("demo.t") == "from the task"
    assert nodes["demo.files"].work == Library("FileSet")


def test_a_sibling_is_preferred_to_a_task_of_the_package(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, run: outside}
        - name: comp
          body:
          - {name: base, run: inside}
          - {name: t, uses: base}
          - {name: deep, body: [{name: u, uses: base}]}
        """,
        "comp",
    )
    assert nodes.script("demo.comp.t") == "inside"
    assert nodes.script("demo.comp.deep.u") == "inside"


def test_a_body_task_may_use_the_task_outside_that_has_its_name(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: t, run: outside}\n- {name: comp, body: [{name: t, uses: t}]}", "comp"
    )
    assert nodes.script("demo.comp.t") == "outside"


def test_an_abstract_task_may_be_used_and_not_be_run_or_needed(project: Project) -> None:
    fields = """
    tasks:
    - {name: base, abstract: true, run: x}
    - {name: t, uses: base}
    - {name: u, needs: [base]}
    """
    assert project.graph(fields, "t").script("demo.t") == "x"
    for goal in ("base", "u"):
        (fault,) = project.faults(fields, goal)
        assert "demo.base is abstract" in fault


def test_an_empty_uses_is_none(project: Project) -> None:
    assert project.graph("tasks:\n- {name: t, uses: }", "t")["demo.t"].work == Nothing()
