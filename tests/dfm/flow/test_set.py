"""`set`, `let` and `resolve()` (section 24)."""

import pytest

from tests.dfm.flow.conftest import Project

SIM = """
with: {sim: {type: str, value: icarus}}
tasks:
- name: Sim
  with: {seed: {type: int}, trace: {type: bool}, tool: {type: str, value: "${{ sim }}"}}
  run: "${{ demo.sim }} ${{ sim }} ${{ tool }} ${{ seed }} ${{ trace }}"
"""


def runs(setting: str, more: str = "") -> str:
    return f"""{SIM}- name: runs
  set: {setting}
{more}  body:
  - {{name: smoke, uses: Sim, with: {{seed: 5}}}}
  - {{name: full, uses: Sim}}
"""


def test_a_variable_is_seen_rebound_in_the_body(project: Project) -> None:
    graph = project.graph(runs("[{demo.sim: vcs}]"), "runs", "Sim")
    assert graph.script("demo.runs.full") == "vcs vcs vcs 0 false"
    assert graph.script("demo.Sim") == "icarus icarus icarus 0 false"


def test_a_bare_name_is_a_variable_of_the_package(project: Project) -> None:
    graph = project.graph(runs("[{sim: vcs}]"), "runs")
    assert graph.script("demo.runs.full") == "vcs vcs vcs 0 false"


def test_parameters_are_forced_by_the_type_of_nodes(project: Project) -> None:
    graph = project.graph(runs('[{uses: "demo.S*", set: [{trace: true}, {nope: 1}]}]'), "runs")
    assert graph.script("demo.runs.full").endswith("0 true")
    assert graph["demo.runs.full"].params["trace"] is True, "the environment agrees with the text"


def test_parameters_are_forced_by_the_name_of_nodes(project: Project) -> None:
    graph = project.graph(runs('[{path: "*.smoke", set: [{seed: 1}]}]'), "runs")
    assert graph.script("demo.runs.smoke").endswith(" 1 false"), "`with` gives way"
    assert graph.script("demo.runs.full").endswith(" 0 false")


def test_a_type_and_a_name_must_both_fit(project: Project) -> None:
    graph = project.graph(runs('[{path: "*.smoke", uses: "other.*", set: [{seed: 1}]}]'), "runs")
    assert graph.script("demo.runs.smoke").endswith(" 5 false")


def test_the_outer_one_wins(project: Project) -> None:
    flow = f"""{SIM}- name: outer
  set: [{{demo.sim: vcs}}, {{path: "*", set: [{{seed: 1}}]}}]
  body:
  - name: inner
    provide: [{{demo.sim: xcelium}}, {{path: "*", set: [{{seed: 2, trace: true}}]}}]
    body: [{{name: s, uses: Sim}}]
"""
    assert project.graph(flow, "outer").script("demo.outer.inner.s") == "vcs vcs vcs 1 true"


def test_the_command_line_wins(project: Project) -> None:
    graph = project.graph(runs("[{demo.sim: vcs}]"), "runs", D=["demo.sim=questa"])
    assert graph.script("demo.runs.full") == "questa questa questa 0 false"


def test_values_may_use_the_axes_of_a_matrix(project: Project) -> None:
    flow = runs(
        '[{demo.sim: "${{ matrix.s }}"}, {path: "*", set: [{seed: "${{ this.n }}"}]}]',
        "  strategy: {matrix: {s: [a, b], n: [7]}}\n",
    )
    graph = project.graph(flow, "runs")
    assert graph.script("demo.runs.smoke_0_0") == "a a a 7 false"
    assert graph.script("demo.runs.full_1_0") == "b b b 7 false"


def test_a_computed_base_sees_it(project: Project) -> None:
    flow = """
with: {kind: {type: str, value: a}}
tasks:
- {name: a, run: is a}
- {name: b, run: is b}
- {name: t, set: [{kind: b}], body: [{name: x, uses: "${{ kind }}"}]}
"""
    assert project.graph(flow, "t").script("demo.t.x") == "is b"


