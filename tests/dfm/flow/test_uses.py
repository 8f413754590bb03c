"""Section 11: what a task takes from the task or the type that it uses."""

import pytest

from dfm.graph.node import Emit, Nothing, Script
from tests.dfm.flow.conftest import Project


def test_a_run_and_its_shell_are_inherited_together(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, run: ls, shell: tcsh}
        - {name: t, uses: base}
        - {name: u, uses: t, shell: csh}
        """,
        "t", "u",
    )  # fmt: skip
    for name in ("demo.t", "demo.u"):
        work = nodes[name].work
        assert isinstance(work, Script)
        assert (work.language, work.text) == ("tcsh", "ls")


def test_an_own_run_without_a_shell_is_bash_whatever_the_base_has(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, run: ls, shell: tcsh}
        - {name: t, uses: base, run: pwd}
        - {name: old, pytask: m.f}
        - {name: u, uses: old, run: x}
        """,
        "t", "u",
    )  # fmt: skip
    works = [nodes[name].work for name in ("demo.t", "demo.u")]
    assert [w.language for w in works if isinstance(w, Script)] == ["bash", "bash"]
    assert nodes.script("demo.t") == "pwd"


@pytest.mark.parametrize(
    "order", ["shell: pytask, run: m.f", "run: m.f, shell: pytask", "pytask: m.f"]
)
def test_a_python_task_is_one_whatever_the_order_of_its_fields(
    project: Project, order: str
) -> None:
    work = project.graph(f"tasks:\n- {{name: t, {order}}}", "t")["demo.t"].work
    assert isinstance(work, Script)
    assert (work.language, work.text) == ("python", "m.f")


@pytest.mark.parametrize(
    ("shell", "language"),
    [("bash", "bash"), ("shell", "bash"), ("csh", "csh"), ("tcsh", "tcsh"), ("pytask", "python")],
)
def test_the_shells_of_the_language(project: Project, shell: str, language: str) -> None:
    work = project.graph(f"tasks:\n- {{name: t, shell: {shell}, run: x}}", "t")["demo.t"].work
    assert isinstance(work, Script)
    assert work.language == language


@pytest.mark.parametrize("fields", ["run: x", "body: []", "needs: []"])
def test_any_other_shell_is_a_fault_also_where_it_has_no_effect(
    project: Project, fields: str
) -> None:
    (fault,) = project.faults(f"tasks:\n- {{name: t, shell: sh, {fields}}}")
    assert fault.startswith("2:20: `sh` is not one of bash, shell, csh, tcsh, pytask")


def test_needs_of_the_base_come_first(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: a}
        - {name: b}
        - {name: c}
        - {name: base, needs: [b]}
        - {name: mid, uses: base, needs: [c]}
        - {name: t, uses: mid, needs: [a, b]}
        """,
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.b", "demo.c", "demo.a"]


def test_the_nearest_writing_of_these_fields_counts(project: Project) -> None:
    fields = """
    tasks:
    - name: base
      run: x
      consumes: none
      passthrough: all
      produces: [{type: a}]
      uptodate: false
    - {name: mid, uses: base, consumes: [{type: m}], uptodate: mod.fn}
    - {name: t, uses: mid, passthrough: none, produces: []}
    """
    nodes = project.graph(fields, "base", "mid", "t")
    base, mid, t = (nodes[f"demo.{name}"] for name in ("base", "mid", "t"))
    assert (base.consumes, base.passthrough, base.uptodate) == ("none", "all", False)
    assert (mid.consumes, mid.passthrough, mid.uptodate) == ([{"type": "m"}], "all", "mod.fn")
    assert (t.consumes, t.passthrough, t.uptodate) == ([{"type": "m"}], "none", "mod.fn")
    assert (base.produces, mid.produces, t.produces) == ([{"type": "a"}], [{"type": "a"}], [])


def test_uptodate_true_takes_back_what_the_base_says(project: Project) -> None:
    fields = "tasks:\n- {name: b, run: x, uptodate: false}\n- {name: t, uses: b, uptodate: true}"
    assert project.graph(fields, "t")["demo.t"].uptodate is True


def test_these_fields_are_not_inherited(project: Project) -> None:
    fields = """
    tasks:
    - {name: fed}
    - name: base
      scope: [root]
      iff: false
      feeds: [fed]
      rundir: inherit
      tags: [std.Stable]
      examples: [{code: x}]
      run: x
    - name: comp
      body: [{name: t, uses: base}]
    """
    nodes = project.graph(fields, "comp", "fed")
    assert isinstance(nodes["demo.comp.t"].work, Script)
    assert nodes["demo.comp.t"].rundir == "demo.comp/demo.comp.t"
    flow = project.load(fields)
    assert flow.program.root.tasks["demo.comp"].scopes == frozenset()
    assert nodes.needs("demo.fed") == ["demo.base"]


def test_the_body_of_the_base_comes_before_the_own(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, body: [{name: a}]}
        - {name: t, uses: base, body: [{name: b}]}
        """,
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.base.a", "demo.t.b"]


