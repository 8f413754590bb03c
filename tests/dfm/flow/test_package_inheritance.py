"""Section 23: a package that `uses` another."""

import pytest

from tests.dfm.flow.conftest import Project

BASE = """
package:
  name: soc
  with:
    corner: {type: str, value: typ}
    flags: {type: list, value: [a]}
  types:
  - {name: Opts, uses: std.DataItem, with: {x: {type: int, value: 1}}}
  tasks:
  - {root: route, desc: Routes, needs: [synth, soc.place], run: "route ${{ corner }} ${{ soc.corner }}"}
  - {name: synth, desc: Synthesises, needs: [rtl], run: "synth ${{ flags }} ${{ srcdir }}"}
  - {name: place, run: place}
  - {name: rtl}
  - {name: opts, uses: Opts}
  overrides: {}
  configs:
  - {name: fast, with: {corner: fast}, extensions: [{task: synth, needs: [place]}]}
"""


@pytest.fixture
def chip(project: Project) -> Project:
    project.add("soc/flow.yaml", BASE)
    return project


HEAD = "uses: soc\nimports: [soc]\n"


def test_it_has_the_tasks_of_the_base_under_its_own_name(chip: Project) -> None:
    nodes = chip.graph(HEAD, "demo.route")
    assert nodes.needs("demo.route") == ["demo.synth", "demo.place"]
    assert nodes.needs("demo.synth") == ["demo.rtl"]
    assert nodes.script("demo.route") == "route typ typ"
    assert nodes["demo.synth"].srcdir == f"{chip.folder}/soc"
    flow = chip.load(HEAD)
    route = flow.program.root.tasks["demo.route"]
    assert "root" in route.scopes
    assert flow.description(route) == "Routes"


def test_the_base_itself_is_there_too_and_unchanged(chip: Project) -> None:
    fields = f"{HEAD}with: {{corner: slow}}"
    assert chip.graph(fields, "soc.route").script("soc.route") == "route typ typ"


def test_variables_are_inherited_and_revalued_and_inherited_scripts_see_that(
    chip: Project,
) -> None:
    fields = f"{HEAD}with: {{corner: slow, flags: {{append: [b]}}, own: {{type: int, value: 2}}}}"
    nodes = chip.graph(
        f"{fields}\ntasks: [{{name: t, run: '${{{{ corner }}}} ${{{{ own }}}}'}}]", "route", "t"
    )
    assert nodes.script("demo.route") == "route slow slow"
    assert nodes.script("demo.synth") == f'synth ["a", "b"] {chip.folder}/soc'
    assert nodes.script("demo.t") == "slow 2"
    assert chip.graph(fields, "route", D=["corner=x"]).script("demo.route") == "route x x"


def test_an_overriding_task_replaces_the_one_of_the_base_for_all_that_need_it(
    chip: Project,
) -> None:
    fields = f"{HEAD}tasks: [{{override: synth, run: 'my synth ${{{{ srcdir }}}}'}}]"
    nodes = chip.graph(fields, "route")
    assert nodes.script("demo.synth") == f"my synth {chip.folder}"
    assert nodes.needs("demo.synth") == ["demo.rtl"]
    assert chip.faults(f"{HEAD}tasks: [{{override: sinth}}]") == [
        "3:20: no task `sinth` to override (did you mean `synth`?)"
    ]


def test_configurations_are_inherited_and_those_of_one_name_apply_one_after_the_other(
    chip: Project,
) -> None:
    nodes = chip.graph(HEAD, "route", c="fast")
    assert nodes.script("demo.route") == "route fast fast"
    assert nodes.needs("demo.synth") == ["demo.rtl", "demo.place"]
    fields = f"{HEAD}configs: [{{name: fast, with: {{flags: [z]}}}}]"
    nodes = chip.graph(fields, "route", c="fast")
    assert nodes.script("demo.route") == "route fast fast"
    assert nodes.script("demo.synth").startswith('synth ["z"]')


