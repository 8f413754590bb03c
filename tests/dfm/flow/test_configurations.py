"""Section 22: named sets of changes."""

import pytest

from tests.dfm.flow.conftest import Project

FLOW = """
with:
  opt: {type: str, value: O1}
  top: {type: str, value: "tb-${{ opt }}"}
tasks:
- {name: setup}
- {name: more}
- {name: build, run: "cc ${{ opt }} ${{ top }} ${{ flags }}", with: {flags: {type: list, value: [a]}}}
- {name: derived, uses: build, with: {flags: {append: [d]}}}
configs:
- name: fast
  desc: Optimised
  with: {opt: O3}
- name: debug
  with: {opt: O0}
  extensions:
  - {task: demo.build, with: {flags: {append: [-g]}}, needs: [setup]}
- name: waves
  uses: debug
  extensions:
  - {task: build, with: {flags: {append: [-w]}}, needs: [more]}
- name: deep
  uses: waves
  with: {opt: {value: Odeep, doc: the deepest}}
"""
DEFAULT = FLOW + "- {name: default, with: {opt: Odefault}}\n"


def script(project: Project, c: str, *D: str, text: str = FLOW) -> str:
    return project.graph(text, "build", c=c, D=D).script("demo.build")


def test_a_configuration_revalues_package_variables(project: Project) -> None:
    assert script(project, "") == 'cc O1 tb-O1 ["a"]'
    assert script(project, "fast") == 'cc O3 tb-O3 ["a"]'


def test_default_applies_when_none_is_chosen(project: Project) -> None:
    assert script(project, "", text=DEFAULT) == 'cc Odefault tb-Odefault ["a"]'
    assert script(project, "fast", text=DEFAULT) == 'cc O3 tb-O3 ["a"]'


def test_an_extension_changes_a_task_in_place(project: Project) -> None:
    nodes = project.graph(FLOW, "build", c="debug")
    assert nodes.script("demo.build") == 'cc O0 tb-O0 ["a", "-g"]'
    assert nodes.needs("demo.build") == ["demo.setup"]


def test_what_derives_from_an_extended_task_is_changed_too(project: Project) -> None:
    nodes = project.graph(FLOW, "derived", c="debug")
    assert nodes["demo.derived"].params == {"flags": ["a", "-g", "d"]}
    assert nodes.needs("demo.derived") == ["demo.setup"]


def test_extensions_pile_up_with_those_of_the_base_first(project: Project) -> None:
    nodes = project.graph(FLOW, "build", c="waves")
    assert nodes.script("demo.build") == 'cc O0 tb-O0 ["a", "-g", "-w"]'
    assert nodes.needs("demo.build") == ["demo.setup", "demo.more"]


def test_bases_of_any_depth_count_and_the_nearest_wins(project: Project) -> None:
    assert script(project, "deep") == 'cc Odeep tb-Odeep ["a", "-g", "-w"]'


def test_several_extensions_of_one_task_accumulate(project: Project) -> None:
    fields = """
    tasks:
    - {name: t, with: {f: {type: list}}}
    configs:
    - name: c
      extensions:
      - {task: t, with: {f: {append: [1]}}}
      - {task: t, with: {f: {append: [2]}, g: {type: int, value: 3}}}
    """
    assert project.graph(fields, "t", c="c")["demo.t"].params == {"f": [1, 2], "g": 3}


def test_the_command_line_wins_over_a_configuration(project: Project) -> None:
    assert script(project, "debug", "opt=O9", "build.flags=x") == 'cc O9 tb-O9 ["x"]'


def test_a_configuration_adds_to_a_list_of_the_package(project: Project) -> None:
    fields = """
    with: {l: {type: list, value: [a]}}
    tasks: [{name: t, run: "${{ l }}"}]
    configs:
    - {name: base, with: {l: {append: [b]}}}
    - {name: c, uses: base, with: {l: {prepend: [c]}}}
    """
    assert project.graph(fields, "t", c="c").script("demo.t") == '["c", "a", "b"]'


def test_an_unknown_configuration_is_an_error_with_the_known_names(project: Project) -> None:
    what = project.usage(FLOW, c="dbg")
    assert what == "package demo has no configuration `dbg` (did you mean `debug`?)"
    assert "known are `debug`, `deep`, `fast`, `waves`" in project.usage(FLOW, c="xyz")


def test_a_package_without_configurations_has_none_to_choose(project: Project) -> None:
    assert project.usage("desc: x", c="a") == "package demo has no configuration `a`"


def test_an_unknown_base_is_a_fault(project: Project) -> None:
    fields = "configs:\n- {name: debug}\n- {name: a, uses: debg}"
    assert project.faults(fields, c="a") == [
        "3:19: no configuration `debg` (did you mean `debug`?)"
    ]


def test_configurations_in_a_circle_are_a_fault(project: Project) -> None:
    fields = "configs:\n- {name: x, uses: a}\n- {name: a, uses: b}\n- {name: b, uses: a}"
    assert project.faults(fields, c="x") == ["3:19: configuration `a` uses itself: a -> b -> a"]


def test_a_configuration_that_is_declared_twice_is_a_fault(project: Project) -> None:
    fields = "configs:\n- {name: a}\n- {name: a}"
    assert project.faults(fields) == [
        f"3:10: configuration `a` is declared twice (first at {project.file}:4:12)"
    ]


@pytest.mark.parametrize("name", ["", "'a b'"])
def test_what_an_unchosen_configuration_does_is_not_done(project: Project, name: str) -> None:
    fields = "tasks: [{name: t}]\nconfigs:\n- {name: a, extensions: [{task: nope}]}"
    assert project.graph(fields, "t").names == ["demo.t"]


def test_faults_of_the_chosen_configuration_have_their_places(project: Project) -> None:
    fields = """
    with: {opt: {type: str}}
    tasks:
    - {name: build, with: {flags: {type: list}}}
    configs:
    - name: c
      with: {otp: O0}
      extensions:
      - {task: biuld}
      - {task: build, with: {flag: [1]}, needs: [buidl, build.needs]}
    """
    assert project.faults(fields, c="c") == [
        "8:12: no task `biuld` to extend (did you mean `build`?)",
        "9:46: no task `buidl` to be needed (did you mean `build`?)",
        "6:10: the package has no variable `otp` (did you mean `opt`?)",
        "9:26: task demo.build has no parameter `flag` (did you mean `flags`?)",
    ]


def test_a_value_of_a_configuration_that_does_not_fit_is_a_fault(project: Project) -> None:
    fields = "with: {n: {type: int}}\nconfigs:\n- {name: c, with: {n: lots}}"
    assert project.faults(fields, c="c") == ["3:23: `n` must be an integer, not the text 'lots'"]


def test_uses_of_an_extension_is_read_and_ignored(project: Project) -> None:
    fields = """
    tasks: [{name: t, run: mine}, {name: u, run: other}]
    configs: [{name: c, extensions: [{task: t, uses: u}]}]
    """
    assert project.graph(fields, "t", c="c").script("demo.t") == "mine"


def test_unknown_fields_of_a_configuration_are_warnings(project: Project) -> None:
    fields = """
    tasks: [{name: t}]
    configs:
    - {name: c, dsec: x, extensions: [{task: t, wiht: {}}]}
    """
    assert project.warnings(fields, c="c") == [
        "3:13: a configuration has no field `dsec`; it is ignored (did you mean `desc`?)",
        "3:45: an extension has no field `wiht`; it is ignored (did you mean `with`?)",
    ]
