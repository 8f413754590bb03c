"""`strategy: select`: families of variants (section 19.3)."""

import pytest

from tests.dfm.flow.conftest import Project

MODEL = """
with: {archs: {type: list, value: [x86, arm]}}
tasks:
- root: model
  strategy:
    select:
      axes: {arch: "${{ archs }}", mode: [rel, dbg]}
%s
  body:
  - {name: make, run: "b ${{ this.arch }} ${{ mode }} ${{ matrix.mode }}"}
"""


def model(*more: str) -> str:
    return MODEL % "\n".join(f"      {line}" for line in more)


def test_a_variant_is_a_task_of_its_own_in_a_directory_of_its_own(project: Project) -> None:
    graph = project.graph(model() + "- {name: t, needs: [model.x86.dbg]}\n", "t")
    assert graph.names == ["demo.t", "demo.model.x86.dbg"]
    assert graph.rundirs["demo.model.x86.dbg"] == "demo.model.x86.dbg"
    assert graph.script("demo.model.x86.dbg") == "b x86 dbg dbg"


def test_a_variant_is_shared_by_all_who_need_it(project: Project) -> None:
    more = "- {name: t, needs: [model.x86.dbg, u]}\n- {name: u, needs: [demo.model.x86.dbg]}\n"
    graph = project.graph(model() + more, "t")
    assert graph.names.count("demo.model.x86.dbg") == 1


@pytest.mark.parametrize(
    ("default", "goals"),
    [
        ([], ["x86.rel"]),
        (["default: {mode: dbg}"], ["x86.dbg"]),
        (["default: {mode: dbg, arch: '${{ archs[1] }}'}"], ["arm.dbg"]),
        (["default: all"], ["x86.rel", "x86.dbg", "arm.rel", "arm.dbg"]),
    ],
)
def test_the_name_of_the_family_means_its_default(
    project: Project, default: list[str], goals: list[str]
) -> None:
    flow = model(*default) + "- {name: t, needs: [model]}\n"
    names = [f"demo.model.{key}" for key in goals]
    assert project.graph(flow, "model").goals == names
    assert project.graph(flow, "t").needs("demo.t") == names


def test_a_default_may_be_computed_from_the_parameters_of_the_family(project: Project) -> None:
    flow = model("default: {mode: '${{ m }}'}") + "  with: {m: {type: str, value: rel}}\n"
    assert project.graph(flow, "model", D=["model.m=dbg"]).goals == ["demo.model.x86.dbg"]


def test_a_family_without_a_default_cannot_be_used_by_its_name(project: Project) -> None:
    (fault,) = project.faults(model("default: none") + "- {name: t, needs: [model]}\n", "t")
    assert "demo.model has no default: one of its variants is to be named" in fault
    assert "model.x86.rel, model.x86.dbg" in fault


def test_a_part_of_a_key_is_enough_on_the_command_line(project: Project) -> None:
    flow = model("default: {mode: dbg}")
    assert project.graph(flow, "model.arm").goals == ["demo.model.arm.dbg"]
    assert project.graph(flow, "demo.model.rel").goals == ["demo.model.x86.rel"]
    assert project.graph(flow, "model.arm.rel").goals == ["demo.model.arm.rel"]
    assert project.graph(model("default: all"), "model.arm").goals == [
        "demo.model.arm.rel", "demo.model.arm.dbg",
    ]  # fmt: skip


def test_a_part_of_a_key_is_a_fault_in_needs(project: Project) -> None:
    (fault,) = project.faults(model() + "- {name: t, needs: [model.arm]}\n")
    assert "demo.t needs `model.arm`: demo.model has no variant `arm`" in fault
    assert "model.arm.rel, model.arm.dbg" in fault


def test_an_unknown_key_is_said_with_the_nearest(project: Project) -> None:
    (fault,) = project.faults(model() + "- {name: t, needs: [model.arn.dbg]}\n")
    assert "did you mean `model.arm.dbg`" in fault
    assert "no variant `arn.dbg`" in project.usage(model(), "model.arn.dbg")
    assert "no variant `x86.rel.x`" in project.usage(model(), "model.x86.rel.x")


def test_a_need_may_be_computed(project: Project) -> None:
    flow = model() + "- {name: t, needs: ['model.${{ archs[1] }}.rel']}\n"
    assert project.graph(flow, "t").needs("demo.t") == ["demo.model.arm.rel"]