def test_types_stay_those_of_the_base_and_are_found(chip: Project) -> None:
    nodes = chip.graph(f"{HEAD}tasks: [{{name: t, uses: Opts, with: {{x: 2}}}}]", "t", "demo.opts")
    assert getattr(nodes["demo.t"].work, "type", None) == "soc.Opts"
    assert nodes["demo.opts"].params == {"x": 1}


def test_chains_are_allowed_and_a_base_may_be_known_by_name_only(chip: Project) -> None:
    chip.add(
        "mid/flow.yaml",
        "package: {name: mid, uses: soc, imports: [../soc], with: {corner: mid}, tasks: ["
        "{override: place, run: mid place}, {name: more, needs: [route]}]}",
    )
    chip.add("map.yaml", "package-map: {packages: [{name: mid, path: mid}]}")
    nodes = chip.graph("package-map: map.yaml\nuses: mid\ntasks: [{override: rtl, run: r}]", "more")
    assert nodes.needs("demo.more") == ["demo.route"]
    assert nodes.script("demo.route") == "route mid mid"
    assert nodes.script("demo.place") == "mid place"
    assert nodes.script("demo.rtl") == "r"


def test_a_base_that_is_not_known_or_leads_back_is_a_fault(chip: Project) -> None:
    assert chip.faults("uses: sock\nimports: [soc]") == [
        "1:7: no package `sock` to inherit from (did you mean `soc`?)"
    ]
    chip.add("a/flow.yaml", "package: {name: a, uses: b, imports: [../b]}")
    chip.add("b/flow.yaml", "package: {name: b, uses: a, imports: [../a]}")
    found = chip.faults("uses: a\nimports: [a]")
    assert any("package `a` inherits from itself: a -> b -> a" in fault for fault in found)


def test_a_variable_that_no_base_has_needs_a_type(chip: Project) -> None:
    assert chip.faults(f"{HEAD}with: {{cornr: x}}") == [
        "3:8: the package variable `cornr` needs a `type` (write {type: str, value: ...})"
    ]


def test_a_task_of_the_same_name_hides_the_inherited_one_with_a_warning(chip: Project) -> None:
    fields = f"{HEAD}tasks: [{{name: rtl, run: mine}}]"
    (warning,) = chip.warnings(fields, "route")
    assert warning.startswith("3:16: task `demo.rtl` hides the inherited one")


def test_fragments_of_the_base_are_inherited_and_their_faults_said_once(chip: Project) -> None:
    chip.add("soc/flow.yaml", BASE.replace("  overrides: {}", "  fragments: [f.yaml]"))
    text = "fragment: {name: f, tasks: [{name: t, run: '${{ corner }}', needs: [synth]}]}"
    chip.add("soc/f.yaml", text)
    nodes = chip.graph(f"{HEAD}with: {{corner: slow}}", "demo.f.t")
    assert nodes.script("demo.f.t") == "slow"
    assert nodes.needs("demo.f.t") == ["demo.synth"]
    assert (
        chip.graph(f"{HEAD}tasks: [{{override: f.t, run: mine}}]", "demo.f.t").script("demo.f.t")
        == "mine"
    )
    chip.add("soc/f.yaml", text.replace("run:", "rnu:"))
    assert chip.faults(HEAD) == ["soc/f.yaml:1:39: a task has no field `rnu` (did you mean `run`?)"]


def test_overrides_and_aliases_of_the_base_are_inherited(chip: Project) -> None:
    chip.add("lib/flow.yaml", "package: {name: lib, tasks: [{export: stub, run: stub}]}")
    text = BASE.replace("overrides: {}", "overrides: {place: l.stub}")
    chip.add("soc/flow.yaml", f"{text}  imports: [{{from: ../lib, as: l}}]\n")
    assert chip.graph(HEAD, "demo.route").needs("demo.route") == ["demo.synth", "lib.stub"]