NEEDS = f"""{SIM}- {{name: only, uses: Sim}}
- {{name: shared, uses: Sim}}
- {{name: before, uses: Sim}}
- name: runs
  needs: [before]
  set: [{{demo.sim: vcs}}, {{uses: demo.Sim, set: [{{trace: true}}]}}]
  body: [{{name: s, needs: [only, shared]}}]
- {{name: all, needs: [runs, shared]}}
"""


def test_it_counts_for_needs_that_are_reached_through_the_task_only(project: Project) -> None:
    graph = project.graph(NEEDS, "all")
    assert graph.script("demo.only") == "vcs vcs vcs 0 true"
    assert graph.script("demo.shared") == "icarus icarus icarus 0 false"
    assert graph.script("demo.before") == "icarus icarus icarus 0 false"


def test_what_is_reached_depends_on_what_is_asked_for(project: Project) -> None:
    graph = project.graph(NEEDS, "runs")
    assert graph.script("demo.shared") == "vcs vcs vcs 0 true"


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("[{demo.sum: x}]", "no package variable `demo.sum` to set (did you mean `demo.sim`"),
        ("{demo.sim: x}", "`set` must be a list of maps"),
        ("[{path: a, set: [{seed: 1}], use: b}]", "a scope of `set` has no field `use`"),
        ("[{path: a}]", "a scope of `set` needs a `set` of its own"),
        ("[{set: [{seed: 1}]}]", "a scope of `set` needs `uses` or `path`"),
        ("[{demo.sim: '${{ nope }}'}]", "`set` of demo.runs: `nope` is not defined"),
        ("[{path: '*', set: [{seed: x}]}]", "`seed` must be an integer, not the text 'x'"),
    ],
)
def test_what_is_wrong_with_set_is_a_fault(project: Project, setting: str, fault: str) -> None:
    (found, *_) = project.faults(runs(setting), "runs")
    assert fault in found


RESOLVE = """
with: {site: {type: str, value: lab}}
tasks:
- name: T
  with: {site: {type: str, value: "${{ resolve() }}"}, x: {type: str, value: "${{ resolve('d') }}"}}
  run: "${{ site }} ${{ x }} ${{ resolve('y', 'none') }}"
- {name: t, uses: T}
- name: c
  let: {x: 1, y: "${{ site }}-y"}
  body: [{name: b, uses: T}, {name: d, let: {y: inner}, body: [{name: e, uses: T}]}]
"""


def test_resolve_takes_the_variable_of_the_packages_or_the_default(project: Project) -> None:
    assert project.graph(RESOLVE, "t").script("demo.t") == "lab d none"


def test_let_provides_below_the_task_and_the_nearest_counts(project: Project) -> None:
    graph = project.graph(RESOLVE, "c")
    assert graph.script("demo.c.b") == "lab 1 lab-y"
    assert graph.script("demo.c.d.e") == "lab 1 inner"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("resolve('nope')", "nothing provides `nope`, and there is no default"),
        ("resolve()", "`resolve` without a name is for the values of parameters"),
        ("resolve(1, 2, 3)", "`resolve` takes 0 or 1 or 2 arguments, not 3"),
    ],
)
def test_what_resolve_does_not_find_is_a_fault(project: Project, text: str, fault: str) -> None:
    (found,) = project.faults(f'tasks: [{{name: t, run: "${{{{ {text} }}}}"}}]', "t")
    assert fault in found


def test_let_is_a_map(project: Project) -> None:
    (fault,) = project.faults("tasks: [{name: t, let: [x]}]")
    assert "`let` must be a map, not a list" in fault


FAMILY = """
with: {opt: {type: str, value: O0}}
tasks:
- name: model
  strategy: {select: {axes: {arch: [x86, arm]}, default: {arch: x86}}}
  body: [{name: build, run: "${{ matrix.arch }} ${{ opt }}"}]
- {name: fast, set: [{opt: O3}], body: [{name: b, run: x, needs: [model.arm, model]}]}
- {name: other, needs: [model.x86]}
"""


def test_variants_that_are_reached_through_a_task_only_see_what_it_sets(project: Project) -> None:
    graph = project.graph(FAMILY, "fast")
    assert graph.script("demo.model.arm") == "arm O3"
    assert graph.script("demo.model.x86") == "x86 O3"
    graph = project.graph(FAMILY, "fast", "other")
    assert graph.script("demo.model.arm") == "arm O0", "a family is one task"