def test_a_key_may_have_another_form(project: Project) -> None:
    flow = model('key: "${{ this.mode }}-${{ this.arch }}"')
    assert project.graph(flow, "model.dbg-arm").goals == ["demo.model.dbg-arm"]
    assert project.graph(flow, "model").goals == ["demo.model.rel-x86"]


def test_what_a_family_needs_and_what_feeds_it_its_variants_need(project: Project) -> None:
    more = "  needs: [a]\n- {name: a}\n- {name: f, feeds: [model]}\n"
    graph = project.graph(model() + more, "model.x86.rel")
    assert graph.needs("demo.model.x86.rel") == ["demo.a", "demo.f"]


def test_an_axis_follows_the_command_line(project: Project) -> None:
    assert project.graph(model(), "model", D=["archs=riscv"]).goals == ["demo.model.riscv.rel"]


def test_a_recipe_may_be_a_compound_or_made_from_a_task(project: Project) -> None:
    flow = """
tasks:
- {name: build, with: {a: {type: str}}, run: "${{ a }}"}
- name: m
  strategy: {select: {axes: {x: [p, q]}}}
  body:
  - name: r
    body:
    - {name: one, uses: build, with: {a: "${{ this.x }}"}}
"""
    graph = project.graph(flow, "m.p", "m.q")
    scripts = {node.rundir: node.work.text for node in graph.graph.nodes  # type: ignore[union-attr]
               if node.name == "demo.m.r.one"}  # fmt: skip
    assert scripts == {"demo.m.p/demo.m.r.one": "p", "demo.m.q/demo.m.r.one": "q"}


def test_a_family_that_is_made_from_another_has_variants_of_its_own(project: Project) -> None:
    flow = model() + "- {name: other, uses: model}\n"
    assert project.graph(flow, "other.arm.rel").goals == ["demo.other.arm.rel"]


def test_a_disabled_family_has_disabled_variants(project: Project) -> None:
    graph = project.graph(model() + "  iff: false\n", "model")
    assert not graph["demo.model.x86.rel"].is_task


@pytest.mark.parametrize(
    ("strategy", "body", "fault"),
    [
        ("select: {}", "[{name: r}]", "`select` needs `axes`"),
        ("select: {axes: {a: x}}", "[{name: r}]", "axis `a` of demo.m must be a list"),
        ("select: {axes: {a: [x]}, kye: b}", "[{name: r}]", "`select` has no field `kye`"),
        ("select: {axes: {a: [x, x]}}", "[{name: r}]", "two variants of demo.m have the key `x`"),
        ("select: {axes: {a: [x]}, default: some}", "[{name: r}]", "`some` is not one of all, none"),
        ("select: {axes: {a: [x]}, default: {b: x}}", "[{name: r}]", "has no field `b`"),
        ("select: {axes: {a: [x]}, key: '${{ nope }}'}", "[{name: r}]", "`nope` is not defined"),
        ("select: {axes: {a: [x]}}", "[{name: r}, {name: s}]", "the body of a `select` is one task"),
        ("select: {axes: {a: [x]}}, matrix: {b: [y]}", "[{name: r}]", "`matrix` and `select`"),
        ("select: {axes: {a: [x]}}, generate: {run: m.f}", "[]", "`generate` and `select`"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_family_is_a_fault(
    project: Project, strategy: str, body: str, fault: str
) -> None:
    faults = project.faults(f"tasks: [{{name: m, strategy: {{{strategy}}}, body: {body}}}]")
    assert fault in faults[0]


def test_a_default_that_no_variant_has_is_a_fault(project: Project) -> None:
    (fault,) = project.faults(model("default: {mode: fast}"), "model")
    assert "demo.model has no variant {mode: fast, arch: x86}" in fault or "arch: x86" in fault


def test_a_family_does_not_stand_in_a_body(project: Project) -> None:
    inner = "{name: m, strategy: {select: {axes: {a: [x]}}}, body: [{name: r}]}"
    (fault,) = project.faults(f"tasks: [{{name: t, body: [{inner}]}}]")
    assert "`select` is for tasks of a package, not of a body" in fault


def test_the_axes_are_known_to_lists(project: Project) -> None:
    flow = project.load(model())
    (task,) = flow.program.root.tasks.values()
    assert flow.axes(task) == {"arch": ["x86", "arm"], "mode": ["rel", "dbg"]}