def test_an_own_task_of_the_body_may_need_an_inherited_one(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, body: [{name: a}]}
        - {name: t, uses: base, body: [{name: b, needs: [a]}]}
        """,
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.t.b"]
    assert nodes.needs("demo.t.b") == ["demo.base.a"]


def test_a_run_has_no_effect_on_what_uses_a_compound(project: Project) -> None:
    nodes = project.graph(
        "tasks:\n- {name: base, body: [{name: a}]}\n- {name: t, uses: base, run: x}", "t"
    )
    assert nodes.needs("demo.t") == ["demo.base.a"]


def test_a_strategy_is_inherited_with_the_body(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: base
          strategy: {matrix: {x: [1, 2]}}
          body: [{name: a, run: "${{ matrix.x }}"}]
        - {name: t, uses: base}
        """,
        "t",
    )
    assert [nodes.script(f"demo.base.a_{n}") for n in (0, 1)] == ["1", "2"]
    assert nodes.needs("demo.t") == ["demo.t.in", "demo.base.a_0", "demo.base.a_1"]


def test_a_strategy_is_not_inherited_by_a_task_with_a_body_of_its_own(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, strategy: {matrix: {x: [1, 2]}}, body: [{name: a}]}
        - {name: t, uses: base, body: [{name: b}]}
        """,
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.base.a", "demo.t.b"]


def test_an_own_strategy_replaces_that_of_the_base(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, strategy: {matrix: {x: [1, 2]}}, body: [{name: a}]}
        - {name: t, uses: base, strategy: {matrix: {x: [1]}}}
        """,
        "t",
    )
    assert nodes.needs("demo.t") == ["demo.t.in", "demo.base.a_0"]


def test_directories_are_those_of_the_derived_task_and_texts_stay_at_home(
    project: Project,
) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: base, run: "${{ srcdir }} ${{ rundir }} ${{ name }}"}
        - {name: t, uses: base}
        """,
        "t",
    )
    assert nodes["demo.t"].srcdir == str(project.folder)
    assert nodes.script("demo.t") == f"{project.folder} /work/rundir/demo.t demo.t"


def test_a_task_that_says_nothing_does_nothing(project: Project) -> None:
    assert project.graph("tasks:\n- {name: t}", "t")["demo.t"].work == Nothing()


def test_a_data_type_makes_a_task_emit_unless_it_has_a_run(project: Project) -> None:
    nodes = project.graph(
        """
        types: [{name: Opts, uses: std.DataItem, with: {n: {type: int}}}]
        tasks:
        - {name: t, uses: Opts}
        - {name: u, uses: t, run: x}
        """,
        "t", "u",
    )  # fmt: skip
    assert nodes["demo.t"].work == Emit("demo.Opts")
    assert isinstance(nodes["demo.u"].work, Script)
    assert nodes["demo.u"].params == {"n": 0}


def test_needs_of_a_base_mean_what_they_mean_where_they_stand(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - {name: x}
        - {name: base, needs: [x]}
        - name: comp
          body:
          - {name: x}
          - {name: t, uses: base}
          - {name: own, needs: [x]}
        """,
        "comp",
    )
    assert nodes.needs("demo.comp.t") == ["demo.x", "demo.comp.in"]
    assert nodes.needs("demo.comp.own") == ["demo.comp.x"]


def test_a_description_is_the_own_or_that_of_the_nearest_base(project: Project) -> None:
    flow = project.load(
        """
        tasks:
        - {name: base, desc: of the base}
        - {name: mid, uses: base}
        - {name: t, uses: mid}
        - {name: own, uses: mid, desc: of its own}
        - {name: none}
        """
    )
    found = {task.short: flow.description(task) for task in flow.program.root.tasks.values()}
    assert found == {
        "base": "of the base", "mid": "of the base", "t": "of the base", "own": "of its own",
        "none": "",
    }  # fmt: skip
