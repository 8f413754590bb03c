"""Section 8: declared names, references, and the TASK of a command line."""

import pytest

from tests.dfm.flow.conftest import RUNDIR, Project

AWKWARD = "\\/:*?\"<>|#%&{}$!'@+=;`"


@pytest.mark.parametrize("character", AWKWARD)
def test_characters_awkward_in_a_path_are_replaced_in_folders_only(
    project: Project, character: str
) -> None:
    name = f"a{character}b"
    quoted = name.replace("'", "''")
    nodes = project.graph(f"tasks:\n- name: '{quoted}'\n  run: x", name)
    assert nodes.rundirs == {f"demo.{name}": "demo.a_b"}


@pytest.mark.parametrize("name", ["a-b", "a_b", "a.b", "a b", "ä", "1", "a,b", "a(b)", "a[0]~^"])
def test_other_characters_of_a_name_stay_in_its_folder(project: Project, name: str) -> None:
    nodes = project.graph(f"tasks:\n- {{name: '{name}', run: x}}", name)
    assert nodes.rundirs == {f"demo.{name}": f"demo.{name}"}


def test_two_names_that_become_one_folder_are_a_fault(project: Project) -> None:
    fields = "tasks:\n- {name: 'a/b'}\n- {name: 'a:b'}"
    (fault,) = project.faults(fields, "a/b", "a:b")
    assert "demo.a/b and demo.a:b have one run directory: demo.a_b" in fault


@pytest.mark.parametrize("name", ["''", "'  '", "3", "true", "[a]", '"a\\nb"', "~"])
def test_what_cannot_be_a_name_is_a_fault(project: Project, name: str) -> None:
    assert len(project.faults(f"tasks:\n- {{name: {name}}}")) == 1


def test_a_name_of_a_package_may_have_dots(project: Project) -> None:
    project.file.write_text(
        "package:\n  name: ip.uart\n  with: {w: {type: int, value: 8}}\n"
        "  tasks:\n  - {name: a, run: '${{ ip.uart.w }} ${{ w }}'}\n"
        "  - {name: t, needs: [a, ip.uart.a]}\n"
    )
    flow = project.load_file(project.file)
    for name in ("t", "uart.t", "ip.uart.t"):
        graph = flow.graph([name], RUNDIR)
        assert [node.name for node in graph.nodes] == ["ip.uart.t", "ip.uart.a"]
    assert getattr(graph.nodes[1].work, "text") == "8 8"  # noqa: B009


def test_a_reference_is_a_sibling_first_then_one_around_then_of_the_package(
    project: Project,
) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a, run: outside}
        - {name: b, run: outside}
        - {name: c, run: outside}
        - name: outer
          body:
          - {name: a}
          - {name: b}
          - name: inner
            body:
            - {name: a}
            - {name: t, needs: [a, b, c, demo.a]}
        """,
        "outer",
    )
    assert nodes.needs("demo.outer.inner.t") == [
        "demo.outer.inner.a", "demo.outer.b", "demo.c", "demo.a",
    ]  # fmt: skip


def test_the_own_package_comes_before_a_full_name(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: std.Null, run: own}\n- {name: t, needs: [std.Null]}", "t"
    )
    assert nodes.needs("demo.t") == ["demo.std.Null"]


def test_tasks_of_a_body_cannot_be_needed_from_outside(project: Project) -> None:
    fields = "tasks:\n- {name: comp, body: [{name: a}]}\n- {name: t, needs: [comp.a]}"
    (fault,) = project.faults(fields)
    assert "demo.t needs `comp.a`, and there is no such task" in fault


@pytest.mark.parametrize("name", ["demo.comp.a", "comp.a", "a", "demo.comp.in", "comp.in", "m.c_0"])
def test_tasks_of_a_body_cells_and_entries_cannot_be_run(project: Project, name: str) -> None:
    fields = """
    tasks:
    - {name: comp, body: [{name: a}]}
    - {name: m, strategy: {matrix: {x: [1]}}, body: [{name: c}]}
    """
    assert project.usage(fields, name).startswith(f"package demo has no task `{name}`")


def test_a_full_name_is_exact(project: Project) -> None:
    fields = "tasks:\n- {name: t}\n- {name: demo.t}"
    assert project.graph(fields, "demo.t").goals == ["demo.t"]


def test_an_ending_after_a_dot_finds_a_task(project: Project) -> None:
    fields = "tasks:\n- {name: unit.smoke}\n- {name: mysmoke}"
    assert project.graph(fields, "smoke").goals == ["demo.unit.smoke"]
    assert project.graph(fields, "unit.smoke").goals == ["demo.unit.smoke"]


def test_of_several_the_only_root_is_meant(project: Project) -> None:
    fields = "tasks:\n- {name: a.t}\n- {root: b.t}\n- {name: t}"
    assert project.graph(fields, "t").goals == ["demo.b.t"]


@pytest.mark.parametrize("key", ["name", "root"])
def test_else_the_one_directly_in_the_package_is_meant(project: Project, key: str) -> None:
    fields = f"tasks:\n- {{{key}: a.t}}\n- {{{key}: t}}\n- {{{key}: b.t}}"
    assert project.graph(fields, "t").goals == ["demo.t"]


def test_else_the_candidates_are_listed(project: Project) -> None:
    fields = "tasks:\n- {root: a.t}\n- {root: b.t}\n- {name: c.t}"
    what = project.usage(fields, "t")
    assert what == "`t` may be one of demo.a.t, demo.b.t, demo.c.t (give the full name)"


def test_an_unknown_task_gets_suggestions(project: Project) -> None:
    what = project.usage("tasks:\n- {name: compile}", "complie")
    assert what == "package demo has no task `complie` (did you mean `compile`?)"


def test_an_unknown_task_of_a_package_without_tasks_is_an_error_too(project: Project) -> None:
    assert project.usage("desc: nothing", "t").startswith("package demo has no task `t`")


@pytest.mark.parametrize("key", ["name", "root", "export", "local"])
def test_a_task_of_any_scope_can_be_run_and_needed(project: Project, key: str) -> None:
    fields = f"tasks:\n- {{{key}: a}}\n- {{name: t, needs: [a]}}"
    assert project.graph(fields, "a", "t").goals == ["demo.a", "demo.t"]


@pytest.mark.parametrize(
    ("fields", "scopes"),
    [
        ("name: t", set()),
        ("root: t", {"root"}),
        ("export: t", {"export"}),
        ("local: t", {"local"}),
        ("name: t, scope: root", {"root"}),
        ("name: t, scope: [root, export]", {"root", "export"}),
        ("local: t, scope: [root]", {"local", "root"}),
        ("name: t, scope: [mine]", {"mine"}),
    ],
)
def test_scopes_are_set_by_the_name_or_by_scope(
    project: Project, fields: str, scopes: set[str]
) -> None:
    task = project.load(f"tasks:\n- {{{fields}}}").program.root.tasks["demo.t"]
    assert task.scopes == scopes
