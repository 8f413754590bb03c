"""Section 12: whose outputs a task gets."""

import pytest

from tests.dfm.flow.conftest import Project


def test_needs_keep_the_order_written_and_each_is_there_once(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: a}\n- {name: b}\n- {name: t, needs: [b, a, demo.b, b]}", "t"
    )
    assert nodes.needs("demo.t") == ["demo.b", "demo.a"]


def test_only_what_is_needed_gets_into_the_graph(project: Project) -> None:
    nodes = project.graph("tasks:\n- {name: a}\n- {name: b}\n- {name: t, needs: [a]}", "t")
    assert sorted(nodes.names) == ["demo.a", "demo.t"]


def test_a_task_has_one_node_however_many_need_it(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a}
        - {name: b, needs: [a]}
        - {name: c, needs: [a]}
        - {name: t, needs: [b, c, a]}
        """,
        "t",
    )
    assert sorted(nodes.names) == ["demo.a", "demo.b", "demo.c", "demo.t"]


def test_several_goals_make_one_graph(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: a}\n- {name: b, needs: [a]}\n- {name: c, needs: [a]}", "c", "b", "c"
    )
    assert nodes.goals == ["demo.c", "demo.b"]
    assert sorted(nodes.names) == ["demo.a", "demo.b", "demo.c"]


@pytest.mark.parametrize("need", ["img-${{ sim }}", "${{ image }}", "demo.img-${{ sim }}"])
def test_a_need_may_hold_expressions(project: Project, need: str) -> None:
    fields = f"""
    with:
      sim: {{type: str, value: vcs}}
      image: {{type: str, value: "img-${{{{ sim }}}}"}}
    tasks:
    - {{name: img-vcs}}
    - {{name: img-xm}}
    - {{name: t, needs: [{need!r}]}}
    """
    assert project.graph(fields, "t").needs("demo.t") == ["demo.img-vcs"]
    assert project.graph(fields, "t", D=["sim=xm"]).needs("demo.t") == ["demo.img-xm"]


def test_a_need_may_be_computed_from_the_own_parameters(project: Project) -> None:
    fields = """
    tasks:
    - {name: a}
    - {name: b}
    - {name: t, needs: ["${{ of }}"], with: {of: {type: str, value: a}}}
    """
    assert project.graph(fields, "t").needs("demo.t") == ["demo.a"]
    assert project.graph(fields, "t", D=["t.of=b"]).needs("demo.t") == ["demo.b"]


def test_an_expression_may_give_a_list_of_needs(project: Project) -> None:
    fields = """
    with: {all: {type: list, value: [b, a]}}
    tasks:
    - {name: a}
    - {name: b}
    - {name: t, needs: ["${{ all }}"]}
    """
    assert project.graph(fields, "t").needs("demo.t") == ["demo.b", "demo.a"]


def test_a_computed_need_that_does_not_exist_is_a_fault_of_the_graph(project: Project) -> None:
    fields = """
    with: {sim: {type: str, value: vsc}}
    tasks:
    - {name: img-vcs}
    - {name: t, needs: ["img-${{ sim }}"]}
    """
    (fault,) = project.faults(fields, "t")
    assert "demo.t needs `img-vsc`, and there is no such task (did you mean `img-vcs`?)" in fault


def test_an_unknown_need_is_a_fault_of_loading_at_its_place(project: Project) -> None:
    fields = """
    tasks:
    - {name: compile}
    - {name: other}
    - name: t
      needs: [other, complie]
    """
    assert project.faults(fields) == [
        "5:18: demo.t needs `complie`, and there is no such task (did you mean `compile`?)"
    ]


def test_the_needs_of_a_task_may_be_taken_in_its_place(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a}
        - {name: b}
        - {name: c}
        - {name: sim, needs: [a, b]}
        - {name: lint, needs: [c, sim.needs]}
        - {name: again, needs: [demo.lint.needs]}
        """,
        "lint", "again",
    )  # fmt: skip
    assert nodes.needs("demo.lint") == ["demo.c", "demo.a", "demo.b"]
    assert nodes.needs("demo.again") == ["demo.c", "demo.a", "demo.b"]
    assert "demo.sim" not in nodes


def test_the_needs_of_a_task_are_those_it_inherits_and_is_fed_too(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a}
        - {name: feeder, feeds: [sim]}
        - {name: base, needs: [a]}
        - {name: sim, uses: base}
        - {name: t, needs: [sim.needs]}
        """,
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.a", "demo.feeder"]


def test_a_task_whose_name_ends_in_needs_is_meant_itself(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: a}\n- {name: sim, needs: [a]}\n- {name: sim.needs}\n"
        "- {name: t, needs: [sim.needs]}",
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.sim.needs"]


def test_the_needs_of_an_unknown_task_are_a_fault(project: Project) -> None:
    (fault,) = project.faults("tasks:\n- {name: sim}\n- {name: t, needs: [smi.needs]}")
    assert fault.startswith("3:21: demo.t needs `smi.needs`, and there is no such task")


def test_needs_of_tasks_that_lead_back_are_a_fault(project: Project) -> None:
    fields = "tasks:\n- {name: a, needs: [b.needs]}\n- {name: b, needs: [a.needs]}"
    (fault,) = project.faults(fields, "a")
    assert "demo.a -> demo.b -> demo.a" in fault


def test_who_feeds_a_task_comes_after_its_own_needs(project: Project) -> None:
    fields = """
    tasks:
    - {name: early, feeds: [t]}
    - {name: a}
    - {name: t, needs: [a]}
    - {name: late, feeds: [demo.t, a]}
    """
    nodes = project.graph(fields, "t")
    assert nodes.needs("demo.t") == ["demo.a", "demo.early", "demo.late"]
    assert nodes.needs("demo.a") == ["demo.late"]


def test_who_feeds_is_not_there_for_those_who_do_not_ask(project: Project) -> None:
    fields = "tasks:\n- {name: feeder, feeds: [t]}\n- {name: t}\n- {name: u}"
    assert project.graph(fields, "u").names == ["demo.u"]


def test_a_task_that_is_needed_and_feeds_is_there_once_in_its_first_place(
    project: Project,
) -> None:
    fields = "tasks:\n- {name: a, feeds: [t]}\n- {name: b}\n- {name: t, needs: [a, b]}"
    assert project.graph(fields, "t").needs("demo.t") == ["demo.a", "demo.b"]


def test_feeding_an_unknown_task_is_a_fault_with_the_nearest(project: Project) -> None:
    assert project.faults("tasks:\n- {name: sim}\n- {name: t, feeds: [smi]}") == [
        "3:21: demo.t feeds `smi`, and there is no such task (did you mean `sim`?)"
    ]


def test_feeding_may_make_a_circle(project: Project) -> None:
    (fault,) = project.faults("tasks:\n- {name: a, feeds: [b]}\n- {name: b, feeds: [a]}", "a")
    assert "tasks need each other in a circle: " in fault


@pytest.mark.parametrize(
    ("fields", "circle"),
    [
        ("- {name: a, needs: [a]}", ["a"]),
        ("- {name: a, needs: [b]}\n- {name: b, needs: [a]}", ["a", "b"]),
        ("- {name: a, needs: [b]}\n- {name: b, needs: [c]}\n- {name: c, needs: [b]}", ["b", "c"]),
        ("- {name: a, body: [{name: x, needs: [a]}]}", ["a", "a.x"]),
        ("- {name: a, body: [{name: x, needs: [b]}]}\n- {name: b, needs: [a]}", ["a", "a.x", "b"]),
        ("- {name: a, body: [{name: x, needs: [y]}, {name: y, needs: [x]}]}", ["a.x", "a.y"]),
        ("- {name: a, body: [{name: x, needs: [x]}]}", ["a.x"]),
    ],
)
def test_a_circle_is_a_fault_that_lists_its_members_with_their_places(
    project: Project, fields: str, circle: list[str]
) -> None:
    (fault,) = project.faults(f"tasks:\n{fields}", "a")
    said = fault.split("in a circle: ", 1)[1].split(" (")[0].split(" -> ")
    assert said[0] == said[-1]
    assert sorted(said[1:]) == [f"demo.{name}" for name in circle]
    for name in circle:
        assert f"demo.{name}: {project.file}:" in fault


def test_a_circle_that_nobody_asks_for_stops_nothing(project: Project) -> None:
    fields = "tasks:\n- {name: a, needs: [b]}\n- {name: b, needs: [a]}\n- {name: t}"
    assert project.graph(fields, "t").names == ["demo.t"]


def test_an_unneeded_unknown_need_is_a_fault_all_the_same(project: Project) -> None:
    assert len(project.faults("tasks:\n- {name: a, needs: [nope]}\n- {name: t}", "t")) == 1


def test_a_need_on_a_task_of_the_library_needs_no_import(project: Project) -> None:
    assert project.graph("tasks:\n- {name: t, needs: [std.Null]}", "t").needs("demo.t") == [
        "std.Null"
    ]


def test_a_body_task_may_need_the_task_outside_that_has_its_name(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: t}\n- {name: comp, body: [{name: t, needs: [t]}]}", "comp"
    )
    assert nodes.needs("demo.comp.t") == ["demo.t", "demo.comp.in"]


def test_feeds_takes_no_expressions(project: Project) -> None:
    fields = "with: {x: {type: str}}\ntasks:\n- {name: t, feeds: ['${{ x }}']}"
    assert project.faults(fields) == ["3:21: `feeds` takes the names of tasks, and no expressions"]


def test_a_body_task_feeds_siblings_only(project: Project) -> None:
    fields = "tasks:\n- {name: t}\n- {name: comp, body: [{name: a, feeds: [t]}, {name: b}]}"
    assert project.faults(fields) == [
        "3:41: demo.comp.a feeds `t`, and there is no such task in the body of demo.comp "
        "(known are `a`, `b`)"
    ]


def test_a_need_between_two_bodies_is_a_fault(project: Project) -> None:
    fields = (
        "tasks:\n- {name: one, body: [{name: a}]}\n- {name: two, body: [{name: b, needs: [a]}]}"
    )
    (fault,) = project.faults(fields)
    assert fault.startswith("3:40: demo.two.b needs `a`, and there is no such task")
